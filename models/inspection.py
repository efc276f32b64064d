"""What decoding an upload found: its measures, and for which uses it is unfit and why. Apart from the asset's table,
because it crosses Temporal."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from models.base import Contract, Milliseconds
from models.errors import FailureDetails


class Use(StrEnum):
    """What an upload may be used for, where not every readable one will do."""

    PORTRAIT = "portrait"
    """The face of a persona: exactly one, large enough to speak."""
    VOICE_SAMPLE = "voice_sample"
    """A sample that a voice is learnt from."""
    RECORDING = "recording"
    """The whole script, read aloud."""
    MUSIC = "music"
    """A bed under the speech."""


class Unfit(Contract):
    """A use this upload is refused for."""

    use: Use
    failure: FailureDetails


class Findings(Contract):
    """What is in an upload that could be decoded. What does not apply to its kind is None."""

    width: Annotated[int, Field(ge=1)] | None = None
    height: Annotated[int, Field(ge=1)] | None = None
    faces: Annotated[int, Field(ge=0)] | None = None
    """Faces in a picture. A plate or a logo without one is fine."""
    duration_ms: Milliseconds | None = None
    frames: Annotated[int, Field(ge=1)] | None = None
    """Pictures of a video."""
    sample_rate: Annotated[int, Field(ge=1)] | None = None
    channels: Annotated[int, Field(ge=1)] | None = None
    unfit: Annotated[tuple[Unfit, ...], Field(max_length=len(Use))] = ()

    def refusal(self, use: Use) -> FailureDetails | None:
        """Why it cannot be used so; None when it can."""
        return next((entry.failure for entry in self.unfit if entry.use is use), None)
