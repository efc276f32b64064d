"""FluidSynth as a player of parts: a sound font, the program's words, and how early each instrument has to begin."""

import hashlib
import re
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

import soundfile as sf

from activities.music.attack import TEMPO_BPM, Attacks, ahead, attacks, trial
from activities.music.instruments import struck
from activities.music.midi import write_midi
from activities.music.tone import RATE, Stereo
from activities.support.program import run_program
from models.errors import EngineFailed, EngineUnavailable
from models.music import Part

SOUNDFONT: Final = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
"""Where Debian's fluid-soundfont-gm puts it."""
_SOUNDFONT_HEADER: Final = re.compile(rb"RIFF.{4}sfbk", re.DOTALL)
_COUNT_IN_BEATS: Final = 1.0
_LOCK: Final = threading.Lock()
_ATTACKS: Final[dict[tuple[str, int, bool], Attacks]] = {}
"""What was heard of each sound font's instruments, by its sha256: a pure function of them, found once a process."""


class FluidSynth:
    """Plays one part at a time. Thread-safe. ``soundfont`` is a General MIDI sound font (None: Debian's); ``program``
    FluidSynth, by path or name."""

    def __init__(self, soundfont: Path | None, program: str) -> None:
        self._soundfont = soundfont or SOUNDFONT
        self._program = program

    def check(self) -> None:
        """Raises EngineUnavailable without program or sound font."""
        if shutil.which(self._program) is None:
            raise _no_program(self._program)
        _ = self.sha256

    @cached_property
    def sha256(self) -> str:
        """Of the sound font. Raises EngineUnavailable where there is none."""
        try:
            with self._soundfont.open("rb") as file:
                if not _SOUNDFONT_HEADER.fullmatch(file.read(12)):
                    raise _no_soundfont(f"{self._soundfont.name} is no sound font.")
                file.seek(0)
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _no_soundfont(f"The sound font {self._soundfont.name} cannot be read: {error.strerror}.") from error

    def play(
        self,
        part: Part,
        tempo_bpm: float,
        beats: float,
        folder: Path,
        beat: Callable[[], None],
        *,
        reverb: int,
        room: float,
        chorus: int,
    ) -> Stereo:
        """``beats`` of ``part`` from its first downbeat on, each note heard when it is written.

        ``reverb`` and ``chorus`` are sends from 0 to 127, ``room`` the reverb's size from 0 to 1; ``beat`` is called
        several times a second.

        Raises EngineFailed when the program gives no sound.
        """
        found = self._attacks_of(part, folder, beat)
        midi = folder / f"{part.stem}.mid"

        def early(pitch: int) -> float:
            return ahead(found, pitch) * tempo_bpm / 60

        try:
            write_midi(part, tempo_bpm, beats, reverb, chorus, _COUNT_IN_BEATS, early, midi)
            whole = self._rendered(midi, room, beat)
        finally:
            midi.unlink(missing_ok=True)
        return whole[round(_COUNT_IN_BEATS * 60 / tempo_bpm * RATE) :]

    def _attacks_of(self, part: Part, folder: Path, beat: Callable[[], None]) -> Attacks:
        """Heard once for each instrument; threads that come at the same time find the same."""
        key = (self.sha256, part.program, part.drums)
        with _LOCK:
            found = _ATTACKS.get(key)
        if found is None:
            played, beats = trial(part.program, drums=part.drums)
            midi = folder / f"{part.stem}-{played.stem}.mid"
            try:
                write_midi(played, TEMPO_BPM, beats, 0, 0, _COUNT_IN_BEATS, lambda _: 0.0, midi)
                heard = self._rendered(midi, 0.0, beat)
            finally:
                midi.unlink(missing_ok=True)
            count_in = _COUNT_IN_BEATS * 60 / TEMPO_BPM
            found = attacks(played, heard, count_in, struck=part.drums or struck(part.program))
            with _LOCK:
                _ATTACKS[key] = found
        return found

    def _rendered(self, midi: Path, room: float, beat: Callable[[], None]) -> Stereo:
        """What the program plays of ``midi``. Its other files are beside it."""
        wav, log, settings = (midi.with_suffix(kind) for kind in (".raw.wav", ".log", ".cfg"))
        # An empty file of commands, because without one the program reads its user's.
        settings.touch()
        words = [
            *(self._program, "-n", "-i", "-q", "-f", str(settings), "-g", "0.4", "-r", str(RATE)),
            *("-o", f"synth.reverb.room-size={room}", "-o", "synth.reverb.level=0.5"),
            *("-o", "synth.polyphony=512", "-o", "synth.dynamic-sample-loading=1"),
            # Or it plays with the system's sound font where it cannot load this one.
            *("-o", f"synth.default-soundfont={self._soundfont}"),
            *("-T", "wav", "-O", "float", "-F", str(wav), str(self._soundfont), str(midi)),
        ]
        try:
            status = run_program(words, log, beat)
            said = log.read_text(errors="replace")[-500:]
            if status:
                raise EngineFailed(f"FluidSynth ended with status {status}: {said}", code="engine.fluidsynth_failed")
            with suppress(sf.LibsndfileError):
                samples: Stereo = sf.read(wav, dtype="float32", always_2d=True)[0]
                return samples
            raise EngineFailed(f"FluidSynth wrote no sound: {said}", code="engine.fluidsynth_failed")
        except OSError as error:
            raise _no_program(self._program) from error
        finally:
            for path in (wav, log, settings):
                path.unlink(missing_ok=True)


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
