"""Head, gaze, blinks, brows and breath of one spoken segment, from its sound and words. Apart from the renderers so
that the presenter and the portrait move alike, and apart from lipsync because none of this is the mouth."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import resample_poly

from activities.avatar.base import Performance
from activities.lipsync.base import ARKIT
from models.alignment import Alignment, WordTiming
from models.errors import EngineFailed, MediaRejected
from models.script import Tone

Floats = NDArray[np.float32]
Signal = NDArray[np.float64]

COLUMN: dict[str, int] = {name: column for column, name in enumerate(ARKIT)}
"""Column of each ARKit blendshape in ``Motion.face`` and in a curves file."""

HEAD_LIMITS: tuple[float, float, float] = (0.12, 0.08, 0.05)
"""Largest absolute yaw, pitch and roll in radians."""
HEAD_SPEED = 0.6
"""Largest change of any head angle, in radians a second."""
GAZE_RANGE = 0.52
"""Eye rotation in radians at an ``eyeLook*`` value of 1 (30 degrees)."""

_PROSODY_RATE = 8_000
_HOP = 0.010
_WINDOW = 0.040
_F0_BAND = (65.0, 400.0)
_VOICED = 0.45
_PAUSE = 0.12
_BREATH_PAUSE = 0.25
_SETTLE = 0.40


@dataclass(frozen=True)
class Motion:
    """How a subject moves, one row a frame.

    ``face`` is float32 [frames, 52] in ``ARKIT`` order, 0..1: the mouth of the performance with blinks, brows and gaze.
    ``head`` is float32 [frames, 3]: yaw, pitch and roll in radians within ``HEAD_LIMITS``; positive yaw turns to the
    subject's left, positive pitch nods down, positive roll tilts to the subject's left shoulder. ``breath`` is float32
    [frames], 0 (out) to 1 (in). First and last frame are neutral.
    """

    face: Floats
    head: Floats
    breath: Floats


@dataclass(frozen=True)
class _Manner:
    """How a tone moves. Gains multiply, the rest are blendshape values or probabilities."""

    nod: float
    brow: float
    wander: float
    aside: float
    """Probability that a pause moves the gaze away from the viewer."""
    rest: dict[str, float]
    """The expression held while speaking."""


_MANNERS = {
    Tone.CONFIDENT: _Manner(
        1.0,
        1.0,
        1.0,
        0.25,
        {"mouthSmileLeft": 0.07, "mouthSmileRight": 0.06, "cheekSquintLeft": 0.05, "cheekSquintRight": 0.05},
    ),
    Tone.ANALYTICAL: _Manner(
        0.7,
        0.8,
        0.9,
        0.55,
        {"browDownLeft": 0.10, "browDownRight": 0.08, "eyeSquintLeft": 0.08, "eyeSquintRight": 0.08},
    ),
    Tone.CAUTIOUS: _Manner(0.6, 0.7, 0.7, 0.45, {"browInnerUp": 0.14, "browDownLeft": 0.04, "browDownRight": 0.04}),
}


@dataclass(frozen=True)
class _Prosody:
    """Loudness in dB below the loudest moment and F0 in semitones above the speaker's median (0 where unvoiced)."""

    loudness: Signal
    tune: Signal

    def peak(self, contour: Signal, start: float, end: float) -> float:
        """The highest value of ``contour`` between two times in seconds."""
        first = min(int(start / _HOP), len(contour) - 1)
        return float(contour[first : max(first + 1, int(end / _HOP))].max())


@dataclass(frozen=True)
class _Accent:
    """A word that stands out: when its stressed vowel peaks (seconds), how much, and its F0's share (both 0..1)."""

    time: float
    strength: float
    tune: float


def move(performance: Performance) -> Motion:
    """The motion of one segment: deterministic in its arguments, natural in rate and speed, neutral at both ends.

    Raises EngineFailed for a curves file that is not [frames, 52], MediaRejected for a WAV that cannot be read.
    """
    mouth = _load_curves(performance.curves)
    frames = len(mouth)
    times = np.arange(frames) / performance.fps
    words = performance.alignment.words
    # The sentence is part of the seed: two sentences of a render, made with one seed, must not sway alike.
    text = " ".join(word.text for word in words)
    rng = np.random.default_rng((performance.seed, zlib.crc32(text.encode())))
    manner = _MANNERS[performance.tone]
    prosody = _analyse(performance.wav)
    accents = _accents(words, prosody)
    pauses = _pauses(performance.alignment, times[-1])
    settle = _settle(times)

    head = _head(times, accents, prosody, pauses, manner, rng, performance.fps)
    head = _slow(head * settle[:, None], performance.fps)
    asides = _asides(pauses, manner, rng)
    blinks = _blink_times(times, performance.fps, [start for start, _ in pauses], rng)
    face = np.zeros((frames, len(ARKIT)))
    _add_expression(face, times, accents, manner, rng)
    face *= settle[:, None]
    _add_gaze(face, _gaze(times, asides, rng) * settle[:, None], head)
    _add_blinks(face, times, blinks, rng)
    face += mouth * _edge(frames)[:, None]
    return Motion(
        face=np.clip(face, 0.0, 1.0).astype(np.float32),
        head=head.astype(np.float32),
        breath=(_breath(times, pauses) * settle).astype(np.float32),
    )


def _load_curves(path: Path) -> Floats:
    try:
        curves = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EngineFailed(f"The curves file {path.name} cannot be read: {error}", field="curves") from error
    if curves.ndim != 2 or curves.shape[1] != len(ARKIT) or len(curves) == 0:
        raise EngineFailed(
            f"The curves file {path.name} is {curves.shape}, not [frames, {len(ARKIT)}].", field="curves"
        )
    return np.asarray(curves, np.float32)


def _analyse(wav: Path) -> _Prosody:
    """Loudness and F0 every 10 ms. F0 is the peak of the windowed autocorrelation over the window's own (Boersma 1993,
    "Accurate short-term analysis of the fundamental frequency"), cheap enough to need no compiled tracker."""
    try:
        samples, rate = soundfile.read(wav, dtype="float64", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise MediaRejected(f"The speech file {wav.name} cannot be read: {error}", field="wav") from error
    divisor = int(np.gcd(rate, _PROSODY_RATE))
    signal = resample_poly(samples.mean(axis=1), _PROSODY_RATE // divisor, rate // divisor)
    size = int(_WINDOW * _PROSODY_RATE)
    padded = np.pad(signal, (size // 2, size))
    slices = np.lib.stride_tricks.sliding_window_view(padded, size)[:: int(_HOP * _PROSODY_RATE)]
    energy = (slices**2).mean(axis=1)
    loudness = 10.0 * np.log10(np.maximum(energy, 1e-12) / max(float(energy.max(initial=0.0)), 1e-12))
    pitch = _f0(slices, energy)
    voiced = pitch > 0
    if not voiced.any():
        return _Prosody(loudness, np.zeros_like(loudness))
    tune = np.zeros_like(pitch)
    tune[voiced] = 12.0 * np.log2(pitch[voiced] / np.median(pitch[voiced]))
    return _Prosody(loudness, np.clip(tune, -12.0, 12.0))


def _f0(slices: Signal, energy: Signal) -> Signal:
    size = slices.shape[1]
    window = np.hanning(size)
    points = 1 << (2 * size - 1).bit_length()
    own = np.fft.irfft(np.abs(np.fft.rfft(window, points)) ** 2)[:size]
    low, high = (int(_PROSODY_RATE / frequency) for frequency in reversed(_F0_BAND))
    pitch = np.zeros(len(slices))
    floor = energy.max(initial=0.0) * 1e-4
    for start in range(0, len(slices), 1_000):
        block = slices[start : start + 1_000]
        centred = (block - block.mean(axis=1, keepdims=True)) * window
        raw = np.fft.irfft(np.abs(np.fft.rfft(centred, points, axis=1)) ** 2, axis=1)[:, :size]
        strength = raw[:, low:high] / (own[low:high] / own[0]) / np.maximum(raw[:, :1], 1e-12)
        # Without a cost for long lags half of the true pitch scores as high as the pitch itself.
        strength = strength - 0.05 * np.log2(np.arange(low, high) / low)
        voiced = (strength.max(axis=1, initial=0.0) > _VOICED) & (energy[start : start + 1_000] > floor)
        pitch[start : start + 1_000] = np.where(voiced, _PROSODY_RATE / (low + strength.argmax(axis=1)), 0.0)
    smooth: Signal = median_filter(pitch, size=5, mode="nearest")
    return smooth


def _accents(words: tuple[WordTiming, ...], prosody: _Prosody) -> list[_Accent]:
    """The words that stand out in loudness, pitch and length from their neighbours, at least half a second apart."""
    if len(words) < 2:
        return [_Accent(_stressed(word), 0.5, 0.5) for word in words]
    loud = _standard([prosody.peak(prosody.loudness, word.start, word.end) for word in words])
    high = _standard([prosody.peak(prosody.tune, word.start, word.end) for word in words])
    long = _standard([min(word.end - word.start, 0.8) for word in words])
    score = 0.45 * loud + 0.55 * high + 0.4 * long
    chosen: list[_Accent] = []
    for index in np.argsort(-score, kind="stable"):
        if score[index] < 0.25:
            break
        time = _stressed(words[index])
        if all(abs(time - accent.time) >= 0.5 for accent in chosen):
            chosen.append(
                _Accent(time, float(np.clip(score[index] / 1.6, 0.3, 1.0)), float(np.clip(high[index], 0, 1.5)) / 1.5)
            )
    return sorted(chosen, key=lambda accent: accent.time)


def _standard(values: list[float]) -> Signal:
    array = np.array(values)
    standard: Signal = (array - array.mean()) / max(float(array.std()), 1e-6)
    return standard


def _stressed(word: WordTiming) -> float:
    """Middle of the word's stressed phoneme, or of the word where none is marked."""
    stressed = next((phoneme for phoneme in word.phonemes if phoneme.stress == 1), word)
    return (stressed.start + stressed.end) / 2


def _pauses(alignment: Alignment, end: float) -> list[tuple[float, float]]:
    """Silences between words (and before the first and after the last), as start and end in seconds."""
    edges = [0.0, *(time for word in alignment.words for time in (word.start, word.end)), end]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return [(start, stop) for start, stop in gaps if stop - start >= _PAUSE]


def _smoothstep(position: Signal) -> Signal:
    clipped: Signal = np.clip(position, 0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def _pulse(times: Signal, centre: float, rise: float, fall: float) -> Signal:
    """0 to 1 over ``rise`` seconds before ``centre`` and back over ``fall`` after it, without corners."""
    before = _smoothstep((times - centre + rise) / rise)
    pulse: Signal = np.where(times < centre, before, _smoothstep((centre + fall - times) / fall))
    return pulse


def _settle(times: Signal) -> Signal:
    """Weight of everything that must be gone at the first and last frame."""
    ramp = min(_SETTLE, times[-1] / 2) or 1.0
    return _smoothstep(times / ramp) * _smoothstep((times[-1] - times) / ramp)


def _edge(frames: int) -> Signal:
    """Closes the mouth in the very first and last frame; lipsync leaves it shut there, uploaded curves may not."""
    distance = np.minimum(np.arange(frames), np.arange(frames)[::-1])
    return np.clip(distance / 2.0, 0.0, 1.0)


def _wander(count: int, seconds: float, fps: int, rng: np.random.Generator) -> Signal:
    """Smooth noise of unit deviation that turns about every ``seconds``."""
    sigma = seconds * fps / 2.0
    margin = int(4 * sigma) + 1
    noise: Signal = gaussian_filter1d(rng.standard_normal(count + 2 * margin), sigma)[margin : margin + count]
    # The deviation of white noise after a Gaussian filter is known: dividing by the sample's own would make short
    # segments, which hold half a swing, wander as far as long ones.
    return noise * float(np.sqrt(2.0 * sigma * np.sqrt(np.pi)))


def _head(
    times: Signal,
    accents: list[_Accent],
    prosody: _Prosody,
    pauses: list[tuple[float, float]],
    manner: _Manner,
    rng: np.random.Generator,
    fps: int,
) -> Signal:
    """Yaw, pitch and roll: slow sway, a new posture after each pause, a nod on each accent, the chin up with F0."""
    count = len(times)
    yaw = 0.016 * manner.wander * _wander(count, 1.6, fps, rng)
    pitch = 0.008 * manner.wander * _wander(count, 1.3, fps, rng)
    roll = 0.008 * manner.wander * _wander(count, 1.9, fps, rng)
    posture = np.zeros(count)
    for start, end in pauses:
        turn = rng.uniform(-0.045, 0.045) * manner.wander
        blend = _smoothstep((times - start) / max(end - start, 0.6))
        posture = posture * (1 - blend) + turn * blend
    yaw += posture
    roll += 0.25 * posture
    tune = gaussian_filter1d(np.clip(prosody.tune, -5.0, 5.0), 0.15 / _HOP)
    pitch -= 0.002 * np.interp(times, np.arange(len(tune)) * _HOP, tune)
    for accent in accents:
        size = manner.nod * accent.strength * rng.uniform(0.8, 1.2)
        # The chin lifts slightly before it drops: a nod without it looks mechanical.
        pitch -= 0.008 * size * _pulse(times, accent.time - 0.18, 0.20, 0.16)
        pitch += 0.036 * size * _pulse(times, accent.time + 0.04, 0.20, 0.42)
        yaw += 0.010 * size * rng.uniform(-1, 1) * _pulse(times, accent.time + 0.08, 0.25, 0.5)
        roll += 0.012 * size * rng.uniform(-1, 1) * _pulse(times, accent.time + 0.06, 0.25, 0.5)
    head = np.stack([yaw, pitch, roll], axis=1)
    limits = np.array(HEAD_LIMITS)
    bounded: Signal = limits * np.tanh(head / limits)
    return bounded


def _slow(head: Signal, fps: int) -> Signal:
    """Smaller where an angle would change faster than ``HEAD_SPEED``: in segments too short for the sway they drew."""
    fastest = float(np.abs(np.diff(head, axis=0)).max(initial=0.0)) * fps
    return head * min(1.0, HEAD_SPEED / max(fastest, 1e-9))


def _add_expression(
    face: Signal, times: Signal, accents: list[_Accent], manner: _Manner, rng: np.random.Generator
) -> None:
    """The tone's resting expression, and brows that rise with the tune of an accent."""
    for name, value in manner.rest.items():
        face[:, COLUMN[name]] += value
    for accent in accents:
        lift = manner.brow * accent.strength * (0.35 + 0.65 * accent.tune) * rng.uniform(0.7, 1.1)
        if lift < 0.2:
            continue
        shape = lift * _pulse(times, accent.time, 0.20, 0.50)
        lean = rng.uniform(-0.12, 0.12)
        face[:, COLUMN["browInnerUp"]] += 0.34 * shape
        face[:, COLUMN["browOuterUpLeft"]] += (0.32 + lean) * shape
        face[:, COLUMN["browOuterUpRight"]] += (0.32 - lean) * shape
        face[:, COLUMN["eyeWideLeft"]] += 0.12 * shape
        face[:, COLUMN["eyeWideRight"]] += 0.12 * shape


def _asides(
    pauses: list[tuple[float, float]], manner: _Manner, rng: np.random.Generator
) -> list[tuple[float, float, float, float]]:
    """Looks away from the viewer while thinking: start and end in seconds, gaze yaw and pitch in eyeLook units."""
    found = []
    for start, end in pauses[1:-1]:
        chance, side, away, down, hold = rng.random(), rng.choice((-1.0, 1.0)), *rng.random(3)
        if chance < manner.aside:
            found.append((start - 0.05, end + 0.1 + 0.3 * hold, side * (0.10 + 0.14 * away), 0.02 + 0.12 * down))
    return found


def _gaze(times: Signal, asides: list[tuple[float, float, float, float]], rng: np.random.Generator) -> Signal:
    """Gaze [frames, 2] (yaw to the subject's left, pitch down, eyeLook units): fixations joined by micro-saccades."""
    gaze = np.zeros((len(times), 2))
    time = rng.uniform(0.3, 1.2)
    jumps = []
    while time < times[-1]:
        jumps.append((time, *np.clip(rng.normal(0.0, 0.022, 2), -0.05, 0.05)))
        time += rng.uniform(0.5, 1.7)
    for start, end, yaw, pitch in asides:
        jumps = [jump for jump in jumps if not start - 0.2 < jump[0] < end + 0.2]
        jumps += [(start, yaw, pitch), (end, 0.0, 0.0)]
    for start, yaw, pitch in sorted(jumps):
        # Saccade duration grows with its size, 20 to 60 ms at these sizes; one frame at 25 fps is 40 ms.
        blend = _smoothstep((times - start) / 0.06)[:, None]
        gaze = gaze * (1 - blend) + np.array([yaw, pitch]) * blend
    return gaze


def _add_gaze(face: Signal, gaze: Signal, head: Signal) -> None:
    """Write gaze to the eyeLook columns; the eyes turn against the head and so stay on the viewer."""
    yaw = gaze[:, 0] - head[:, 0] / GAZE_RANGE
    pitch = gaze[:, 1] - head[:, 1] / GAZE_RANGE
    left, right = np.maximum(yaw, 0), np.maximum(-yaw, 0)
    down, up = np.maximum(pitch, 0), np.maximum(-pitch, 0)
    for name, value in (
        ("eyeLookOutLeft", left),
        ("eyeLookInRight", left),
        ("eyeLookInLeft", right),
        ("eyeLookOutRight", right),
        ("eyeLookDownLeft", down),
        ("eyeLookDownRight", down),
        ("eyeLookUpLeft", up),
        ("eyeLookUpRight", up),
    ):
        face[:, COLUMN[name]] += value


def _blink_times(times: Signal, fps: int, pauses: list[float], rng: np.random.Generator) -> list[float]:
    """Moments at which the lids are shut: about 15 a minute (speaking adults blink 12 to 20), drawn to pauses.

    The first comes after a random part of an interval, so that many short segments in a row blink at the same rate.
    """
    first, last = 0.16, times[-1] - 0.24
    if last <= first:
        return []
    candidates = np.array([start + 0.08 for start in pauses])
    blinks: list[float] = []
    due = rng.uniform(0.0, 1.0) * rng.uniform(3.2, 4.7)
    while due < last:
        near = candidates[np.abs(candidates - due) < 0.5]
        moment = float(near[np.abs(near - due).argmin()]) if len(near) else due
        # On a frame: the lids must be seen shut, whatever the frame rate.
        moment = round(min(max(moment, first), last) * fps) / fps
        blinks.append(moment)
        due = moment + rng.uniform(3.2, 4.7)
    return blinks


def _add_blinks(face: Signal, times: Signal, blinks: list[float], rng: np.random.Generator) -> None:
    """A blink of 170 to 240 ms: lids fall fast, rest a moment, rise slower; one eye leads by a few milliseconds."""
    for moment in blinks:
        fall, rise = rng.uniform(0.065, 0.085), rng.uniform(0.105, 0.155)
        lead = rng.uniform(-0.006, 0.006)
        for name, delay in (("eyeBlinkLeft", lead), ("eyeBlinkRight", -lead)):
            depth = rng.uniform(0.96, 1.0)
            shape = depth * _pulse(times, moment + delay, fall, rise)
            face[:, COLUMN[name]] = np.maximum(face[:, COLUMN[name]], shape)


def _breath(times: Signal, pauses: list[tuple[float, float]]) -> Signal:
    """Lung volume: in during pauses long enough for it, out over the phrase that follows."""
    end = times[-1]
    starts = [0.0, *(start for start, stop in pauses if stop - start >= _BREATH_PAUSE and 1.5 < start < end - 0.8)]
    breath = np.zeros(len(times))
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        inhale = min(0.55, (stop - start) / 3) or 1.0
        size = min(1.0, 0.4 + 0.15 * (stop - start))
        breath += size * _pulse(times, start + inhale, inhale, max(stop - start - inhale, 0.1))
    return np.clip(breath, 0.0, 1.0)
