"""What every piece of work tells of itself while it is made, whether it becomes a film or a song."""

from typing import Annotated

from pydantic import Field

from models.approval import Question, Verdict
from models.base import Contract
from models.lanes import Lane
from models.quality import Figure


class Cost(Contract):
    """What the work took so far: stages made and reused, CPU seconds spent, CPU seconds saved by reuse, bytes made."""

    stages_made: int = 0
    stages_reused: int = 0
    cpu_seconds: float = 0.0
    cpu_seconds_saved: float = 0.0
    size: int = 0


class WorkProgress(Contract):
    """The base of a true picture of a piece of work, answered by query and projected into the tables."""

    detail: Annotated[str, Field(max_length=300)] = ""
    """What is being worked on, or what is waited for, in words."""
    waiting_for_lanes: tuple[Lane, ...] = ()
    fell_back: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=20)] = ()
    """Which engine was used instead of which, and where."""
    cost: Cost = Cost()
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)] = ()
    question: Question | None = None
    verdicts: Annotated[tuple[Verdict, ...], Field(max_length=25)] = ()
