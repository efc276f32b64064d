"""The base of every contract: frozen, closed, bounded. What crosses Temporal, HTTP or a cache key derives from here."""

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """An immutable value with no unknown fields, so that equal content always hashes to the same key."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Note = Annotated[str, Field(max_length=2_000)]
LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$")]
"""BCP 47, e.g. ``en`` or ``en-GB``."""
HexColour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
Milliseconds = Annotated[int, Field(ge=0, le=6 * 3600 * 1000)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


def canonical_sha256(value: object) -> str:
    """The sha256 of ``value`` as canonical JSON (sorted keys, no spaces, UTF-8). ``value`` is plain JSON data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
