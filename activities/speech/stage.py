"""The speech stages: an utterance in, a WAV and its timings out; a recording in, a WAV for each sentence out."""

from collections.abc import Mapping

from temporalio import activity

from activities.speech.base import CuttingEngine, EnrollingEngine, SpeechEngine, Voice
from activities.support.stage import Bench, Stages, choose
from models.errors import InvalidInput
from models.stages import CutRequest, CutResult, EnrolRequest, EnrolResult, SpeechRequest, SpeechResult


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

    @activity.defn(name="speech.cut")
    async def cut(self, request: CutRequest) -> CutResult:
        """Cut ``request.recording`` into its sentences."""
        engine = choose(self._engines, request)
        if not isinstance(engine, CuttingEngine):
            raise InvalidInput(
                f"{request.engine.name} speaks, and cannot cut a recording",
                field="engine",
                code="recording.engine",
                action="Ask for the render again, with a recording and no speech engine.",
            )

        def work(bench: Bench) -> CutResult:
            recording = bench.fetch(request.recording)
            pieces = engine.cut(recording, request.sentences, request.language, bench.folder, bench.progress)
            return CutResult(
                sentences=tuple(bench.put(piece.wav, "audio/wav", round(piece.duration * 1000)) for piece in pieces)
            )

        return await self._stages.run(request, engine, CutResult, work)

    @activity.defn(name="speech.enrol")
    async def enrol(self, request: EnrolRequest) -> EnrolResult:
        """Learn a voice from ``request.samples``."""
        engine = choose(self._engines, request)
        if not isinstance(engine, EnrollingEngine):
            raise InvalidInput(
                f"{request.engine.name} speaks with stock voices only",
                field="engine",
                code="voice.not_enrollable",
                action="Save the voice with an engine that learns voices, such as xtts.",
            )

        def work(bench: Bench) -> EnrolResult:
            samples = [bench.fetch(sample) for sample in request.samples]
            learnt = engine.enrol(samples, bench.folder / "voice.safetensors")
            return EnrolResult(latents=bench.put(learnt.latents, "application/vnd.safetensors"), seconds=learnt.seconds)

        return await self._stages.run(request, engine, EnrolResult, work, stall_after=600)
