"""Artifacts in an S3 bucket, with a local cache of files by sha256 so that stages on one machine hand over by disk."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import RetriesExceededError

from models.artifacts import Artifact
from models.errors import ArtifactLost, StorageFull, StorageUnavailable, StudioError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MISSING = {"404", "NoSuchKey", "NotFound"}
_FULL = {"InsufficientStorage", "507", "QuotaExceeded"}
_PARTIAL = "partial-"
_KEEP_SECONDS = 900
"""A cached file touched this recently is never evicted: a stage may be reading it."""


def connect_s3(endpoint_url: str | None, access_key: str, secret_key: str, region: str = "us-east-1") -> "S3Client":
    """A client for any S3 server; path-style addresses, because embedded servers have no wildcard DNS."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        # Without keys, boto3's own chain (profile, instance role) applies.
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        region_name=region,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 2, "mode": "standard"},
            max_pool_connections=32,
        ),
    )


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class S3ArtifactStore:
    """Implements :class:`activities.support.artifacts.ArtifactStore`. Thread-safe."""

    def __init__(self, client: "S3Client", bucket: str, cache: Path, cache_bytes: int = 4 * 2**30) -> None:
        self._client = client
        self._bucket = bucket
        self._cache = cache
        self._cache_bytes = cache_bytes
        self._cache.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self._since_eviction = 0
        # Every put on one machine sends files of tens of MB at most in parallel lanes: more threads only cost memory.
        self._transfer = TransferConfig(max_concurrency=2)

    def fetch(self, artifact: Artifact) -> Path:
        """See the Protocol."""
        local = self._local(artifact.sha256)
        if local.exists():
            with contextlib.suppress(OSError):
                os.utime(local)
                return local
        key = artifact.uri.removeprefix(f"s3://{self._bucket}/")
        if key == artifact.uri:
            raise ArtifactLost(f"{artifact.uri} is not in this studio's bucket {self._bucket}")
        with self._partial() as (partial, file):
            with self._faults(artifact.uri):
                self._client.download_fileobj(self._bucket, key, file, Config=self._transfer)
            file.flush()
            if sha256_of(partial) != artifact.sha256:
                raise ArtifactLost(f"{artifact.uri} holds other bytes than {artifact.sha256}")
            self._keep(partial, local)
        return local

    def put(self, path: Path, media_type: str, duration_ms: int | None = None) -> Artifact:
        """See the Protocol."""
        sha256 = sha256_of(path)
        key = f"blobs/{sha256[:2]}/{sha256}"
        artifact = Artifact(
            uri=f"s3://{self._bucket}/{key}",
            sha256=sha256,
            media_type=media_type,
            size=path.stat().st_size,
            duration_ms=duration_ms,
        )
        if not self.exists(artifact):
            with self._faults(artifact.uri):
                extra = {"ContentType": media_type}
                # Not upload_file, which hides the server's answer in an exception of its own.
                with path.open("rb") as content:
                    self._client.upload_fileobj(content, self._bucket, key, ExtraArgs=extra, Config=self._transfer)
        local = self._local(sha256)
        if not local.exists():
            with self._partial() as (partial, file), path.open("rb") as content:
                shutil.copyfileobj(content, file, 2**20)
                file.flush()
                self._keep(partial, local)
        return artifact

    def place(self, artifact: Artifact, key: str) -> Artifact:
        """A copy of the artifact at ``key``, made by the server. Twice is once. Raises what :meth:`put` raises, and
        ArtifactLost when the bytes are gone."""
        placed = artifact.model_copy(update={"uri": f"s3://{self._bucket}/{key}"})
        if not self.exists(placed):
            source = artifact.uri.removeprefix(f"s3://{self._bucket}/")
            with self._faults(artifact.uri):
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=key,
                    CopySource={"Bucket": self._bucket, "Key": source},
                    ContentType=artifact.media_type,
                    MetadataDirective="REPLACE",
                )
        return placed

    def clear(self, prefix: str) -> int:
        """Remove every object whose key begins with ``prefix``; how many there were. Raises what :meth:`put` raises."""
        with self._faults(f"s3://{self._bucket}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
            # One by one: the answer to a bulk delete differs between servers.
            for key in keys:
                self._client.delete_object(Bucket=self._bucket, Key=key)
        return len(keys)

    def exists(self, artifact: Artifact) -> bool:
        """See the Protocol."""
        key = artifact.uri.removeprefix(f"s3://{self._bucket}/")
        try:
            with self._faults(artifact.uri):
                head: Any = self._client.head_object(Bucket=self._bucket, Key=key)
        except ArtifactLost:
            return False
        return bool(head["ContentLength"] == artifact.size)

    def url(self, artifact: Artifact, *, seconds: int, filename: str = "") -> str:
        """See the Protocol."""
        parameters = {
            "Bucket": self._bucket,
            "Key": artifact.uri.removeprefix(f"s3://{self._bucket}/"),
            "ResponseContentType": artifact.media_type,
        }
        if filename:
            parameters["ResponseContentDisposition"] = f'inline; filename="{filename}"'
        return self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    def _local(self, sha256: str) -> Path:
        return self._cache / sha256[:2] / sha256

    @contextlib.contextmanager
    def _partial(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """A file to be filled. The lock on it ends with this process, so that another can tell it from one in use."""
        with self._locked() as file:
            try:
                yield Path(file.name), file
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise StorageFull(f"the disk is full: nothing more fits into the cache in {self._cache}") from error
                raise
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _locked(self) -> "tempfile._TemporaryFileWrapper[bytes]":
        while True:
            file = tempfile.NamedTemporaryFile(dir=self._cache, prefix=_PARTIAL, delete=False)  # noqa: SIM115
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return file
            # Another process swept it away before it was locked.
            file.close()

    def _sweep(self) -> None:
        """Remove what killed processes left half-filled."""
        for left in self._cache.glob(f"{_PARTIAL}*"):
            with contextlib.suppress(OSError), left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()

    def _keep(self, partial: Path, local: Path) -> None:
        local.parent.mkdir(exist_ok=True)
        size = partial.stat().st_size
        partial.replace(local)
        self._since_eviction += size
        if self._since_eviction > self._cache_bytes // 8:
            self._since_eviction = 0
            self._evict()

    def _evict(self) -> None:
        files = []
        for path in self._cache.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                files.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        for touched, size, path in sorted(files):
            if total <= self._cache_bytes or time.time() - touched < _KEEP_SECONDS:
                return
            path.unlink(missing_ok=True)
            total -= size

    @contextlib.contextmanager
    def _faults(self, uri: str) -> Any:
        try:
            yield
        except ClientError as error:
            raise _client_fault(error, uri) from error
        except (BotoCoreError, RetriesExceededError) as error:
            raise StorageUnavailable(f"the object store does not answer: {type(error).__name__}") from error


def _client_fault(error: ClientError, uri: str) -> StudioError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return ArtifactLost(f"{uri} is not in the object store")
    if code in _FULL:
        return StorageFull("the object store has no space left")
    return StorageUnavailable(f"the object store answered {code or 'an error'} for {uri}")
