"""What a film needs besides its segments: its sound, mixed and listened to as soon as everything is spoken, its cards,
and at the end the joining and the figures."""

from activities.compositing.stage import CompositingActivities
from activities.quality.stage import QualityActivities
from models.artifacts import Artifact
from models.render import RenderRequest
from models.stages import (
    AssembleRequest,
    CardRequest,
    CheckRequest,
    FilmFiles,
    HearRequest,
    SoundtrackRequest,
)
from models.upkeep import FinishedFilms
from workflows.stages import StageRunner
from workflows.timeline import Timeline

Pictures = tuple[Artifact, ...]
"""One per shape of the layout."""


class Cutting:
    """The stages of one film."""

    def __init__(self, request: RenderRequest, timeline: Timeline, stages: StageRunner) -> None:
        self._request = request
        self._timeline = timeline
        self._stages = stages

    async def sound(self) -> tuple[Artifact, Artifact]:
        """The mastered sound, and what is heard in it (JSON ``Hearing``)."""
        request, segments = self._request, await self._timeline.spoken()
        mix = SoundtrackRequest(
            work_id=request.render_id,
            engine=request.plan.compositing,
            segments=segments,
            layout=request.layout.sound(),
        )
        sound = (await self._stages.run(CompositingActivities.soundtrack, mix, "Mix the sound")).sound
        listen = HearRequest(
            work_id=request.render_id,
            engine=request.plan.quality,
            sound=sound,
            segments=segments,
            layout=request.layout.sound(),
            language=request.language,
        )
        return sound, (await self._stages.run(QualityActivities.hear, listen, "Listen to the finished sound")).hearing

    async def card(self, *, opening: bool) -> Pictures:
        """The intro or outro card, once the segment beside it is drawn; nothing where the layout has none."""
        request, layout = self._request, self._request.layout
        card = layout.intro if opening else layout.outro
        if card is None:
            return ()
        draw = CardRequest(
            work_id=request.render_id,
            engine=request.plan.compositing,
            card=card,
            opening=opening,
            brand=layout.brand,
            fps=layout.fps,
            shapes=layout.shapes,
            beside=await self._timeline.drawn(0 if opening else len(request.segments) - 1),
        )
        title = f"Draw the {'intro' if opening else 'outro'} card"
        return (await self._stages.run(CompositingActivities.card, draw, title)).pictures

    async def joined(
        self, records: tuple[Artifact, ...], sound: Artifact, intro: Pictures, outro: Pictures
    ) -> tuple[FilmFiles, ...]:
        """One film per shape."""
        request = self._request
        join = AssembleRequest(
            work_id=request.render_id,
            engine=request.plan.compositing,
            records=records,
            sound=sound,
            intro=intro,
            outro=outro,
            layout=request.layout,
        )
        return (await self._stages.run(CompositingActivities.assemble, join, f"Join {len(records)} segments")).films

    async def checked(
        self, films: tuple[FilmFiles, ...], records: tuple[Artifact, ...], hearing: Artifact
    ) -> FinishedFilms:
        """The films with the figures of the first."""
        request = self._request
        measure = CheckRequest(
            work_id=request.render_id,
            engine=request.plan.quality,
            film=films[0],
            records=records,
            hearing=hearing,
            layout=request.layout,
            thresholds=request.thresholds,
            language=request.language,
        )
        check = await self._stages.run(QualityActivities.check, measure, "Measure the finished film")
        return FinishedFilms(films=films, figures=check.figures, report=check.report)
