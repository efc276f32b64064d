"""What the workflow asks of the house's memory of songs."""

from typing import Annotated

from pydantic import Field

from models.approval import WorkId
from models.artifacts import Artifact
from models.base import Contract, Slug


class SongToCompare(Contract):
    """Is there a song like this one? ``print`` is JSON ``activities.audition.likeness.SongPrint``."""

    tenant: Slug
    track_id: WorkId
    print: Artifact


class SongToRemember(SongToCompare):
    """A song that is out."""

    title: Annotated[str, Field(max_length=80)]


class Likest(Contract):
    """The song most like it; no track where none is remembered."""

    track_id: Annotated[str, Field(max_length=64)] = ""
    title: Annotated[str, Field(max_length=80)] = ""
    likeness: Annotated[float, Field(ge=0, le=1)] = 0.0
