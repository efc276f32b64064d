"""The avatar stage: curves and speech in, a clip of the performing subject out."""

from collections.abc import Mapping

from temporalio import activity

from activities.avatar.base import AvatarEngine, Performance, Subject
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.stages import AvatarRequest, AvatarResult, ClipRef


class AvatarActivities:
    """Draws with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, AvatarEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="avatar.perform")
    async def perform(self, request: AvatarRequest) -> AvatarResult:
        """Draw one segment."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AvatarResult:
            performance = Performance(
                curves=bench.fetch(request.curves),
                wav=bench.fetch(request.audio),
                alignment=bench.read(request.alignment, Alignment),
                tone=request.tone,
                fps=request.fps,
                seed=request.seed,
            )
            photo = bench.fetch(request.subject.photo) if request.subject.photo else None
            subject = Subject(request.subject.look, photo)
            clip = engine.perform(performance, subject, request.height, bench.folder / "clip.mp4", bench.progress)
            video = bench.put(clip.path, "video/mp4", round(1000 * clip.frames / clip.fps))
            return AvatarResult(
                clip=ClipRef(
                    video=video,
                    width=clip.width,
                    height=clip.height,
                    frames=clip.frames,
                    fps=clip.fps,
                    matte=clip.matte,
                )
            )

        return await self._stages.run(request, engine, AvatarResult, work)
