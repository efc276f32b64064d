"""Layout: how the finished picture and sound are put together. Data only; ``activities/compositing`` draws it."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from models.artifacts import Artifact
from models.base import Contract, HexColour, Milliseconds, Name


class Shape(StrEnum):
    """Aspect of a finished video."""

    WIDE = "16:9"
    TALL = "9:16"
    SQUARE = "1:1"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return {Shape.WIDE: (1920, 1080), Shape.TALL: (1080, 1920), Shape.SQUARE: (1080, 1080)}[self]


class PlateKind(StrEnum):
    """What is behind the presenter."""

    COLOUR = "colour"
    IMAGE = "image"
    VIDEO = "video"
    SLIDES = "slides"


class Slide(Contract):
    """A picture shown from ``from_segment`` on, until the next slide."""

    picture: Artifact
    from_segment: Annotated[int, Field(ge=0, lt=400)]


class Plate(Contract):
    """A background. ``colour`` also fills what a picture does not cover; with slides the presenter stands aside."""

    kind: PlateKind = PlateKind.COLOUR
    colour: HexColour = "#1d2733"
    asset: Artifact | None = None
    slides: Annotated[tuple[Slide, ...], Field(max_length=60)] = ()


class Brand(Contract):
    """A brand kit as it was when the render was asked for."""

    name: Name
    primary: HexColour = "#0b3d91"
    accent: HexColour = "#f2b705"
    text: HexColour = "#ffffff"
    logo: Artifact | None = None


class LowerThird(Contract):
    """Name and title, shown for ``duration_ms`` from ``start_ms`` of the spoken part."""

    name: Name
    title: Annotated[str, Field(max_length=120)] = ""
    start_ms: Milliseconds = 600
    duration_ms: Milliseconds = 5_000


class Captions(StrEnum):
    """Where captions go. SRT and VTT files are always made beside the video."""

    NONE = "none"
    BURNT = "burnt"
    TRACK = "track"
    BOTH = "both"


class Card(Contract):
    """An intro or outro card, drawn in the brand's colours."""

    title: Name
    subtitle: Annotated[str, Field(max_length=160)] = ""
    duration_ms: Annotated[int, Field(ge=400, le=15_000)] = 2_000

    def frames(self, fps: int) -> int:
        """How many frames it lasts."""
        return max(1, round(self.duration_ms * fps / 1000))


class MusicBed(Contract):
    """Music under the speech: looped to length, faded at both ends, ``duck_db`` lower while someone speaks."""

    track: Artifact
    level_db: Annotated[float, Field(ge=-60, le=0)] = -20.0
    duck_db: Annotated[float, Field(ge=-40, le=0)] = -10.0


class SoundLayout(Contract):
    """What of a layout is heard: the time before and after the spoken part in frames, the bed, and the loudness."""

    fps: int
    lead_in: Annotated[int, Field(ge=0)]
    lead_out: Annotated[int, Field(ge=0)]
    music: MusicBed | None
    loudness_lufs: float
    true_peak_dbtp: float

    def starts(self, frames: Sequence[int]) -> tuple[int, ...]:
        """The frame of the film at which each segment begins, then the one at which the spoken part has ended."""
        return tuple(accumulate(frames, initial=self.lead_in))


class Layout(Contract):
    """Everything about picture and sound that is not the performance itself."""

    shapes: Annotated[tuple[Shape, ...], Field(min_length=1, max_length=3)] = (Shape.WIDE,)
    fps: Annotated[int, Field(ge=10, le=60)] = 25
    brand: Brand
    plate: Plate = Plate()
    lower_third: LowerThird | None = None
    captions: Captions = Captions.BURNT
    disclosure: Annotated[str, Field(max_length=120)] = "Synthetic presenter"
    """Always on screen; empty for none."""
    intro: Card | None = None
    outro: Card | None = None
    music: MusicBed | None = None
    loudness_lufs: Annotated[float, Field(ge=-30, le=-8)] = -16.0
    """Integrated loudness target, ITU-R BS.1770 / EBU R 128."""
    true_peak_dbtp: Annotated[float, Field(ge=-9, le=-0.5)] = -1.0

    def sound(self) -> SoundLayout:
        """What of it is heard. Whatever else changes, the sound stays."""
        lead_in, lead_out = (card.frames(self.fps) if card else 0 for card in (self.intro, self.outro))
        return SoundLayout(
            fps=self.fps,
            lead_in=lead_in,
            lead_out=lead_out,
            music=self.music,
            loudness_lufs=self.loudness_lufs,
            true_peak_dbtp=self.true_peak_dbtp,
        )

    def artifacts(self) -> tuple[Artifact, ...]:
        """Every artifact the layout refers to."""
        found = [self.brand.logo, self.plate.asset, *(slide.picture for slide in self.plate.slides)]
        if self.music:
            found.append(self.music.track)
        return tuple(artifact for artifact in found if artifact is not None)

    def picture_index(self, index: int) -> int:
        """What a segment's picture has to know of its place: nothing (0) unless slides change with it."""
        return index if self.plate.kind is PlateKind.SLIDES else 0
