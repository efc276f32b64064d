"""The local composer: it writes a score by its grammars and plays it with FluidSynth and a sound font, stem by stem."""

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import soundfile as sf

from activities.music.arrange import STEMS, arrange, blended
from activities.music.base import Composition
from activities.music.grammar import KICK, Grammar, Tone
from activities.music.midi import write_midi
from activities.music.tone import RATE, Stereo, level, shape
from activities.support.engine import Progress
from activities.support.program import run_program
from models.errors import EngineFailed, EngineUnavailable
from models.lanes import Lane
from models.music import BEATS_PER_BAR, Score, SongPlan
from models.plan import Capability, EngineRef

NAME = "composer"
VERSION = "1"
"""Counts changes to what the same plan and seed sound like."""
SOUNDFONT: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
"""Where Debian's fluid-soundfont-gm puts it."""
_SOUNDFONT_HEADER: Final = re.compile(rb"RIFF.{4}sfbk", re.DOTALL)
TAIL_SECONDS: Final = 3.0
"""What the last notes and the room get to fade."""
PEAK: Final = 0.7
"""The loudest sample of mix and stems: -3 dBFS, which mastering has to raise in any case."""
_FADE_SECONDS: Final = 0.6
_FADE_IN_SECONDS: Final = 0.002
_COUNT_IN_BEATS: Final = 1.0
_ATTACK_SECONDS: Final = 0.010
"""Notes sound so much ahead of the grid: the program needs 6 ms, and what is heard as a note's beginning is where its
attack has risen, about 10 ms later still."""
_FULL_SCALE: Final = 32_767


class ComposerEngine:
    """Composes in five genres. Thread-safe; one core a call. ``soundfont`` is a General MIDI sound font (None:
    Debian's); ``fluidsynth`` the program, by path or name."""

    def __init__(self, soundfont: Path | None = None, fluidsynth: str = "fluidsynth") -> None:
        self._soundfont = soundfont or SOUNDFONT
        self._fluidsynth = fluidsynth

    @property
    def ref(self) -> EngineRef:
        """The engine and the sha256 of its sound font. Raises EngineUnavailable without program or sound font."""
        self._check_program()
        return EngineRef(
            capability=Capability.MUSIC, name=NAME, version=VERSION, lane=Lane.CPU, weights=self._soundfont_sha256
        )

    def compose(self, plan: SongPlan, seed: int, folder: Path, progress: Progress) -> Composition:
        """See :class:`~activities.music.base.MusicEngine`. One unit of progress a stem, and one for the mix."""
        self._check_program()
        _ = self._soundfont_sha256
        score = arrange(plan, seed)
        grammar = blended(plan)
        stems = [stem for stem in STEMS if any(part.stem == stem for part in score.parts)]
        seconds = plan.bars * BEATS_PER_BAR * 60 / plan.tempo_bpm + TAIL_SECONDS
        raw: dict[str, Path] = {}
        written: list[Path] = []
        try:
            for done, stem in enumerate(stems, start=1):
                raw[stem] = folder / f"{stem}.npy"
                np.save(
                    raw[stem], self._play(score, grammar, stem, seconds, folder, progress, (done - 1, len(stems) + 1))
                )
                progress(done, len(stems) + 1)
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

    def _play(
        self,
        score: Score,
        grammar: Grammar,
        stem: str,
        seconds: float,
        folder: Path,
        progress: Progress,
        at: tuple[int, int],
    ) -> Stereo:
        """One stem with its tone, at its level, exactly ``seconds`` long."""
        midi, wav, log, settings = (folder / f"{stem}.{kind}" for kind in ("mid", "raw.wav", "log", "cfg"))
        try:
            parts = [part for part in score.parts if part.stem == stem]
            beats = seconds * score.tempo_bpm / 60
            write_midi(parts, score.tempo_bpm, beats, grammar.reverb, grammar.chorus, _COUNT_IN_BEATS, midi)
            # An empty file of commands, because without one the program reads its user's.
            settings.touch()
            words = [
                *(self._fluidsynth, "-n", "-i", "-q", "-f", str(settings), "-g", "0.4", "-r", str(RATE)),
                *("-o", f"synth.reverb.room-size={grammar.room}", "-o", "synth.reverb.level=0.5"),
                *("-o", "synth.polyphony=512", "-o", "synth.dynamic-sample-loading=1"),
                # Or it plays with the system's sound font where it cannot load this one.
                *("-o", f"synth.default-soundfont={self._soundfont}"),
                *("-T", "wav", "-O", "float", "-F", str(wav), str(self._soundfont), str(midi)),
            ]
            samples = self._rendered(words, wav, log, lambda: progress(*at))
        finally:
            for path in (midi, wav, log, settings):
                path.unlink(missing_ok=True)
        beat = 60 / score.tempo_bpm
        ahead = round((_COUNT_IN_BEATS * beat + _ATTACK_SECONDS) * RATE)
        sound = _fitted(samples[ahead:], round(seconds * RATE))
        kicks = [note.start * beat for part in score.parts if part.drums for note in part.notes if note.pitch == KICK]
        sound = shape(sound, grammar.tones.get(stem, Tone()), kicks)
        loudness = level(sound)
        if loudness == float("-inf"):
            raise EngineFailed(f"FluidSynth played nothing for {stem}: {self._soundfont.name} may be no sound font.")
        gained: Stereo = sound * np.float32(10 ** ((grammar.levels[stem] - loudness) / 20))
        return gained

    def _rendered(self, words: list[str], wav: Path, log: Path, beat: Callable[[], None]) -> Stereo:
        try:
            status = run_program(words, log, beat)
        except OSError as error:
            raise _no_program(self._fluidsynth) from error
        said = log.read_text(errors="replace")[-500:]
        if status:
            raise EngineFailed(f"FluidSynth ended with status {status}: {said}", code="engine.fluidsynth_failed")
        with suppress(sf.LibsndfileError):
            samples: Stereo = sf.read(wav, dtype="float32", always_2d=True)[0]
            return samples
        raise EngineFailed(f"FluidSynth wrote no sound: {said}", code="engine.fluidsynth_failed")

    def _check_program(self) -> None:
        if shutil.which(self._fluidsynth) is None:
            raise _no_program(self._fluidsynth)

    @cached_property
    def _soundfont_sha256(self) -> str:
        try:
            with self._soundfont.open("rb") as file:
                if not _SOUNDFONT_HEADER.fullmatch(file.read(12)):
                    raise _no_soundfont(f"{self._soundfont.name} is no sound font.")
                file.seek(0)
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _no_soundfont(f"The sound font {self._soundfont.name} cannot be read: {error.strerror}.") from error


def _no_soundfont(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message,
        field="SOUNDFONT",
        action="Install fluid-soundfont-gm, or point SOUNDFONT at a General MIDI sound font.",
    )


def _no_program(name: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The program {name} was not found.",
        field="FLUIDSYNTH",
        action="Install fluidsynth, or point FLUIDSYNTH at the program.",
    )


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
