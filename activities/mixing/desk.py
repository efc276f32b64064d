"""The desk: every stem and voice to its place, then the master. One stem is in memory at a time beside the sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activities.mixing.base import Mixed, Session, StemFile
from activities.mixing.dynamics import Curve, drawn, presence
from activities.mixing.eq import Band, equalised
from activities.mixing.eq import Curve as Shape
from activities.mixing.humanise import chance, crackle, hiss, played
from activities.mixing.laying import end_ms, lay, song_melody, song_timing
from activities.mixing.master import mastered
from activities.mixing.presets import PRESETS, Preset
from activities.mixing.sound import RATE, SILENT_LUFS, Sound, fitted, linear, loudness, read_stereo, write_stereo
from activities.mixing.space import impulse, reverberated, widened
from activities.mixing.voice import Sung, sung_chain
from activities.support.engine import Progress
from models.engines import find_engine
from models.errors import MediaRejected
from models.plan import Capability, EngineRef

_MUSIC_LUFS = -18.0
"""The music before the master bus: room enough that no stem reaches full scale."""
_NUDGE = 4.0
"""dB by which a stem's balance is changed at most: the arrangement's own balance is respected."""
_FULL = 0.98
_NOISE_LIFT = 3.0
"""dB that the master bus adds to what is quiet."""
_CARVE = Band(Shape.BAND_PASS, 2_000, q=0.6)
"""Where words are understood: about 1 to 4 kHz."""
_PRESENT = 0.5
_TAIL = 0.03
"""Seconds over which the very end fades, so that a cut note does not click."""
_RESERVED = frozenset({"vocals", "backing", "air"})


class MixingDesk:
    """Mixes and masters with NumPy and SciPy alone. Thread-safe: nothing is kept between songs."""

    @property
    def ref(self) -> EngineRef:
        """Its pinned identity; it has no weights."""
        return find_engine(Capability.MIXING, "desk").ref()

    def mix(self, session: Session, folder: Path, progress: Progress) -> Mixed:
        """See :class:`~activities.mixing.base.MixingEngine`."""
        preset = PRESETS[session.genre]
        stems = session.stems or (StemFile("music", session.music),)
        _check_names(stems)
        steps = _Steps(progress, 2 * len(stems) + 6)
        gains, length = _balance(stems, preset, steps)
        length = max(length, round(end_ms(session.vocals) * RATE / 1000))
        voices = lay(session.vocals, length)
        steps.step()
        sung = sung_chain(voices, preset, session.grid.tempo_bpm, session.seed)
        present = presence([voices.lead, *voices.doubles, *voices.harmonies])
        steps.step()
        music = _Music(session, preset, present, length)
        written = []
        for stem, gain in zip(stems, gains, strict=True):
            written.append(StemFile(stem.name, write_stereo(folder / f"stem-{stem.name}.wav", music.add(stem, gain))))
            steps.step()
        gain = _vocal_gain(sung, music.under, drawn(present, length) > _PRESENT, preset.vocal.over)
        for name, part in (("vocals", sung.vocals), ("backing", sung.backing)):
            if part is not None:
                part *= np.float32(gain)
                music.under += part
                written.append(StemFile(name, write_stereo(folder / f"stem-{name}.wav", part)))
        written.append(StemFile("air", write_stereo(folder / "stem-air.wav", music.add_air())))
        steps.step()
        dry = sung.dry * np.float32(gain)
        vocal = write_stereo(folder / "vocal.wav", np.stack([dry, dry]))
        melody = folder / "melody.npy"
        np.save(melody, song_melody(session.vocals, length / RATE))
        steps.step()
        master = write_stereo(folder / "master.wav", mastered(music.under, preset.bus))
        steps.step()
        instrumental = write_stereo(folder / "instrumental.wav", mastered(music.alone, preset.bus))
        steps.step()
        timing = song_timing(session.vocals)
        return Mixed(master, instrumental, vocal, tuple(written), timing, melody, length / RATE)


@dataclass
class _Steps:
    """Counts units of work."""

    progress: Progress
    total: int
    done: int = 0

    def step(self) -> None:
        """One unit is done."""
        self.done += 1
        self.progress(self.done, self.total)


def _check_names(stems: Sequence[StemFile]) -> None:
    names = [stem.name for stem in stems]
    wrong = sorted({name for name in names if names.count(name) > 1 or name in _RESERVED})
    if wrong:
        raise MediaRejected(
            f"Stems are called {', '.join(wrong)}: names have to differ, and {', '.join(sorted(_RESERVED))} are the "
            "desk's own.",
            field="stems",
            action="Name each stem of the music by its instrument.",
        )


def _balance(stems: Sequence[StemFile], preset: Preset, steps: _Steps) -> tuple[list[float], int]:
    """The gain in dB of every stem, and the length of the longest in samples. Each is drawn half-way to its place."""
    found, length = [], 0
    whole: Sound = np.zeros((2, 0), np.float32)
    for stem in stems:
        sound = read_stereo(stem.wav, stem.name)
        found.append(loudness(sound))
        length = max(length, sound.shape[1])
        whole = fitted(whole, length)
        whole[:, : sound.shape[1]] += sound
        steps.step()
    total = loudness(whole)
    if total <= SILENT_LUFS:
        raise MediaRejected("The music is silent.", field="music", action="Make the music again.")
    lift = _MUSIC_LUFS - total
    nudges = [_nudge(own - total, preset.channel(stem.name).level) for stem, own in zip(stems, found, strict=True)]
    return [lift + nudge if len(stems) > 1 else lift for nudge in nudges], length


def _nudge(level: float, place: float) -> float:
    """dB by which a stem at ``level`` (LU to the whole music) goes to its ``place``."""
    return float(np.clip((place - level) / 2, -_NUDGE, _NUDGE)) if level > SILENT_LUFS - _MUSIC_LUFS else 0.0


class _Music:
    """The sums of the music: ``under`` makes room for the voice, ``alone`` stands by itself. [2, samples]."""

    def __init__(self, session: Session, preset: Preset, present: Curve, length: int) -> None:
        self._seed, self._preset = session.seed, preset
        self._beat = 60 / session.grid.tempo_bpm
        self._length = length
        self._present = drawn(present, length)
        self._response = impulse(preset.room, chance(session.seed, "music room"))
        self._end = np.ones(length, np.float32)
        tail = min(length, round(_TAIL * RATE))
        self._end[length - tail :] = np.linspace(1, 0, tail, dtype=np.float32)
        self.under: Sound = np.zeros((2, length), np.float32)
        self.alone: Sound = np.zeros((2, length), np.float32)

    def add(self, stem: StemFile, gain: float) -> Sound:
        """Put a stem in its place; returns it as it is in the mix."""
        preset, channel = self._preset, self._preset.channel(stem.name)
        high_pass = (Band(Shape.HIGH_PASS, channel.high_pass),) if channel.high_pass else ()
        sound = fitted(read_stereo(stem.wav, stem.name), self._length)
        sound = widened(equalised(sound, (*high_pass, *preset.tone)), channel.width)
        sound = played(sound, self._beat, channel.drift, channel.swell, chance(self._seed, stem.name))
        if channel.room is not None:
            sound = sound + reverberated(sound, self._response) * np.float32(linear(channel.room))
        sound *= self._end * np.float32(linear(gain))
        peak = float(np.abs(sound).max(initial=0.0))
        if peak > _FULL:
            sound *= np.float32(_FULL / peak)
        self.alone += sound
        carved = self._present * np.float32(1 - linear(-preset.carve * channel.yields))
        sound = sound - equalised(sound, [_CARVE]) * carved
        sound *= 10 ** (-preset.duck * channel.yields / 20 * self._present)
        self.under += sound
        return sound

    def add_air(self) -> Sound:
        """Put the noise floor, and a worn record's crackle where the genre has it, under both; returns it."""
        preset, rng = self._preset, chance(self._seed, "air")
        air = hiss(self._length, preset.noise - _NOISE_LIFT, preset.noise_bands, rng)
        if preset.crackles:
            air += crackle(self._length, preset.crackle - _NOISE_LIFT, preset.crackles, rng)
        self.alone += air
        self.under += air
        return air


def _vocal_gain(sung: Sung, music: Sound, present: NDArray[np.bool_], over: float) -> float:
    """The factor that brings the voice ``over`` LU above the music where somebody sings."""
    if sung.vocals is None:
        return 1.0
    peak = max(float(np.abs(part).max()) for part in (sung.vocals, sung.backing) if part is not None)
    where = np.flatnonzero(present)
    voice, under = loudness(sung.vocals[:, where]), loudness(music[:, where])
    if voice <= SILENT_LUFS or under <= SILENT_LUFS:
        under, voice = _MUSIC_LUFS, loudness(sung.vocals)
    return min(linear(under + over - voice), _FULL / peak)
