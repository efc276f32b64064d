"""The lipsync stage: curves before the avatar is drawn, or a redrawn mouth after."""

from collections.abc import Mapping

from temporalio import activity

from activities.lipsync.base import CurveEngine, FrameEngine
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.stages import AvatarResult, LipsyncRequest, LipsyncResult, ResyncRequest


class LipsyncActivities:
    """Moves mouths with the engines of its worker."""

    def __init__(
        self, stages: Stages, curve_engines: Mapping[str, CurveEngine], frame_engines: Mapping[str, FrameEngine]
    ) -> None:
        self._stages = stages
        self._curve_engines = curve_engines
        self._frame_engines = frame_engines

    @activity.defn(name="lipsync.curves")
    async def curves(self, request: LipsyncRequest) -> LipsyncResult:
        """Mouth curves of one segment."""
        engine = choose(self._curve_engines, request)

        def work(bench: Bench) -> LipsyncResult:
            alignment = bench.read(request.alignment, Alignment)
            out = bench.folder / "curves.npy"
            frames = engine.curves(alignment, bench.fetch(request.audio), request.fps, request.seed, out)
            return LipsyncResult(curves=bench.put(out, "application/x-npy"), frames=frames)

        return await self._stages.run(request, engine, LipsyncResult, work)

    @activity.defn(name="lipsync.resync")
    async def resync(self, request: ResyncRequest) -> AvatarResult:
        """The clip with its mouth redrawn to fit the speech."""
        engine = choose(self._frame_engines, request)

        def work(bench: Bench) -> AvatarResult:
            out = bench.folder / "clip.mp4"
            clip, audio = bench.fetch(request.clip.video), bench.fetch(request.audio)
            frames = engine.resync(clip, audio, request.clip.fps, out, bench.progress)
            video = bench.put(out, "video/mp4", round(1000 * frames / request.clip.fps))
            return AvatarResult(clip=request.clip.model_copy(update={"video": video, "frames": frames}))

        return await self._stages.run(request, engine, AvatarResult, work)
