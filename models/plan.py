"""The plan: which engine does each stage, at which version and weights, on which lane. Resolved before a workflow
starts and carried in its input, so that replay never depends on a setting."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Contract, Slug
from models.lanes import Lane


class Capability(StrEnum):
    """What an engine can do; also the name of its package under ``activities/``."""

    SPEECH = "speech"
    ALIGNMENT = "alignment"
    LIPSYNC = "lipsync"
    AVATAR = "avatar"
    COMPOSITING = "compositing"
    QUALITY = "quality"
    INSPECTION = "inspection"
    MUSIC = "music"
    ANALYSIS = "analysis"
    LYRICS = "lyrics"
    VOCALS = "vocals"
    MIXING = "mixing"
    ARTWORK = "artwork"
    MUSICVIDEO = "musicvideo"
    AUDITION = "audition"
    RELEASES = "releases"
    FOOTAGE = "footage"


class EngineRef(Contract):
    """One engine, pinned. ``weights`` is the sha256 over its weights; empty where it has none or none is known yet."""

    capability: Capability
    name: Slug
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=20)]
    lane: Lane
    weights: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class Plan(Contract):
    """The engines of one render. ``alignment`` is an order: the next is used when one fails, and the result says so."""

    speech: EngineRef
    alignment: Annotated[tuple[EngineRef, ...], Field(min_length=1, max_length=4)]
    lipsync: EngineRef
    avatar: EngineRef
    compositing: EngineRef
    quality: EngineRef

    def engines(self) -> tuple[EngineRef, ...]:
        """Every engine named, in the order of the stages."""
        return (self.speech, *self.alignment, self.lipsync, self.avatar, self.compositing, self.quality)

    def lanes(self) -> tuple[Lane, ...]:
        """The distinct lanes the plan needs, sorted."""
        return tuple(sorted({engine.lane for engine in self.engines()}))


class TrackPlan(Contract):
    """The engines of one track. ``music``, ``lyrics`` and ``footage`` are orders: the next is used when one fails or is
    away, and the result says who made it. Without footage, or where all of it fails, pictures are generated."""

    music: Annotated[tuple[EngineRef, ...], Field(min_length=1, max_length=4)]
    analysis: EngineRef
    lyrics: Annotated[tuple[EngineRef, ...], Field(min_length=1, max_length=4)]
    vocals: EngineRef
    mixing: EngineRef
    artwork: EngineRef
    musicvideo: EngineRef
    audition: EngineRef
    releases: EngineRef
    footage: Annotated[tuple[EngineRef, ...], Field(max_length=4)] = ()
    publishers: Annotated[tuple[Slug, ...], Field(max_length=4)] = ("store",)
    """Where releases go, all at once; with none they are kept and go nowhere."""

    def engines(self) -> tuple[EngineRef, ...]:
        """Every engine named, in the order of the stages."""
        single = (self.vocals, self.mixing, self.artwork, self.musicvideo, self.audition, self.releases)
        return (*self.music, self.analysis, *self.lyrics, *single, *self.footage)

    def lanes(self) -> tuple[Lane, ...]:
        """The distinct lanes the plan needs, sorted."""
        return tuple(sorted({engine.lane for engine in self.engines()}))
