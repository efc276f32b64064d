"""What a song is planned by besides its artist's identity: the trends in force and the variant of an experiment. Looked
up when the song is planned, and recorded with it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from models.approval import Principal
from models.base import Contract, Note, Seed, Slug
from models.music import Bpm, Genre
from models.reflection import Change, Proposal

TRENDS = 12
"""In force for a song at once: the weightiest."""

Word = Annotated[str, Field(pattern=r"^[^\W\d_]+(?:['’ -][^\W\d_]+)*$", max_length=40)]
Share = Annotated[float, Field(ge=0, le=1)]


class TrendBody(Contract):
    """What a trend says. What is left out leans nothing."""

    genres: Annotated[tuple[Genre, ...], Field(max_length=5)] = ()
    """Artists of these genres it concerns; everybody without any."""
    themes: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(max_length=10)] = ()
    tempo_low: Bpm | None = None
    tempo_high: Bpm | None = None
    energy: Share | None = None
    words: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    """That its songs may use."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.tempo_low is None) is not (self.tempo_high is None):
            raise ValueError("tempo_low and tempo_high come together")
        if self.tempo_low is not None and self.tempo_high is not None and self.tempo_low > self.tempo_high:
            raise ValueError("tempo_low is above tempo_high")
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_until is not after valid_from")
        if not (self.themes or self.words or self.tempo_low is not None or self.energy is not None):
            raise ValueError("a trend names a theme, a word, a tempo or an energy")
        return self


class Trend(TrendBody):
    """What the label says is in the air, and who of it."""

    name: Slug
    set_by: Principal

    def holds(self, at: datetime) -> bool:
        """Whether it is in force then."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


class Variant(Contract):
    """One way of an experiment to make songs. Without a change they are made as ever."""

    name: Slug
    change: Change | None = None
    """What of the identity is another for these songs. An idea is a person's, and no variant."""
    subject: Annotated[str, Field(max_length=40)] = ""
    """The theme that gives way, of a change of theme."""

    @model_validator(mode="after")
    def _can_be_tried(self) -> Self:
        if self.change is Change.IDEA:
            raise ValueError("an idea cannot be tried as a variant")
        if (self.change is Change.THEME) is not bool(self.subject):
            raise ValueError("a change of theme, and no other, names the theme that gives way as its subject")
        return self


class ExperimentBody(Contract):
    """Variants tried against the first of them, over some artists, for so many tracks each."""

    name: Slug
    artists: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    """All of the house without any."""
    hypothesis: Annotated[Note, Field(min_length=1)]
    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=6)]
    tracks_per_variant: Annotated[int, Field(ge=2, le=1_000)] = 12
    """Decided or heard, over all its artists."""
    seed: Seed = 0

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise ValueError("two variants have the same name")
        if len({(variant.change, variant.subject) for variant in self.variants}) < len(self.variants):
            raise ValueError("two variants are the same")
        return self


class Experiment(ExperimentBody):
    """An experiment, and who began it."""

    created_by: Principal


class Assignment(Contract):
    """The experiment a song is part of, and how it is made."""

    experiment: Slug
    variant: Variant

    @property
    def key(self) -> str:
        """As tracks name it."""
        return assignment_key(self.experiment, self.variant.name)


def assignment_key(experiment: str, variant: str) -> str:
    """The name of a variant beyond its experiment. The names of both are slugs, so that none can be taken for
    another."""
    return f"{experiment}/{variant}"


class OutlookQuery(Contract):
    """What is there for this song?"""

    tenant: Slug
    artist: Slug
    number: Annotated[int, Field(ge=1, le=100_000)]
    at: AwareDatetime


class Outlook(Contract):
    """What there is for a song. Empty: it is made by its artist's identity alone."""

    trends: Annotated[tuple[Trend, ...], Field(max_length=TRENDS)] = ()
    assignment: Assignment | None = None
    findings: Annotated[tuple[Proposal, ...], Field(max_length=5)] = ()
    """What experiments that are over have found out for this artist."""


class ExperimentState(StrEnum):
    """Whether songs still join it."""

    RUNNING = "running"
    ENDED = "ended"
