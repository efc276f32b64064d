"""The real servers: prepared, guarded by credentials, and whole after kill -9."""

import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from deploy.local.prepare import SEARCH_ATTRIBUTES
from deploy.local.process import left_behind
from deploy.local.servers import LocalServers
from models.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
async def connection(servers: LocalServers) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(servers.database_url.replace("+asyncpg", ""))
    yield opened
    await opened.close()


def s3_client(servers: LocalServers, secret: str | None = None) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=servers.s3_endpoint_url,
        aws_access_key_id=servers.s3_key_id,
        aws_secret_access_key=secret or servers.s3_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )


async def test_temporal_keeps_closed_workflows_for_30_days_and_knows_the_search_attributes(
    servers: LocalServers,
) -> None:
    client = await Client.connect(servers.temporal_address)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 30
    listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    assert set(SEARCH_ATTRIBUTES) <= set(listed.custom_attributes)


async def test_postgres_survives_a_kill_with_what_was_committed(
    servers: LocalServers, connection: asyncpg.Connection
) -> None:
    await connection.execute("create table if not exists kept (value int)")
    await connection.execute("insert into kept values (42)")
    before = servers.pid("postgres")
    servers.kill("postgres")
    servers.restart("postgres")
    assert servers.pid("postgres") != before
    again = await asyncpg.connect(servers.database_url.replace("+asyncpg", ""))
    try:
        assert await again.fetchval("select value from kept") == 42
        await again.execute("drop table kept")
    finally:
        await again.close()


async def test_postgres_wants_the_password(servers: LocalServers) -> None:
    address = servers.database_url.replace("+asyncpg", "")
    account, _, server = address.rpartition("@")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"{account}wrong@{server}")


def test_the_object_store_survives_a_kill_with_what_was_put(servers: LocalServers) -> None:
    content = bytes(range(256)) * 4096
    s3_client(servers).put_object(Bucket=servers.bucket, Key="kept", Body=content)
    servers.kill("s3")
    servers.restart("s3")
    assert s3_client(servers).get_object(Bucket=servers.bucket, Key="kept")["Body"].read() == content
    s3_client(servers).delete_object(Bucket=servers.bucket, Key="kept")


def test_the_object_store_refuses_strangers(servers: LocalServers) -> None:
    with pytest.raises(urllib.error.HTTPError) as anonymous:
        urllib.request.urlopen(f"{servers.s3_endpoint_url}/{servers.bucket}", timeout=5)
    assert anonymous.value.code == 403
    with pytest.raises(ClientError) as forged:
        s3_client(servers, secret="wrong").list_objects_v2(Bucket=servers.bucket)
    assert forged.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


async def test_temporal_survives_a_kill_with_its_workflows(servers: LocalServers) -> None:
    client = await Client.connect(servers.temporal_address)
    await client.start_workflow("NobodyServesThis", id="survivor", task_queue="nobody")
    servers.kill("temporal")
    servers.restart("temporal")
    handle = (await Client.connect(servers.temporal_address)).get_workflow_handle("survivor")
    described = await handle.describe()
    assert described.workflow_type == "NobodyServesThis"
    await handle.terminate()


def test_everything_listens_on_loopback_only(servers: LocalServers) -> None:
    mine = set(left_behind(servers.state.root))
    assert mine
    inodes = {
        link.readlink().name.partition("[")[2].rstrip("]")
        for pid in mine
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    listening = [
        fields
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and fields[9] in inodes
    ]
    assert len(listening) >= 10
    assert {fields[1].partition(":")[0] for fields in listening} == {"0100007F"}


def test_nobody_else_can_read_what_the_servers_write(servers: LocalServers) -> None:
    closed = [servers.state.root / "s3", servers.state.root / "postgres", *servers.state.root.glob("temporal.db*")]
    assert len(closed) >= 3
    assert [path for path in closed if path.stat().st_mode & 0o077] == []


def test_leaving_the_context_leaves_no_process_and_the_data_stays(state_root: Path) -> None:
    with LocalServers(state_root / "brief", parts=("s3",)) as first:
        with pytest.raises(Conflict, match="already runs"), LocalServers(state_root / "brief", parts=("s3",)):
            pass
        s3_client(first).put_object(Bucket=first.bucket, Key="kept", Body=b"1")
        address = first.s3_endpoint_url
    assert left_behind(first.state.root) == []
    with LocalServers(state_root / "brief", parts=("s3",)) as second:
        assert second.s3_endpoint_url == address
        assert s3_client(second).get_object(Bucket=second.bucket, Key="kept")["Body"].read() == b"1"
