"""A release: its identifiers, the package in the store, and where it is published."""

from typing import Annotated

from pydantic import Field

from models.approval import WorkId
from models.artifacts import Artifact
from models.base import Contract, Slug
from models.song_stages import ReleaseFile
from models.track import ReleaseRef

Files = Annotated[tuple[ReleaseFile, ...], Field(min_length=1, max_length=60)]


class CodeRanges(Contract):
    """Where identifiers come from. ``registered``: whether the ranges were assigned to the house."""

    isrc_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$")]
    isrc_first: Annotated[int, Field(ge=0, le=99_999)]
    isrc_last: Annotated[int, Field(ge=0, le=99_999)]
    upc_prefix: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")]
    registered: bool


class CodesToReserve(Contract):
    """A track that needs its ISRC and UPC."""

    track_id: WorkId
    year: Annotated[int, Field(ge=2000, le=9999)]


class Codes(Contract):
    """The identifiers of a release, given once. ``registered`` is False where the house has no ranges of its own: then
    they are from ranges that are never assigned to anybody, and the package says so."""

    isrc: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$")]
    upc: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    year: Annotated[int, Field(ge=2000, le=9999)]
    registered: bool


class PackageToKeep(Contract):
    """Files to be put together in one directory of the store."""

    tenant: Slug
    artist: Slug
    track_id: WorkId
    files: Files


class Manifest(Contract):
    """What is in a package, by path: it is the last file written, and without it there is no package."""

    track_id: WorkId
    files: Annotated[dict[str, Artifact], Field(min_length=1, max_length=60)]


class KeptPackage(Contract):
    """The package: it is whole as soon as its manifest (JSON, with every checksum) is there, and absent before."""

    manifest: Artifact
    folder: Annotated[str, Field(max_length=512)]


class ReleaseToRecord(Contract):
    """A release that is out."""

    track_id: WorkId
    release: ReleaseRef


def check_digit(digits: str) -> str:
    """The GS1 check digit of the eleven ``digits`` of a UPC-A (GS1 General Specifications, 7.9)."""
    odd = sum(int(digit) for digit in digits[0::2])
    even = sum(int(digit) for digit in digits[1::2])
    return str(-(3 * odd + even) % 10)
