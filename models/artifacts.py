"""The claim check: what crosses Temporal instead of bytes."""

from typing import Annotated

from pydantic import Field

from models.base import Contract, Milliseconds, Sha256


class Artifact(Contract):
    """Where bytes are and what they must hash to. ``duration_ms`` is set for audio and video only."""

    uri: Annotated[str, Field(pattern=r"^s3://", max_length=512)]
    sha256: Sha256
    media_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=100)]
    size: Annotated[int, Field(ge=0)]
    duration_ms: Milliseconds | None = None
