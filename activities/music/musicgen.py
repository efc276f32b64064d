"""MusicGen (transformers) from a directory that the operator supplies: music from words, in windows that each go on
from the end of the one before."""

import hashlib
import math
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.music.base import Composition
from activities.music.hosted import RATE, described
from activities.support.engine import Progress
from activities.support.torchaudio import let_torchaudio_import
from models.errors import EngineFailed, EngineUnavailable
from models.lanes import Lane
from models.music import SongPlan
from models.plan import Capability, EngineRef

NAME = "musicgen"
VERSION = "1"
WINDOW_SECONDS: Final = 30.0
"""What the model was trained to write at once (Copet et al. 2023, section 3)."""
_KEPT: Final = 1 / 3
"""The share of a window that the next one is given to go on from."""
_GUIDANCE: Final = 3.0
_PEAK: Final = 0.7


class MusicgenEngine:
    """Music by MusicGen. ``directory`` holds a checkpoint in transformers' layout; ``device`` as torch names it. One
    call at a time: torch's generator is one for the process."""

    def __init__(self, directory: Path | None, device: str = "cuda", window_seconds: float = WINDOW_SECONDS) -> None:
        self._directory = directory
        self._device = device
        self._window = window_seconds
        self._lock = threading.Lock()

    @property
    def ref(self) -> EngineRef:
        """The engine and the sha256 over its checkpoint. Raises EngineUnavailable without one."""
        return EngineRef(
            capability=Capability.MUSIC, name=NAME, version=VERSION, lane=Lane.GPU, weights=self._weights_sha256
        )

    def compose(self, plan: SongPlan, seed: int, folder: Path, progress: Progress) -> Composition:
        """See :class:`~activities.music.base.MusicEngine`. One unit of progress a window. No stems, no score."""
        mix = folder / "mix.wav"
        self._checkpoint()
        import torch  # noqa: PLC0415 - gigabytes that only this engine needs

        with self._lock:
            # Before the seed: making a model draws from the same generator.
            _ = self._model, self._tokenizer
        with self._lock, torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(seed)
            samples = self._write(described(plan), plan.duration_ms / 1000, progress)
        loudest = float(np.abs(samples).max())
        if not math.isfinite(loudest) or loudest <= 0:
            raise EngineFailed("MusicGen wrote no sound.", code="engine.musicgen_failed")
        stereo = soxr.resample(samples * (_PEAK / loudest), self._rate, RATE)
        if stereo.shape[1] == 1:
            stereo = np.repeat(stereo, 2, axis=1)
        sf.write(mix, stereo, RATE, subtype="PCM_16")
        return Composition(mix=mix, seconds=len(stereo) / RATE, source=NAME)

    def _write(self, words: str, seconds: float, progress: Progress) -> NDArray[np.float32]:
        """``seconds`` of music: [samples, channels] at the model's rate."""
        import torch  # noqa: PLC0415

        asked = self._tokenizer([words], return_tensors="pt").to(self._device)
        frames_per_second = self._model.config.audio_encoder.frame_rate
        step = self._window * (1 - _KEPT)
        windows = 1 + max(0, math.ceil((seconds - self._window) / step))
        written = torch.zeros(0)
        for done in range(windows):
            before: dict[str, Any] = {}
            length = self._window
            if done:
                kept = written[:, -round(self._window * _KEPT * self._rate) :]
                before = {"input_values": kept[None].to(self._device)}
                length = step
            made = self._model.generate(
                **asked,
                **before,
                do_sample=True,
                guidance_scale=_GUIDANCE,
                max_new_tokens=math.ceil(length * frames_per_second) + self._model.decoder.num_codebooks,
            )[0].cpu()
            new = made[:, kept.shape[1] :] if done else made
            written = torch.cat([written, new], dim=1) if done else new
            progress(done + 1, windows)
        return written[:, : round(seconds * self._rate)].T.to(torch.float32).numpy()

    @cached_property
    def _model(self) -> Any:
        path = self._checkpoint()
        let_torchaudio_import()
        from transformers import MusicgenForConditionalGeneration  # noqa: PLC0415

        try:
            model: Any = MusicgenForConditionalGeneration.from_pretrained(path, local_files_only=True)
            return model.to(self._device).eval()
        except (OSError, ValueError, RuntimeError) as error:
            raise _unavailable(f"MusicGen cannot be loaded: {str(error)[:300]}") from error

    @cached_property
    def _tokenizer(self) -> Any:
        let_torchaudio_import()
        from transformers import AutoTokenizer  # noqa: PLC0415

        try:
            return AutoTokenizer.from_pretrained(self._checkpoint(), local_files_only=True)
        except (OSError, ValueError) as error:
            raise _unavailable(f"MusicGen's tokenizer cannot be loaded: {str(error)[:300]}") from error

    @property
    def _rate(self) -> int:
        return int(self._model.config.audio_encoder.sampling_rate)

    def _checkpoint(self) -> Path:
        if self._directory is None or not (self._directory / "config.json").is_file():
            raise _unavailable("MusicGen's directory is not there.")
        return self._directory

    @cached_property
    def _weights_sha256(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(path for path in self._checkpoint().iterdir() if path.suffix in {".json", ".safetensors"}):
            with path.open("rb") as file:
                digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def _unavailable(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message, field="MUSICGEN_DIR", action="Point MUSICGEN_DIR at a MusicGen checkpoint, such as musicgen-small."
    )
