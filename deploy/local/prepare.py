"""What servers need before the studio can use them: search attributes, retention, a database, a bucket. A process of
its own, started beside the servers, so that the supervisor needs no client library and both start at once."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import asyncpg
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode

from deploy.local.postgres import DATABASE
from deploy.settings import Database, ObjectStore, Settings, Temporal, load_settings
from models.errors import StudioError
from workers.plugin import connect

SEARCH_ATTRIBUTES = ("Stage", "Artist", "Persona", "Channel", "Tenant", "Lane")
"""Keywords that workflows are listed by in the Web UI."""

RETENTION = timedelta(days=30)
"""How long the embedded server keeps closed workflows; its own default is a day."""

PATIENCE = 60.0
"""Seconds a server may take to answer for the first time."""

EMBEDDED = ("temporal", "postgres", "s3")


async def prepare(settings: Settings, embedded: Sequence[str]) -> None:
    """Prepare every server that has an address. Idempotent.

    Only ``embedded`` ones, which the studio owns, get a retention and a database; a real server keeps its own.
    Raises StudioError subclasses or the client's error when a server refuses or stays silent.
    """
    steps: list[Awaitable[None]] = []
    if settings.temporal.address:
        steps.append(_until_it_answers(lambda: prepare_temporal(settings.temporal, own="temporal" in embedded)))
    if "postgres" in embedded:
        steps.append(_until_it_answers(lambda: prepare_database(settings.database)))
    if settings.s3.endpoint_url:
        steps.append(_until_it_answers(lambda: asyncio.to_thread(prepare_bucket, settings.s3)))
    await asyncio.gather(*steps)


async def prepare_temporal(temporal: Temporal, *, own: bool) -> None:
    """Add the search attributes and, on an own server, the retention."""
    client = await connect(temporal)
    have = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=temporal.namespace)
    )
    missing = [name for name in SEARCH_ATTRIBUTES if name not in have.custom_attributes]
    if missing:
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=temporal.namespace, search_attributes=dict.fromkeys(missing, keyword))
        )
    if own:
        retention = Duration()
        retention.FromTimedelta(RETENTION)
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=temporal.namespace,
                config=NamespaceConfig(workflow_execution_retention_ttl=retention),
            )
        )


async def prepare_database(database: Database) -> None:
    """Create the database that ``database.url`` names, by way of the maintenance database."""
    address = database.url.get_secret_value().replace("postgresql+asyncpg://", "postgresql://")
    connection = await asyncpg.connect(address.rpartition("/")[0] + "/postgres", timeout=5)
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f'create database "{DATABASE}"')
    finally:
        await connection.close()


def prepare_bucket(store: ObjectStore) -> None:
    """Create the bucket unless it exists."""
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        region_name=store.region,
        aws_access_key_id=store.access_key_id or None,
        aws_secret_access_key=store.secret_access_key.get_secret_value() or None,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20),
    )
    try:
        client.head_bucket(Bucket=store.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        client.create_bucket(Bucket=store.bucket)


async def _until_it_answers(step: Callable[[], Awaitable[None]]) -> None:
    """Repeat ``step`` while its server is still starting; any other failure is final."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await step()
        except (OSError, RuntimeError, RPCError, asyncpg.PostgresError, BotoCoreError, ClientError) as error:
            if not _is_starting(error) or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def _is_starting(error: Exception) -> bool:
    if isinstance(error, RPCError):
        # The default namespace appears a moment after the server answers.
        return error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.NOT_FOUND, RPCStatusCode.DEADLINE_EXCEEDED)
    if isinstance(error, ClientError):
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"]) >= 500
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(error, asyncpg.CannotConnectNowError)
    return True


def main() -> int:
    """Prepare what the environment points at; the arguments name the embedded servers."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("--embedded", nargs="*", default=[], choices=EMBEDDED)
    try:
        asyncio.run(prepare(load_settings(), arguments.parse_args().embedded))
    except (StudioError, OSError, RuntimeError, RPCError, asyncpg.PostgresError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # A short-lived process that used the Temporal client may abort while the interpreter winds down (sdk-python#300).
    os._exit(code)
