"""The mixing stage: music and sung sections in; master, instrumental, stems and timings out."""

from collections.abc import Mapping

from temporalio import activity

from activities.mixing.base import MixingEngine, Session, StemFile, SungSection
from activities.support.stage import Bench, Stages, choose
from models.music import SungTiming
from models.song_stages import MixRequest, MixResult, PlacedPart, Stem

_WAV = "audio/wav"


class MixingActivities:
    """Mixes with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, MixingEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="mixing.mix")
    async def mix(self, request: MixRequest) -> MixResult:
        """Mix and master the song."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> MixResult:
            session = Session(
                genre=request.genre,
                music=bench.fetch(request.music),
                stems=tuple(StemFile(stem.name, bench.fetch(stem.audio)) for stem in request.stems),
                vocals=tuple(_section(bench, placed) for placed in request.vocals),
                grid=request.grid,
                seed=request.seed,
            )
            mixed = engine.mix(session, bench.folder, bench.progress)
            milliseconds = round(mixed.duration * 1000)
            return MixResult(
                master=bench.put(mixed.master, _WAV, milliseconds),
                instrumental=bench.put(mixed.instrumental, _WAV, milliseconds),
                vocal=bench.put(mixed.vocal, _WAV, milliseconds),
                stems=tuple(
                    Stem(name=stem.name, audio=bench.put(stem.wav, _WAV, milliseconds)) for stem in mixed.stems
                ),
                timing=bench.put_text("timing.json", mixed.timing.model_dump_json()),
                melody=bench.put(mixed.melody, "application/x-npy"),
                duration_ms=milliseconds,
            )

        return await self._stages.run(request, engine, MixResult, work)


def _section(bench: Bench, placed: PlacedPart) -> SungSection:
    part = placed.part
    return SungSection(
        at_ms=placed.at_ms,
        lead_in_ms=part.lead_in_ms,
        lead=bench.fetch(part.lead),
        doubles=tuple(bench.fetch(double) for double in part.doubles),
        harmonies=tuple(bench.fetch(harmony) for harmony in part.harmonies),
        timing=bench.read(part.timing, SungTiming),
        melody=bench.fetch(part.melody),
    )
