"""The music video stage: the master, its analysis, words and cover in, one shape's video out."""

import json
from collections.abc import Mapping

from temporalio import activity

from activities.musicvideo.base import MusicVideoEngine, VideoBrief
from activities.support.stage import Bench, Stages, choose
from models.music import SoundAnalysis, SungTiming
from models.song_stages import MusicVideoRequest, MusicVideoResult


class MusicVideoActivities:
    """Draws with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, MusicVideoEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="musicvideo.draw")
    async def draw(self, request: MusicVideoRequest) -> MusicVideoResult:
        """Draw the video of one shape."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> MusicVideoResult:
            brief = VideoBrief(
                shape=request.shape,
                fps=request.fps,
                artist=request.artist,
                title=request.title,
                palette=request.palette,
                motif=request.motif,
                genre=request.genre,
                master=bench.fetch(request.master),
                analysis=bench.read(request.analysis, SoundAnalysis),
                timing=bench.read(request.timing, SungTiming),
                cover=bench.fetch(request.cover),
                plates=tuple(bench.fetch(plate) for plate in request.plates),
                seed=request.seed,
            )
            film = engine.draw(brief, bench.folder, bench.progress)
            return MusicVideoResult(
                video=bench.put(film.video, "video/mp4", round(film.duration * 1000)),
                thumbnail=bench.put(film.thumbnail, "image/jpeg"),
                cuts=bench.put_text("cuts.json", json.dumps(list(film.cuts))),
            )

        return await self._stages.run(request, engine, MusicVideoResult, work, stall_after=300)
