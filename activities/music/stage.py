"""The music stage: a plan in; a recording, its stems and its score out."""

from collections.abc import Mapping

from temporalio import activity

from activities.music.base import MusicEngine
from activities.support.stage import Bench, Stages, choose
from models.song_stages import ComposeSongRequest, ComposeSongResult, Stem


class MusicActivities:
    """Composes with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, MusicEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="music.compose")
    async def compose(self, request: ComposeSongRequest) -> ComposeSongResult:
        """Compose ``request.plan``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> ComposeSongResult:
            made = engine.compose(request.plan, request.seed, bench.folder, bench.progress)
            milliseconds = round(made.seconds * 1000)
            return ComposeSongResult(
                audio=bench.put(made.mix, "audio/wav", milliseconds),
                stems=tuple(
                    Stem(name=name, audio=bench.put(path, "audio/wav", milliseconds))
                    for name, path in made.stems.items()
                ),
                score=bench.put_text("score.json", made.score.model_dump_json()) if made.score else None,
                duration_ms=milliseconds,
                source=made.source,
            )

        return await self._stages.run(request, engine, ComposeSongResult, work)
