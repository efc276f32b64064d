"""The speech stage: an utterance in, a WAV and its timings out."""

from collections.abc import Mapping

from temporalio import activity

from activities.speech.base import SpeechEngine, Voice
from activities.support.stage import Bench, Stages, choose
from models.stages import SpeechRequest, SpeechResult


class SpeechActivities:
    """Speaks with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, SpeechEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="speech.speak")
    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Speak ``request.utterance``."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> SpeechResult:
            latents = bench.fetch(request.voice.latents) if request.voice.latents else None
            voice = Voice(request.voice.name, latents)
            spoken = engine.speak(request.utterance, voice, request.seed, bench.folder / "speech.wav", bench.progress)
            milliseconds = round(spoken.duration * 1000)
            known = spoken.alignment
            return SpeechResult(
                audio=bench.put(spoken.wav, "audio/wav", milliseconds),
                alignment=bench.put_text("alignment.json", known.model_dump_json()) if known else None,
                duration_ms=milliseconds,
            )

        return await self._stages.run(request, engine, SpeechResult, work)
