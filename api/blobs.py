"""Uploads into the object store and signed links out of it. Bytes pass through in parts: no upload is ever whole in
memory or on this machine's disk."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from activities.support.s3 import connect_s3
from deploy.settings import ObjectStore
from models.artifacts import Artifact
from models.errors import StorageFull, StorageUnavailable, StudioError

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

Answer = TypeVar("Answer")

PART_BYTES = 8 * 2**20
"""S3 takes parts of at least 5 MiB; two of these are in memory for each upload."""
UNFINISHED = "uploads/"
"""Where bytes wait whose hash is not known yet."""


@dataclass(frozen=True)
class Blob:
    """Stored bytes."""

    uri: str
    sha256: str
    size: int


class Blobs:
    """The studio's bucket, content-addressed: ``blobs/<first two>/<sha256>``."""

    def __init__(self, settings: ObjectStore) -> None:
        credentials = (settings.access_key_id, settings.secret_access_key.get_secret_value(), settings.region)
        self._bucket = settings.bucket
        self._client = connect_s3(settings.endpoint_url or None, *credentials)
        # A signature covers the host, so links for browsers are signed for the name browsers use.
        self._public = connect_s3(settings.public_url, *credentials) if settings.public_url else self._client

    async def check(self) -> None:
        """Raise StorageUnavailable unless the bucket answers."""
        await self._call(lambda: self._client.head_bucket(Bucket=self._bucket))

    def url(self, artifact: Artifact, *, seconds: int, filename: str = "") -> str:
        """A link that serves the artifact's bytes, with its type, for ``seconds``."""
        parameters: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": artifact.uri.removeprefix(f"s3://{self._bucket}/"),
            "ResponseContentType": artifact.media_type,
        }
        if filename:
            parameters["ResponseContentDisposition"] = f'inline; filename="{filename}"'
        return self._public.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    async def read(self, artifact: Artifact) -> bytes:
        """The bytes of a small artifact. Raises StorageUnavailable."""
        key = artifact.uri.removeprefix(f"s3://{self._bucket}/")
        answer = await self._call(lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        return bytes(answer)

    async def place(self, body: bytes, key: str, media_type: str) -> Artifact:
        """Store a small text under a name of its own. Raises StorageUnavailable or StorageFull."""
        await self._call(
            lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=media_type)
        )
        return Artifact(
            uri=f"s3://{self._bucket}/{key}",
            sha256=hashlib.sha256(body).hexdigest(),
            media_type=media_type,
            size=len(body),
        )

    async def keep(self, chunks: AsyncIterator[bytes], media_type: str) -> Blob:
        """Store what ``chunks`` brings. When it raises, nothing is left behind.

        Raises StorageUnavailable or StorageFull, and whatever ``chunks`` raises.
        """
        digest, size, buffer = hashlib.sha256(), 0, bytearray()
        upload: _Multipart | None = None
        try:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                buffer += chunk
                if len(buffer) >= PART_BYTES:
                    upload = upload or await self._begin(media_type)
                    await self._part(upload, bytes(buffer))
                    buffer.clear()
            key = blob_key(digest.hexdigest())
            if upload is None:
                body = bytes(buffer)
                await self._call(
                    lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=media_type)
                )
            else:
                if buffer:
                    await self._part(upload, bytes(buffer))
                await self._finish(upload, key)
        except BaseException:
            if upload is not None:
                await asyncio.shield(self._abort(upload))
            raise
        return Blob(uri=f"s3://{self._bucket}/{key}", sha256=digest.hexdigest(), size=size)

    async def drop_leftovers(self, older_than: timedelta) -> int:
        """Remove what uploads left that broke off so long ago, because this process or the store died; how many.

        Not a lifecycle rule of the bucket: stores differ in whether they carry one out.
        """
        return await self._call(lambda: self._drop_leftovers(datetime.now(UTC) - older_than))

    def _drop_leftovers(self, before: datetime) -> int:
        begun = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=UNFINISHED)
        parts = [u for page in begun for u in page.get("Uploads", ()) if u["Initiated"] < before]
        for upload in parts:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        whole = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=UNFINISHED)
        left = [found for page in whole for found in page.get("Contents", ()) if found["LastModified"] < before]
        for found in left:
            self._client.delete_object(Bucket=self._bucket, Key=found["Key"])
        return len(parts) + len(left)

    async def _begin(self, media_type: str) -> "_Multipart":
        # The name follows from the bytes, which are not known yet: they wait under a name of their own.
        key = f"{UNFINISHED}{secrets.token_hex(16)}"
        answer = await self._call(
            lambda: self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ContentType=media_type)
        )
        return _Multipart(key, answer["UploadId"], [])

    async def _part(self, upload: "_Multipart", body: bytes) -> None:
        number = len(upload.parts) + 1
        answer = await self._call(
            lambda: self._client.upload_part(
                Bucket=self._bucket, Key=upload.key, UploadId=upload.id, PartNumber=number, Body=body
            )
        )
        upload.parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    async def _finish(self, upload: "_Multipart", key: str) -> None:
        await self._call(
            lambda: self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=upload.key, UploadId=upload.id, MultipartUpload={"Parts": upload.parts}
            )
        )
        upload.complete = True
        await self._call(lambda: self._client.copy({"Bucket": self._bucket, "Key": upload.key}, self._bucket, key))
        await self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=upload.key))

    async def _abort(self, upload: "_Multipart") -> None:
        def drop() -> None:
            if upload.complete:
                self._client.delete_object(Bucket=self._bucket, Key=upload.key)
            else:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload.key, UploadId=upload.id)

        # The first fault is the one to tell; ``drop_leftovers`` finds what cannot be dropped now.
        await asyncio.gather(asyncio.to_thread(drop), return_exceptions=True)

    async def _call(self, call: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.to_thread(call)
        except ClientError as error:
            raise _refusal(error) from error
        except BotoCoreError as error:
            raise StorageUnavailable(f"the object store does not answer: {type(error).__name__}") from error


@dataclass
class _Multipart:
    key: str
    id: str
    parts: "list[CompletedPartTypeDef]"
    complete: bool = False


def blob_key(sha256: str) -> str:
    """The key of the bytes with that hash; stages use the same."""
    return f"blobs/{sha256[:2]}/{sha256}"


def _refusal(error: ClientError) -> StudioError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in {"InsufficientStorage", "QuotaExceeded"} or status == 507:
        return StorageFull("the object store has no space left")
    return StorageUnavailable(f"the object store answered {code or status}")
