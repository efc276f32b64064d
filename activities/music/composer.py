"""The local composer: it writes a score by its grammars and plays it with FluidSynth and a sound font, stem by stem."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf

from activities.music.arrange import STEMS, arrange, blended
from activities.music.base import Composition
from activities.music.fluidsynth import FluidSynth
from activities.music.grammar import KICK, Grammar, Tone
from activities.music.tone import RATE, Stereo, level, shape
from activities.support.engine import Progress
from models.errors import EngineFailed
from models.lanes import Lane
from models.music import BEATS_PER_BAR, Score, SongPlan
from models.plan import Capability, EngineRef

NAME = "composer"
VERSION = "2"
"""Counts changes to what the same plan and seed sound like."""
TAIL_SECONDS: Final = 3.0
"""What the last notes and the room get to fade."""
PEAK: Final = 0.7
"""The loudest sample of mix and stems: -3 dBFS, which mastering has to raise in any case."""
_FADE_SECONDS: Final = 0.6
_FADE_IN_SECONDS: Final = 0.002
_FULL_SCALE: Final = 32_767


class ComposerEngine:
    """Composes in five genres. Thread-safe; one core a call. ``soundfont`` is a General MIDI sound font (None:
    Debian's); ``fluidsynth`` the program, by path or name."""

    def __init__(self, soundfont: Path | None = None, fluidsynth: str = "fluidsynth") -> None:
        self._player = FluidSynth(soundfont, fluidsynth)

    @property
    def ref(self) -> EngineRef:
        """The engine and the sha256 of its sound font. Raises EngineUnavailable without program or sound font."""
        self._player.check()
        return EngineRef(
            capability=Capability.MUSIC, name=NAME, version=VERSION, lane=Lane.CPU, weights=self._player.sha256
        )

    def compose(self, plan: SongPlan, seed: int, folder: Path, progress: Progress) -> Composition:
        """See :class:`~activities.music.base.MusicEngine`. One unit of progress a stem, and one for the mix."""
        self._player.check()
        score = arrange(plan, seed)
        grammar = blended(plan)
        stems = [stem for stem in STEMS if any(part.stem == stem for part in score.parts)]
        seconds = plan.bars * BEATS_PER_BAR * 60 / plan.tempo_bpm + TAIL_SECONDS
        raw: dict[str, Path] = {}
        written: list[Path] = []
        try:
            for done, stem in enumerate(stems):
                raw[stem] = folder / f"{stem}.npy"
                beat = partial(progress, done, len(stems) + 1)
                np.save(raw[stem], self._played(score, grammar, stem, seconds, folder, beat))
                progress(done + 1, len(stems) + 1)
            paths = {stem: folder / f"{stem}.wav" for stem in stems}
            mix = folder / "mix.wav"
            written = [*paths.values(), mix]
            _mix(raw, paths, mix)
            progress(len(stems) + 1, len(stems) + 1)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            raise
        finally:
            for path in raw.values():
                path.unlink(missing_ok=True)
        return Composition(mix=mix, seconds=round(seconds * RATE) / RATE, source=NAME, stems=paths, score=score)

    def _played(
        self, score: Score, grammar: Grammar, stem: str, seconds: float, folder: Path, beat: Callable[[], None]
    ) -> Stereo:
        """One stem with its tone, at its level, exactly ``seconds`` long."""
        part = next(part for part in score.parts if part.stem == stem)
        beats = seconds * score.tempo_bpm / 60
        played = self._player.play(
            part,
            score.tempo_bpm,
            beats,
            folder,
            beat,
            reverb=grammar.reverb,
            room=grammar.room,
            chorus=grammar.chorus,
        )
        sound = _fitted(played, round(seconds * RATE))
        kicks = [
            note.start * 60 / score.tempo_bpm
            for part in score.parts
            if part.drums
            for note in part.notes
            if note.pitch == KICK
        ]
        sound = shape(sound, grammar.tones.get(stem, Tone()), kicks)
        loudness = level(sound)
        if loudness == float("-inf"):
            raise EngineFailed(f"FluidSynth played nothing for {stem}: the sound font has no such instrument.")
        gained: Stereo = sound * np.float32(10 ** ((grammar.levels[stem] - loudness) / 20))
        return gained


def _fitted(samples: Stereo, count: int) -> Stereo:
    """Exactly ``count`` samples, faded at both ends."""
    fitted = np.zeros((count, 2), np.float32)
    kept = min(count, len(samples))
    fitted[:kept] = samples[:kept]
    rise, fade = round(_FADE_IN_SECONDS * RATE), round(_FADE_SECONDS * RATE)
    fitted[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
    fitted[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return fitted


def _mix(raw: Mapping[str, Path], paths: Mapping[str, Path], mix: Path) -> None:
    """Write the stems at a common gain, and their sum. Samples are added as integers, so that the sum is exact."""
    opened = {stem: np.load(path, mmap_mode="r") for stem, path in raw.items()}
    summed = np.zeros_like(next(iter(opened.values())))
    loudest = 0.0
    for samples in opened.values():
        summed += samples
        loudest = max(loudest, float(np.abs(samples).max()))
    gain = np.float32(PEAK * _FULL_SCALE / max(loudest, float(np.abs(summed).max())))
    total = np.zeros(summed.shape, np.int16)
    for stem, samples in opened.items():
        whole = np.rint(samples * gain).astype(np.int16)
        total += whole
        sf.write(paths[stem], whole, RATE, subtype="PCM_16")
    sf.write(mix, total, RATE, subtype="PCM_16")
