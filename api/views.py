"""Renders and questions as they are shown: over REST, and as events."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import ConfigDict, computed_field

from api.services import Services
from models.approval import Question, QuestionState, Verdict
from models.base import Contract
from models.errors import Conflict, TemporalUnavailable
from models.quality import Figure
from models.render import RenderProgress, RenderState
from models.tables import ApprovalQuestion, Render, VerdictRecord

LINK_SECONDS = 6 * 3600
SUMMARY: dict[str, Any] = {
    "render_id": "3b1f0c9e7a5d42c8b6e0",
    "title": "Third quarter, to all",
    "persona": "avery",
    "channel": "internal",
    "state": "rendering",
    "done": 4,
    "total": 12,
}


class RenderSummary(Contract):
    """A render in a list. ``done`` of ``total`` segments are finished."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY]})

    render_id: str
    title: str
    persona: str
    channel: str
    state: RenderState
    done: int
    total: int
    requested_by: str
    parent: str | None
    script: str | None
    script_version: int | None
    created_at: datetime | None
    updated_at: datetime | None


class FigureView(Figure):
    """A figure and whether it holds."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def holds(self) -> bool:
        """Whether the figure reaches its threshold."""
        return super().holds


class RenderView(RenderSummary):
    """A render and where it stands.

    ``live`` says whether the render itself was asked; else this is the last snapshot it wrote to the tables.
    ``passed`` is null until the finished film was measured.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{**SUMMARY, "live": True, "passed": None}]})

    live: bool
    passed: bool | None
    figures: tuple[FigureView, ...]
    progress: RenderProgress | None
    temporal_url: str


class QuestionView(Contract):
    """A question put before reviewers. A verdict names its ``sha256``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "question_id": "3b1f0c9e7a5d42c8b6e0.1",
                    "render_id": "3b1f0c9e7a5d42c8b6e0",
                    "round": 1,
                    "title": "Third quarter, to all",
                    "state": "open",
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "passed": True,
                    "segments": 12,
                }
            ]
        }
    )

    question_id: str
    render_id: str | None
    """The render it is about, or"""
    track_id: str | None
    """the track."""
    round: int
    title: str
    state: QuestionState
    sha256: str
    passed: bool
    segments: int
    parts: tuple[str, ...]
    """What changes can be asked of by number, where that is not sentences."""
    figures: tuple[FigureView, ...]
    video_url: str
    audio_url: str
    """Empty where there is nothing to hear apart from the video."""
    thumbnail_url: str
    verdicts: tuple[Verdict, ...]
    created_at: datetime | None


def figures_of(figures: tuple[Figure, ...]) -> tuple[FigureView, ...]:
    """Figures with their judgement."""
    return tuple(FigureView.model_validate(figure.model_dump()) for figure in figures)


def render_summary(row: Render) -> RenderSummary:
    """A row for a list; its request is not loaded."""
    progress = row.progress
    return RenderSummary(
        **_common(row), state=row.state, done=progress.done if progress else 0, total=_total(progress, 0)
    )


def render_view(row: Render, progress: RenderProgress | None, *, live: bool, temporal_url: str) -> RenderView:
    """A render with ``progress``, which is newer than the row's when it is live."""
    figures = progress.figures if progress else ()
    return RenderView(
        **_common(row),
        state=progress.state if progress else row.state,
        done=progress.done if progress else 0,
        total=_total(progress, len(row.request.segments)),
        live=live,
        passed=all(figure.holds for figure in figures) if figures else None,
        figures=figures_of(figures),
        progress=progress,
        temporal_url=temporal_url,
    )


def _total(progress: RenderProgress | None, otherwise: int) -> int:
    return len(progress.steps) if progress else otherwise


def _common(row: Render) -> dict[str, Any]:
    names = ("title", "persona", "channel", "requested_by", "parent", "script", "script_version")
    times = {"created_at": row.created_at, "updated_at": row.updated_at}
    return {"render_id": row.id, **{name: getattr(row, name) for name in names}, **times}


async def look(studio: Services, row: Render) -> RenderView:
    """The render as it is now: asked of the workflow while it runs, read from the tables when it has ended or cannot be
    asked. An end is told once it is recorded, so that whoever hears of it finds it ended wherever they ask next."""
    progress, live = row.progress, False
    if row.dispatched_at is not None and not row.state.final:
        try:
            now = await studio.renders.progress(row.id)
        except (TemporalUnavailable, Conflict):
            now = None
        if now is not None and now.state.final:
            row = await studio.store.get(Render, row.id)
            progress = row.progress
        elif now is not None:
            progress, live = now, True
    return render_view(row, progress, live=live, temporal_url=studio.temporal_url(row.id))


def question_view(studio: Services, row: ApprovalQuestion, verdicts: tuple[VerdictRecord, ...]) -> QuestionView:
    """A question with signed links to what it is about."""
    question: Question = row.question
    return QuestionView(
        question_id=row.id,
        render_id=row.render_id,
        track_id=row.track_id,
        round=row.round,
        title=question.title,
        state=row.state,
        sha256=question.video.sha256,
        passed=question.passed,
        segments=question.segments,
        parts=question.parts,
        figures=figures_of(question.figures),
        video_url=studio.blobs.url(question.video, seconds=LINK_SECONDS, filename=f"{quote(row.id)}.mp4"),
        audio_url=studio.blobs.url(question.audio, seconds=LINK_SECONDS) if question.audio else "",
        thumbnail_url=studio.blobs.url(question.thumbnail, seconds=LINK_SECONDS),
        verdicts=tuple(verdict.verdict() for verdict in verdicts),
        created_at=row.created_at,
    )
