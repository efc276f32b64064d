"""The vocal stages: a section's lines in, takes, timing and melody out; the voices of a house in, another one out."""

from collections.abc import Mapping
from pathlib import Path

from temporalio import activity

from activities.support.stage import Bench, Stages, choose
from activities.vocals.base import VocalEngine
from models.artifacts import Artifact
from models.song_stages import CastRequest, CastResult, SingRequest, SingResult, SungPart, VoicePrint, VoicePrints


class VocalActivities:
    """Sings with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, VocalEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="vocals.sing")
    async def sing(self, request: SingRequest) -> SingResult:
        """Sing ``request.lines``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> SingResult:
            sung = engine.sing(
                request.lines,
                request.tempo_bpm,
                request.key,
                request.voice,
                request.language,
                request.delivery,
                request.support,
                request.seed,
                bench.folder,
                bench.progress,
            )

            def put(path: Path) -> Artifact:
                return bench.put(path, "audio/wav", round(sung.duration * 1000))

            return SingResult(
                part=SungPart(
                    lead=put(sung.lead),
                    doubles=tuple(map(put, sung.doubles)),
                    harmonies=tuple(map(put, sung.harmonies)),
                    lead_in_ms=sung.lead_in_ms,
                    timing=bench.put_text("timing.json", sung.timing.model_dump_json()),
                    melody=bench.put(sung.melody, "application/octet-stream"),
                )
            )

        return await self._stages.run(request, engine, SingResult, work)

    @activity.defn(name="vocals.cast")
    async def cast(self, request: CastRequest) -> CastResult:
        """Find a voice unlike ``request.others``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> CastResult:
            found = engine.cast(bench.read(request.others, VoicePrints), request.seed, bench.folder, bench.progress)
            print_ = VoicePrint(artist=request.name, embedding=found.embedding)
            return CastResult(
                voice=found.voice,
                sample=bench.put(found.sample, "audio/wav", round(found.duration * 1000)),
                print=bench.put_text("print.json", print_.model_dump_json()),
                nearest=found.nearest,
            )

        return await self._stages.run(request, engine, CastResult, work)
