"""A migrated database and a bucket on the real servers, for tests of what stages share."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.support.s3 import S3ArtifactStore, connect_s3
from activities.support.stage import Stages
from deploy.local.servers import LocalServers
from deploy.settings import ROOT
from models.store import Store


@pytest.fixture(scope="session")
def migrated(servers: LocalServers) -> LocalServers:
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "deploy/migrations/alembic.ini", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, **servers.environment},
        check=True,
        capture_output=True,
    )
    return servers


@pytest_asyncio.fixture(loop_scope="function")
async def store(migrated: LocalServers) -> AsyncIterator[Store]:
    store = Store.connect(migrated.database_url)
    yield store
    await store.close()


@pytest.fixture
def artifacts(migrated: LocalServers, tmp_path: Path) -> S3ArtifactStore:
    client = connect_s3(migrated.s3_endpoint_url, migrated.s3_key_id, migrated.s3_key)
    return S3ArtifactStore(client, migrated.bucket, tmp_path / "cache")


@pytest.fixture
def stages(store: Store, artifacts: S3ArtifactStore, tmp_path: Path) -> Stages:
    return Stages(artifacts, store, tmp_path / "scratch")
