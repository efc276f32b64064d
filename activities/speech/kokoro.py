"""Kokoro-82M on ONNX Runtime: the default voice. Phoneme timings come from the model's own durations; rate, emphasis,
pitch and pauses are applied to durations, melody and samples between the parts of the graph."""

from pathlib import Path

from activities.speech.base import Spoken, Voice
from activities.speech.kokoro_graph import FloatArray, KokoroGraph
from activities.speech.kokoro_line import Line, Placed, join, lines_of, perform
from activities.speech.kokoro_model import KokoroModel
from activities.speech.kokoro_voices import SAMPLE_RATE, VOICES
from activities.speech.normalise import speakable
from activities.speech.sound import write_wav
from activities.support.engine import Progress
from models.alignment import Alignment
from models.errors import ScriptRejected
from models.lanes import Lane
from models.plan import Capability, EngineRef
from models.script import Utterance

NAME = "kokoro"
VERSION = "1"
"""Counts changes to what the same text sounds like, the pinned voices included."""
DEFAULT_VOICE = "bf_emma"


class KokoroEngine:
    """Speaks English with the stock voices. Thread-safe; one core a call.

    ``model`` is an operator's own ONNX export of Kokoro-82M v1.0, or None for the packaged one; ``voices_dir`` holds
    the style files; ``cache_dir`` keeps the cut graph (about 90 MB), made at the first start.
    """

    def __init__(self, model: Path | None, voices_dir: Path, cache_dir: Path) -> None:
        self._model = KokoroModel(model, voices_dir, cache_dir)

    @property
    def ref(self) -> EngineRef:
        """The engine and the hash of its model. The style files are pinned by the version."""
        return EngineRef(
            capability=Capability.SPEECH, name=NAME, version=VERSION, lane=Lane.CPU, weights=self._model.sha256
        )

    def voices(self) -> tuple[str, ...]:
        """The stock voices whose style files are there; :data:`~activities.speech.kokoro_voices.CATALOGUE` describes
        them."""
        return self._model.voices()

    def prepare(self) -> None:
        """Load the model, cutting its graph where that was not done yet. Raises EngineUnavailable."""
        _ = self._model.graph

    def speak(
        self,
        utterance: Utterance,
        voice: Voice,
        seed: int,  # noqa: ARG002 - the model draws nothing at random
        out: Path,
        progress: Progress,
    ) -> Spoken:
        """See :class:`~activities.speech.base.SpeechEngine`. One unit of progress a line of at most 250 phonemes."""
        if utterance.language.split("-")[0] != "en":
            raise ScriptRejected(
                f'Kokoro speaks English, not "{utterance.language}".',
                field="language",
                action="Set the script's language to en, en-US or en-GB, or choose another engine.",
            )
        styles = self._model.styles(voice.name)
        words = self._model.phonemisers[VOICES[voice.name].accent].phonemise(speakable(utterance))
        graph = self._model.graph
        lines = lines_of(words)
        placed: list[Placed] = []
        for done, line in enumerate(lines, start=1):
            placed.append(self._perform(graph, line, styles))
            progress(done, len(lines))
        samples, timings = join(placed, utterance.pause_after_ms)
        write_wav(out, samples, SAMPLE_RATE)
        duration = len(samples) / SAMPLE_RATE
        alignment = Alignment(words=timings, duration=duration, source=NAME)
        return Spoken(wav=out, sample_rate=SAMPLE_RATE, duration=duration, alignment=alignment)

    def _perform(self, graph: KokoroGraph, line: Line, styles: FloatArray) -> Placed:
        tokens = self._model.tokens(line.text)
        return perform(graph, line, tokens, styles[min(len(tokens) - 2, len(styles)) - 1])
