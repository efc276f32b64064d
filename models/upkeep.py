"""What the workflow asks of the io lane beside the stages: finished films, lanes, projections, questions."""

from typing import Annotated

from pydantic import Field

from models.approval import Question, QuestionState, Reviewer, Verdict, WorkId
from models.artifacts import Artifact
from models.base import Contract, Milliseconds, Sha256, Slug
from models.errors import FailureDetails
from models.inspection import Findings
from models.lanes import Lane
from models.plan import EngineRef
from models.quality import Figure
from models.render import RenderProgress
from models.stages import FilmFiles


class FilmQuery(Contract):
    """Is there a finished film of exactly this?"""

    render_id: WorkId
    key: Sha256


class FinishedFilms(Contract):
    """The films of one render with the figures measured on the first."""

    films: Annotated[tuple[FilmFiles, ...], Field(min_length=1, max_length=3)]
    figures: Annotated[tuple[Figure, ...], Field(max_length=40)]
    report: Artifact


class FilmAnswer(Contract):
    """``found`` is None when there is none or its bytes are gone."""

    found: FinishedFilms | None


class FilmToKeep(Contract):
    """Remember a finished film under its key."""

    render_id: WorkId
    key: Sha256
    films: FinishedFilms


class LaneQuery(Contract):
    """Which of these lanes has no worker?"""

    lanes: Annotated[tuple[Lane, ...], Field(max_length=8)]


class IdleLanes(Contract):
    """Lanes that no worker polls."""

    lanes: Annotated[tuple[Lane, ...], Field(max_length=8)]


class Snapshot(Contract):
    """A projection of a render. ``sequence`` grows by one."""

    sequence: Annotated[int, Field(ge=0)]
    progress: RenderProgress


class VoiceToEnrol(Contract):
    """A voice whose samples wait to be learnt. ``engine`` is pinned when the voice is saved."""

    tenant: Slug
    voice: Slug
    engine: EngineRef
    samples: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=20)]


class VoiceOutcome(Contract):
    """How an enrolment ended: with latents, or with a failure a person can act on."""

    tenant: Slug
    voice: Slug
    samples: Annotated[tuple[Artifact, ...], Field(min_length=1, max_length=20)]
    """Those it was learnt from: a voice whose samples were replaced meanwhile is left alone."""
    latents: Artifact | None = None
    failure: FailureDetails | None = None


class AssetToInspect(Contract):
    """An upload whose bytes nobody has decoded yet. ``engine`` is pinned, and the bound known, when it is sent."""

    tenant: Slug
    asset: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    engine: EngineRef
    file: Artifact
    longest_ms: Milliseconds


class AssetOutcome(Contract):
    """How an inspection ended: with findings, or with what is wrong with the file."""

    tenant: Slug
    asset: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    findings: Findings | None = None
    failure: FailureDetails | None = None


class QuestionToAsk(Contract):
    """Put a question before these reviewers (again, when ``reminder`` > 0)."""

    question: Question
    reviewers: Annotated[tuple[Reviewer, ...], Field(max_length=40)]
    reminder: Annotated[int, Field(ge=0, le=20)] = 0


class QuestionToRecord(Contract):
    """How a question stands, and who was asked: a closed one is taken back from them."""

    question: Question
    reviewers: Annotated[tuple[Reviewer, ...], Field(max_length=40)]
    state: QuestionState
    verdicts: Annotated[tuple[Verdict, ...], Field(max_length=25)]
