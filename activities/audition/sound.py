"""The master, decoded once: loudness, peaks, silences and clipping by the studio's own meter (never the mixer's), and a
mono copy for tempo and print."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from activities.audition.tempo import TEMPO_RATE
from activities.quality.loudness import LoudnessMeter
from activities.support.engine import Progress
from models.errors import MediaRejected

_FULL_SCALE = 1 - 2**-15
_SILENT_DB = -60.0
_FRAMES_A_SECOND = 50
_BLOCK_SECONDS = 2


@dataclass(frozen=True)
class MasterHeard:
    """``mono`` at ``TEMPO_RATE``; ``loudness`` in LUFS and ``true_peak`` in dBTP, None for silence; ``clipped`` counts
    samples at full scale; the longest ``silence`` inside and where it begins, in seconds."""

    mono: NDArray[np.float32]
    seconds: float
    loudness: float | None
    true_peak: float | None
    clipped: int
    silence: float
    silent_at: float


def hear_master(wav: Path, progress: Progress) -> MasterHeard:
    """Read ``wav`` in blocks. Raises MediaRejected when it cannot be read or is empty."""
    try:
        with sf.SoundFile(wav) as file:
            if not file.frames:
                raise MediaRejected("The master holds no sound.", field="master")
            return _heard(file, progress)
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"The master is not readable sound: {error}.", field="master") from error


def _heard(file: sf.SoundFile, progress: Progress) -> MasterHeard:
    rate = file.samplerate
    meter = LoudnessMeter(rate, file.channels)
    resampler = soxr.ResampleStream(rate, TEMPO_RATE, 1, dtype="float32")
    frame = rate // _FRAMES_A_SECOND
    mono, powers, clipped = [], [], 0
    total = -(-file.frames // (frame * _FRAMES_A_SECOND * _BLOCK_SECONDS))
    blocks = file.blocks(frame * _FRAMES_A_SECOND * _BLOCK_SECONDS, dtype="float32", always_2d=True)
    for number, block in enumerate(blocks, start=1):
        meter.add(block)
        mono.append(resampler.resample_chunk(np.ascontiguousarray(block.mean(axis=1))))
        clipped += int((np.abs(block) >= _FULL_SCALE).sum())
        whole = block[: len(block) // frame * frame].reshape(-1, frame * file.channels)
        powers.append(np.square(whole).mean(axis=1))
        progress(number, total)
    meter.close()
    mono.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    silence, silent_at = _longest_silence(np.concatenate(powers))
    return MasterHeard(
        mono=np.concatenate(mono),
        seconds=file.frames / rate,
        loudness=meter.integrated,
        true_peak=meter.true_peak,
        clipped=clipped,
        silence=silence,
        silent_at=silent_at,
    )


def _longest_silence(powers: NDArray[np.float32]) -> tuple[float, float]:
    """Seconds of the longest silence between sounds, and where it begins."""
    sounding = np.flatnonzero(powers > 10 ** (_SILENT_DB / 10))
    if len(sounding) < 2:
        return 0.0, 0.0
    gaps = np.diff(sounding) - 1
    longest = int(gaps.argmax())
    return int(gaps[longest]) / _FRAMES_A_SECOND, (int(sounding[longest]) + 1) / _FRAMES_A_SECOND
