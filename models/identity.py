"""An artist's identity: what it is called, how it sounds, writes and looks. Versioned; every track names the version
that made it. Pure."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.artifacts import Artifact
from models.base import Contract, HexColour, LanguageTag, Name, Note, Seed, Slug
from models.music import Bpm, GenreShare, Key, Pitch


class RhymeHabit(StrEnum):
    """How four lines rhyme."""

    AABB = "AABB"
    ABAB = "ABAB"
    ABCB = "ABCB"


class Delivery(StrEnum):
    """How words are performed."""

    SUNG = "sung"
    SPOKEN = "spoken"


class Motif(StrEnum):
    """What the artist's pictures are drawn with."""

    WAVES = "waves"
    RINGS = "rings"
    PARTICLES = "particles"
    RIBBONS = "ribbons"
    TERRAIN = "terrain"
    CRYSTALS = "crystals"


class StyleShare(Contract):
    """A stock voice's share in a blend, by its name in the voice engine."""

    style: Annotated[str, Field(pattern=r"^[a-z]{2}_[a-z]{2,20}$")]
    share: Annotated[float, Field(gt=0, le=1)]


class SingingVoice(Contract):
    """A voice of its own: a blend of style vectors whose shares add up to 1, and the range it sings in."""

    styles: Annotated[tuple[StyleShare, ...], Field(min_length=1, max_length=4)]
    low: Pitch
    high: Pitch
    formant: Annotated[float, Field(ge=0.85, le=1.18)] = 1.0
    """Factor on the formants of the blend: below 1 a longer vocal tract, above 1 a shorter one."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if abs(sum(style.share for style in self.styles) - 1) > 1e-6:
            raise ValueError("the shares of a voice add up to 1")
        if self.high - self.low < 9:
            raise ValueError("a voice sings over at least nine semitones")
        return self


class Identity(Contract):
    """Who an artist is. ``version`` counts from 1; an evolution makes the next."""

    version: Annotated[int, Field(ge=1, le=10_000)] = 1
    seed: Seed
    artist: Slug
    name: Name
    biography: Note
    language: LanguageTag = "en"
    genres: Annotated[tuple[GenreShare, ...], Field(min_length=1, max_length=3)]
    tempo_low: Bpm
    tempo_high: Bpm
    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=6)]
    instruments: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=8)] = ()
    energy: Annotated[float, Field(ge=0, le=1)] = 0.6
    themes: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=6)]
    rhyme: RhymeHabit = RhymeHabit.ABCB
    explicit: bool = False
    palette: Annotated[tuple[HexColour, ...], Field(min_length=3, max_length=6)]
    """From the darkest to the lightest; the last is for type."""
    motif: Motif
    voice: SingingVoice
    delivery: Delivery = Delivery.SUNG
    voice_sample: Artifact | None = None
    """What the voice sounds like (WAV), made at birth."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.tempo_low > self.tempo_high:
            raise ValueError("tempo_low is above tempo_high")
        return self
