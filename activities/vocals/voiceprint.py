"""The speaker embedding by which voices are told apart: Resemblyzer, whose weights come in its package."""

import threading
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from activities.speech.kokoro_graph import FloatArray
from models.errors import EngineUnavailable

_RATE = 16_000
_LEVEL = 0.03
"""RMS at which Resemblyzer's training speech lies (-30 dBFS)."""


class Listener:
    """Embeds voices. Thread-safe; loads at the first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder: Any = None

    def embed(self, samples: FloatArray, rate: int) -> NDArray[np.float32]:
        """The embedding of a voice heard in ``samples`` (mono): 256 numbers of unit length.

        Raises EngineUnavailable when the package is not installed.
        """
        heard = soxr.resample(samples, rate, _RATE)
        level = float(np.sqrt(np.mean(heard.astype(np.float64) ** 2)))
        with self._lock:
            embedding: NDArray[np.float32] = self._loaded().embed_utterance(heard * (_LEVEL / max(level, 1e-6)))
        return embedding

    def _loaded(self) -> Any:
        if self._encoder is None:
            try:
                from resemblyzer import VoiceEncoder  # noqa: PLC0415 - loads torch, seconds that only casting needs
            except ModuleNotFoundError as error:
                raise EngineUnavailable(
                    f"The package {error.name} is not installed.",
                    action="Install the packages of the pinned lock again.",
                ) from error
            self._encoder = VoiceEncoder("cpu", verbose=False)
        return self._encoder
