"""Phonemes to mouth shapes: a rule-based co-articulation model that writes ARKit curves. Apart from the frame engines
because it needs no picture, no weights and no learning.

The model is Cohen and Massaro's ("Modeling coarticulation in synthetic visual speech", 1993): every segment pulls each
articulator towards its own target with a *dominance* that falls off exponentially before and after it; the shape at
time ``t`` is the dominance-weighted mean of the targets. Two things are added, both from how lips work: contacts
(/p b m/ shut, /f v/ lip to the teeth) are gates that must happen, however short; and articulators have a top speed,
so short unstressed syllables undershoot instead of flapping.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from activities.lipsync.base import ARKIT
from models.alignment import Alignment, PhonemeTiming
from models.engines import find_engine
from models.errors import EngineFailed, MediaRejected
from models.plan import Capability, EngineRef

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Viseme:
    """Where a sound puts the mouth (0..1 of each articulator) and how strongly it insists (0 = takes what comes).

    ``jaw`` opening; ``pucker`` lips pushed forward and small; ``funnel`` lips forward and open; ``spread`` corners
    drawn back; ``lower`` and ``upper`` lip moved off the teeth. Vowels are scaled by stress and loudness.
    """

    jaw: float
    pucker: float = 0.0
    funnel: float = 0.0
    spread: float = 0.0
    lower: float = 0.0
    upper: float = 0.0
    jaw_hold: float = 1.0
    lip_hold: float = 1.0
    vowel: bool = False


def _vowel(
    jaw: float, *, pucker: float = 0, funnel: float = 0, spread: float = 0, lower: float = 0.1, hold: float = 1
) -> Viseme:
    return Viseme(jaw, pucker, funnel, spread, lower, lower / 2, hold, hold, vowel=True)


REST: Final = Viseme(0.0, jaw_hold=0.8, lip_hold=0.9)
"""A pause: everything relaxes shut, slowly (``REST_SECONDS``)."""

UNKNOWN: Final = Viseme(0.12, jaw_hold=0.3, lip_hold=0.1)
"""A symbol the table does not know hardly disturbs its neighbours."""

VISEMES: Final[dict[str, Viseme]] = {
    # Vowels: openness after vowel height, rounding and spreading after the IPA chart.
    "ɑ": _vowel(0.50, funnel=0.05, lower=0.18),
    "ɒ": _vowel(0.46, pucker=0.15, funnel=0.25, lower=0.14),
    "æ": _vowel(0.47, spread=0.35, lower=0.24),
    "a": _vowel(0.48, spread=0.12, lower=0.20),
    "ɐ": _vowel(0.36, spread=0.08, lower=0.14),
    "ʌ": _vowel(0.36, spread=0.08, lower=0.14),
    "ə": _vowel(0.20, lower=0.06, hold=0.45),
    "ɛ": _vowel(0.34, spread=0.34, lower=0.20),
    "e": _vowel(0.28, spread=0.45, lower=0.18),
    "ɜ": _vowel(0.26, pucker=0.22, funnel=0.18, lower=0.10),
    "ɪ": _vowel(0.20, spread=0.38, lower=0.14, hold=0.8),
    "i": _vowel(0.15, spread=0.65, lower=0.14),
    "ɨ": _vowel(0.18, spread=0.25, hold=0.5),
    "ʊ": _vowel(0.19, pucker=0.45, funnel=0.20, lower=0.05, hold=0.9),
    "u": _vowel(0.14, pucker=0.75, funnel=0.15, lower=0.04),
    "ɔ": _vowel(0.39, pucker=0.28, funnel=0.38, lower=0.10),
    "o": _vowel(0.30, pucker=0.45, funnel=0.30, lower=0.08),
    # Bilabials and labiodentals: the contact itself is a gate (``CONTACTS``); these only set what surrounds it.
    "p": Viseme(0.05, jaw_hold=0.9, lip_hold=0.05),
    "b": Viseme(0.05, jaw_hold=0.9, lip_hold=0.05),
    "m": Viseme(0.05, jaw_hold=0.9, lip_hold=0.05),
    "f": Viseme(0.08, upper=0.18, jaw_hold=1.1, lip_hold=0.4),
    "v": Viseme(0.09, upper=0.15, jaw_hold=1.0, lip_hold=0.4),
    # Rounded consonants: the lips insist, the jaw follows.
    "w": Viseme(0.10, pucker=0.80, funnel=0.10, jaw_hold=0.9, lip_hold=1.8),
    "ɹ": Viseme(0.14, pucker=0.38, funnel=0.28, jaw_hold=0.5, lip_hold=0.8),
    "ʃ": Viseme(0.09, pucker=0.22, funnel=0.50, lower=0.22, upper=0.14, jaw_hold=1.3, lip_hold=1.2),
    # Sibilants need the teeth together, so the jaw insists most of all.
    "s": Viseme(0.06, spread=0.28, lower=0.18, upper=0.06, jaw_hold=1.4, lip_hold=0.35),
    "θ": Viseme(0.13, spread=0.10, lower=0.18, upper=0.08, jaw_hold=1.0, lip_hold=0.4),
    # Tongue-made sounds leave the lips to the vowels around them.
    "t": Viseme(0.10, spread=0.15, lower=0.10, jaw_hold=0.9, lip_hold=0.15),
    "n": Viseme(0.13, spread=0.12, lower=0.08, jaw_hold=0.45, lip_hold=0.12),
    "l": Viseme(0.20, spread=0.12, lower=0.10, jaw_hold=0.45, lip_hold=0.15),
    "k": Viseme(0.17, jaw_hold=0.35, lip_hold=0.06),
    "ŋ": Viseme(0.17, jaw_hold=0.3, lip_hold=0.06),
    "j": Viseme(0.14, spread=0.45, lower=0.10, jaw_hold=0.7, lip_hold=0.6),
    "h": Viseme(0.22, jaw_hold=0.10, lip_hold=0.03),
    "ʔ": Viseme(0.16, jaw_hold=0.15, lip_hold=0.03),
}

ALIKE: Final[dict[str, str]] = {
    "ɚ": "ɜ", "ɝ": "ɜ", "ᵻ": "ɨ", "ᵊ": "ə", "ɘ": "ə", "ɵ": "ʊ", "ʉ": "u", "y": "u", "ø": "o",
    "r": "ɹ", "ɻ": "ɹ", "ʒ": "ʃ", "z": "s", "ð": "θ", "d": "t", "ɾ": "t", "ɫ": "l", "ɲ": "n",
    "ɡ": "k", "g": "k", "c": "k", "x": "k", "ç": "h", "ɦ": "h", "ʍ": "w", "ɱ": "f",
}  # fmt: skip
"""Sounds that look the same on the lips share a viseme."""

SEQUENCES: Final[dict[str, tuple[str, ...]]] = {"ʧ": ("t", "ʃ"), "ʤ": ("d", "ʒ")}
"""Single letters that are two movements. Diphthongs and tie-barred affricates are already two letters."""

NUCLEUS_SHARE: Final = 0.58
"""Part of a diphthong's time that belongs to its first target; the glide is shorter than the nucleus (Gay 1968)."""

# Time constants in seconds of the dominance fall-off, before (anticipation) and after (carry-over) a segment. Lips are
# rounded 100-200 ms before a rounded vowel sounds (Benguerel and Cowan 1974), the jaw moves later.
JAW_SECONDS: Final = (0.055, 0.050)
ROUND_SECONDS: Final = (0.120, 0.075)
SPREAD_SECONDS: Final = (0.080, 0.070)
LIFT_SECONDS: Final = (0.055, 0.055)
REST_SECONDS: Final = (0.090, 0.060)
CORE: Final = 0.5
"""The middle part of a segment in which its dominance does not fall: long vowels hold their shape."""

NEIGHBOURS: Final = 6
"""Segments on each side that can be felt: beyond, every dominance is under 1 %."""

SHORTEST_SECONDS: Final = 0.04
POWER_SECONDS: Final = 0.01
PAUSE_SECONDS: Final = 0.09
"""A shorter gap between two sounds is articulation, not a pause."""

OPENING_SPEED: Final = 5.0
"""Full openings a second for the lip gap. 20 mm full scale makes this 100 mm/s, the fast end of speech (Ostry 1985)."""
SHAPE_SPEED: Final = 7.0
"""Full scale a second for every other articulator."""

CONTACT_RAMP: Final = 0.07
"""Seconds in which the lips come together before a contact and part after it."""
CONTACT_HOLD: Final = 0.5
"""Part of the sound, around its middle, in which the contact is complete."""
DENTAL_GAP: Final = 0.06
"""Opening left at /f v/: the lip touches the teeth, air escapes."""
LABIAL: Final = frozenset("pbm")
DENTAL: Final = frozenset("fvɱ")

STRESS_SCALE: Final = (0.82, 1.08, 0.96)
"""Openness of unstressed, primary and secondary stressed vowels (``PhonemeTiming.stress`` as in ARPAbet: 0, 1, 2)."""
STRESS_HOLD: Final = (0.85, 1.40, 1.15)
"""How much more a stressed vowel insists on its shape, and an unstressed one gives in to its neighbours."""
LOUDNESS_PER_DB: Final = 0.022
LOUDNESS_RANGE: Final = (0.75, 1.25)
"""Openness grows about 2 % a decibel over the utterance's median vowel, within these bounds."""
SILENCE_DB: Final = -32.0
"""Below the median vowel by this much nothing is spoken: synthesisers stretch a phoneme over the pause after it."""

SEED_VARIATION: Final = 0.04
"""Standard deviation of the seeded variation of each vowel's openness: nobody opens twice alike."""
SEED_ASYMMETRY: Final = 0.05
"""At most this much more on one side of the mouth than on the other."""

CHANNELS: Final = ("jaw", "pucker", "funnel", "spread", "lower", "upper")
_COLUMN: Final = {name: column for column, name in enumerate(ARKIT)}


@dataclass(frozen=True)
class _Segments:
    """What is articulated, in order: seconds, targets [n, channels], holds [n, channels], and contacts."""

    start: Floats
    end: Floats
    targets: Floats
    holds: Floats
    rests: NDArray[np.bool_]
    labial: tuple[tuple[float, float], ...]
    dental: tuple[tuple[float, float], ...]


class VisemeEngine:
    """The CPU curve engine. Stateless: one instance serves any number of threads."""

    @property
    def ref(self) -> EngineRef:
        """Its identity; it has no weights."""
        return find_engine(Capability.LIPSYNC, "visemes").ref()

    def curves(self, alignment: Alignment, wav: Path, fps: int, seed: int, out: Path) -> int:
        """Write the ARKit curves of ``alignment`` to ``out`` (``.npy``, float32 [frames, 52]).

        Frame ``i`` shows the mouth at ``(i + 0.5) / fps`` seconds. The first and the last frame are neutral. Equal
        arguments write equal bytes. Raises MediaRejected when ``wav`` cannot be read and EngineFailed when
        ``alignment`` is not in order.
        """
        frames = frame_count(alignment.duration, fps)
        phonemes = alignment.phonemes()
        _require_order(phonemes)
        phonemes, loudness = _listen(wav, phonemes)
        curves = articulate(phonemes, loudness, frames, fps, seed)
        with out.open("wb") as file:
            np.save(file, curves)
        return frames


def frame_count(duration: float, fps: int) -> int:
    """Frames that cover ``duration`` seconds; a thousandth of a frame over is rounding, not another frame."""
    return int(np.ceil(duration * fps - 1e-3))


def articulate(
    phonemes: tuple[PhonemeTiming, ...], loudness: Floats, frames: int, fps: int, seed: int
) -> NDArray[np.float32]:
    """The ARKit curves, float32 [frames, 52]. ``loudness`` is decibels over the median vowel, one for each phoneme."""
    curves = np.zeros((frames, len(ARKIT)), np.float32)
    if frames == 0 or not phonemes:
        return curves
    rng = np.random.default_rng(seed)
    openness = _openness(phonemes, loudness, rng)
    segments = _segments(phonemes, openness, frames / fps)
    times = (np.arange(frames) + 0.5) / fps
    shape = dict(zip(CHANNELS, _blend(segments, times).T, strict=True))
    labial = _contact(segments.labial, times)
    dental = _contact(segments.dental, times)

    opening_step, shape_step = OPENING_SPEED / fps, SHAPE_SPEED / fps
    edge = np.minimum(np.arange(frames), np.arange(frames)[::-1])
    jaw = _lower_envelope(np.minimum(shape["jaw"], opening_step * edge), opening_step)
    gap = np.minimum(jaw, jaw + dental * (DENTAL_GAP - jaw)) * (1 - labial)
    gap = np.minimum(_lower_envelope(gap, opening_step), jaw)
    parted = np.clip(gap / DENTAL_GAP, 0, 1)

    def limited(track: Floats) -> Floats:
        calm = (_lower_envelope(track, shape_step) - _lower_envelope(-track, shape_step)) / 2
        return np.minimum(calm, shape_step * edge)

    side = SEED_ASYMMETRY * rng.uniform(-1, 1)
    spread = limited(shape["spread"])
    tracks = {
        "jawOpen": jaw,
        "mouthClose": jaw - gap,
        "mouthPucker": limited(shape["pucker"]),
        "mouthFunnel": limited(shape["funnel"] * (1 - 0.85 * labial)),
        "mouthStretch": spread * 0.55,
        "mouthSmile": spread * 0.30,
        "mouthLowerDown": limited(shape["lower"] * np.minimum(parted, 1 - dental)),
        "mouthUpperUp": limited(shape["upper"] * parted),
        "mouthRollLower": limited(np.maximum(0.65 * dental, 0.18 * labial)),
        "mouthRollUpper": limited(0.18 * labial),
        "mouthPress": limited(0.30 * labial),
    }
    for name, track in tracks.items():
        if name in _COLUMN:
            curves[:, _COLUMN[name]] = track
        else:
            curves[:, _COLUMN[f"{name}Left"]] = track * (1 + side)
            curves[:, _COLUMN[f"{name}Right"]] = track * (1 - side)
    return np.clip(curves, 0, 1)


def letters(phoneme: str) -> tuple[str, ...]:
    """The single movements of an IPA phoneme: no length marks, ties or diacritics; ``ʧ`` is two, ``aɪ`` is two."""
    plain = (c for c in unicodedata.normalize("NFD", phoneme) if unicodedata.category(c) in ("Ll", "Lo") or c in "ᵊᵻ")
    return tuple(letter for c in plain for letter in SEQUENCES.get(c, (c,)))


def _viseme(letter: str) -> Viseme:
    return VISEMES.get(ALIKE.get(letter, letter), UNKNOWN)


def _is_vowel(phoneme: str) -> bool:
    return any(_viseme(letter).vowel for letter in letters(phoneme))


def _require_order(phonemes: tuple[PhonemeTiming, ...]) -> None:
    clock = 0.0
    for index, phoneme in enumerate(phonemes):
        if phoneme.end < phoneme.start or phoneme.start < clock - 1e-3:
            raise EngineFailed(
                f"Phoneme {index} ({phoneme.phoneme!r}) at {phoneme.start:.3f}-{phoneme.end:.3f} s is out of order.",
                field="alignment",
                action="Align this segment with another aligner.",
            )
        clock = phoneme.start


def _listen(wav: Path, phonemes: tuple[PhonemeTiming, ...]) -> tuple[tuple[PhonemeTiming, ...], Floats]:
    """The phonemes without the silence some of them run on into, and their decibels over the median vowel."""
    power = _power(wav)
    if not phonemes:
        return phonemes, np.zeros(0)
    energy = np.concatenate([[0.0], np.cumsum(power)])
    first = np.clip([int(p.start / POWER_SECONDS) for p in phonemes], 0, len(power) - 1)
    last = np.clip([int(np.ceil(p.end / POWER_SECONDS)) for p in phonemes], first + 1, len(power))
    level = 10 * np.log10((energy[last] - energy[first]) / (last - first) + 1e-9)
    vowels = np.array([_is_vowel(p.phoneme) for p in phonemes])
    median = float(np.median(level[vowels] if vowels.any() else level))
    audible = 10 * np.log10(power + 1e-9) > median + SILENCE_DB
    heard_until = np.maximum.accumulate(np.where(audible, np.arange(1, len(power) + 1), 0)) * POWER_SECONDS
    ends = np.maximum(heard_until[last - 1], [p.start + SHORTEST_SECONDS for p in phonemes]).tolist()
    trimmed = tuple(
        p.model_copy(update={"end": end}) if p.end - end > PAUSE_SECONDS else p
        for p, end in zip(phonemes, ends, strict=True)
    )
    return trimmed, level - median


def _power(wav: Path) -> Floats:
    """Mean square of each ``POWER_SECONDS`` of sound. Read in blocks, so that length costs no memory."""
    try:
        with sf.SoundFile(wav) as sound:
            hop = max(1, round(sound.samplerate * POWER_SECONDS))
            blocks = sound.blocks(blocksize=hop * 512, dtype="float32", always_2d=True, fill_value=0.0)
            power = [np.square(block.mean(axis=1), dtype=np.float64).reshape(-1, hop).mean(axis=1) for block in blocks]
    except (sf.LibsndfileError, OSError) as error:
        raise MediaRejected(f"{wav.name} is not readable sound: {error}.", field="wav") from error
    return np.concatenate(power or [np.zeros(1)])


def _openness(phonemes: tuple[PhonemeTiming, ...], loudness: Floats, rng: np.random.Generator) -> Floats:
    """How much wider than its table entry each vowel opens."""
    by_stress = np.take(STRESS_SCALE, [p.stress for p in phonemes])
    by_loudness = np.clip(1 + LOUDNESS_PER_DB * loudness, *LOUDNESS_RANGE)
    variation = 1 + SEED_VARIATION * np.clip(rng.standard_normal(len(phonemes)), -2, 2)
    openness: Floats = by_stress * by_loudness * variation
    return openness


def _segments(phonemes: tuple[PhonemeTiming, ...], openness: Floats, duration: float) -> _Segments:
    """Cut phonemes into movements and fill the pauses with rest."""
    rows: list[tuple[float, float, Viseme, float, float]] = []
    labial: list[tuple[float, float]] = []
    dental: list[tuple[float, float]] = []
    clock = 0.0
    for phoneme, scale in zip(phonemes, openness, strict=True):
        if phoneme.start - clock > PAUSE_SECONDS:
            rows.append((clock, phoneme.start, REST, 1.0, 1.0))
        parts = letters(phoneme.phoneme) or ("",)
        hold = STRESS_HOLD[phoneme.stress]
        cuts = np.linspace(phoneme.start, phoneme.end, len(parts) + 1)
        if len(parts) == 2 and _viseme(parts[0]).vowel:
            cuts[1] = phoneme.start + NUCLEUS_SHARE * (phoneme.end - phoneme.start)
        for letter, start, end in zip(parts, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            viseme = _viseme(letter)
            rows.append((start, end, viseme, *((float(scale), hold) if viseme.vowel else (1.0, 1.0))))
            if letter in LABIAL:
                labial.append((start, end))
            elif letter in DENTAL:
                dental.append((start, end))
        clock = max(clock, phoneme.end)
    rows.append((clock, max(duration, clock + PAUSE_SECONDS), REST, 1.0, 1.0))
    lips = ("pucker", "funnel", "spread")
    return _Segments(
        start=np.array([row[0] for row in rows]),
        end=np.array([row[1] for row in rows]),
        targets=np.array([[getattr(v, c) * (1.0 if c in lips else k) for c in CHANNELS] for _, _, v, k, _ in rows]),
        holds=np.array([[h * (v.jaw_hold if c == "jaw" else v.lip_hold) for c in CHANNELS] for _, _, v, _, h in rows]),
        rests=np.array([row[2] is REST for row in rows]),
        labial=tuple(labial),
        dental=tuple(dental),
    )


def _blend(segments: _Segments, times: Floats) -> Floats:
    """Dominance-weighted mean of the targets, [times, channels]. Linear in time: only near neighbours are weighed."""
    middle = (segments.start + segments.end) / 2
    nearest = np.searchsorted(middle, times)
    index = nearest[:, None] + np.arange(-NEIGHBOURS, NEIGHBOURS)
    inside = (index >= 0) & (index < len(middle))
    index = np.clip(index, 0, len(middle) - 1)
    core = CORE / 2 * (segments.end - segments.start)
    offset = times[:, None] - middle[index]
    distance = np.maximum(np.abs(offset) - core[index], 0)
    pairs = np.array([JAW_SECONDS, ROUND_SECONDS, ROUND_SECONDS, SPREAD_SECONDS, LIFT_SECONDS, LIFT_SECONDS])
    after = (offset > 0).astype(np.intp)
    constants = np.where(segments.rests[index][..., None], np.array(REST_SECONDS)[after][..., None], pairs.T[after])
    dominance = segments.holds[index] * np.exp(-distance[..., None] / constants) * inside[..., None]
    blended: Floats = (dominance * segments.targets[index]).sum(axis=1) / (dominance.sum(axis=1) + 1e-9)
    return blended


def _contact(spans: tuple[tuple[float, float], ...], times: Floats) -> Floats:
    """How complete a contact is at each time: 1 around the middle of each span, and at one frame at least."""
    contact = np.zeros(len(times))
    if not spans or not len(times):
        return contact
    step = times[1] - times[0] if len(times) > 1 else 1.0
    start, end = np.array(spans).T
    middle = (start + end) / 2
    half = CONTACT_HOLD / 2 * (end - start)
    nearest = np.clip(np.searchsorted(middle, times), 1, len(middle)) - 1
    for candidate in (nearest, np.minimum(nearest + 1, len(middle) - 1)):
        distance = np.maximum(np.abs(times - middle[candidate]) - half[candidate], 0)
        ramp = np.clip(1 - distance / CONTACT_RAMP, 0, 1)
        contact = np.maximum(contact, (1 - np.cos(np.pi * ramp)) / 2)
    contact[np.clip(np.floor(middle / step).astype(np.intp), 0, len(times) - 1)] = 1.0
    return contact


def _lower_envelope(track: Floats, step: float) -> Floats:
    """The highest curve under ``track`` that never moves more than ``step`` a frame: valleys stay, peaks give way."""
    reach = min(len(track) - 1, int(np.ceil((track.max() - track.min()) / step))) if len(track) else 0
    if reach <= 0:
        return track
    padded = np.pad(track, reach, constant_values=np.inf)
    shifted = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    envelope: Floats = (shifted + step * np.abs(np.arange(-reach, reach + 1))).min(axis=1)
    return envelope
