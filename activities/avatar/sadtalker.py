"""SadTalker through a command line the operator supplies. Apart because its weights and its old dependencies live in an
environment of their own: what is checked here is everything that crosses that border."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import soundfile

from activities.avatar.base import Clip, Performance, Subject
from activities.avatar.face import FaceFinder
from activities.avatar.photo import check_photo
from activities.support.engine import Progress
from activities.support.ffmpeg import BIT_EXACT, BT709_TAGS, probe, run
from activities.support.program import run_program
from models.engines import find_engine
from models.errors import EngineFailed, EngineUnavailable, MediaRejected, StageStalled
from models.plan import Capability, EngineRef

SETTING: Final = "SADTALKER_COMMAND"
PLACEHOLDERS: Final = ("{picture}", "{audio}", "{out}")
_TOLERANCE: Final = 0.25
"""Seconds that a result may be shorter than the speech: SadTalker cuts the last, incomplete mel window."""


class SadTalkerEngine:
    """Runs ``command``, its words without a shell, with ``{picture}``, ``{audio}`` and ``{out}`` (a directory) filled
    in: ``python inference.py --source_image {picture} --driven_audio {audio} --result_dir {out}``.

    ``patience`` is how many seconds the command may stay without a sign of life (output said or files grown) before it
    is ended. The curves of a performance are not used: SadTalker hears the speech itself.
    """

    def __init__(self, command: Sequence[str] = (), patience: float = 180.0, finder: FaceFinder | None = None) -> None:
        self._command = tuple(command)
        self._patience = patience
        self._finder = finder or FaceFinder()

    @property
    def ref(self) -> EngineRef:
        """Its identity; its weights are the operator's. Raises EngineUnavailable when there is no such command."""
        self._check_command()
        return find_engine(Capability.AVATAR, "sadtalker").ref()

    def looks(self) -> tuple[str, ...]:
        """None: this engine performs photos."""
        return ()

    def perform(self, performance: Performance, subject: Subject, height: int, out: Path, progress: Progress) -> Clip:
        """Write ``out``: what the command made of the photo and the speech, at the performance's rate and length.

        Raises EngineUnavailable when there is no such command, MediaRejected for a photo that is not one usable face,
        StageStalled when the command shows no sign of life, EngineFailed when it fails or makes no usable video.
        """
        self._check_command()
        if subject.photo is None:
            raise MediaRejected("SadTalker needs a photo and was given none.", field="photo")
        photo = check_photo(subject.photo, self._finder)
        with soundfile.SoundFile(performance.wav) as sound:
            duration = sound.frames / sound.samplerate
        frames = -int(-duration * performance.fps // 1)
        with tempfile.TemporaryDirectory(prefix="sadtalker-") as scratch:
            # Upright and without EXIF: not every program turns photos by their tag.
            picture, result = Path(scratch, "photo.png"), Path(scratch, "result")
            result.mkdir()
            if not cv2.imwrite(str(picture), cv2.cvtColor(photo.picture, cv2.COLOR_RGB2BGR)):
                raise EngineFailed("The photo could not be written for SadTalker.")
            values = {"picture": str(picture), "audio": str(performance.wav.resolve()), "out": str(result)}
            self._run(
                [_fill(word, values) for word in self._command], Path(scratch, "said.log"), result, frames, progress
            )
            video = _newest(result)
            width = _conform(video, out, frames, duration, performance.fps, height)
        progress(frames, frames)
        return Clip(out, width, height - height % 2, frames, performance.fps, matte=False)

    def _check_command(self) -> None:
        if not self._command:
            raise _unavailable("No command that runs SadTalker is set.")
        missing = [name for name in PLACEHOLDERS if not any(name in word for word in self._command)]
        if missing:
            raise _unavailable(f"The SadTalker command has no {' and no '.join(missing)} in it.")
        if shutil.which(self._command[0]) is None:
            raise _unavailable(f"The program {self._command[0]!r} of the SadTalker command was not found.")

    def _run(self, words: list[str], log: Path, result: Path, frames: int, progress: Progress) -> None:
        life, seen = -1, time.monotonic()

        def beat() -> None:
            """``progress`` is asked all the time whether to stop; life is judged here, because a command that hangs
            must not pass for one that works."""
            nonlocal life, seen
            progress(0, frames)
            now = log.stat().st_size + sum(file.stat().st_size for file in result.rglob("*") if file.is_file())
            if now != life:
                life, seen = now, time.monotonic()
            elif time.monotonic() - seen > self._patience:
                raise StageStalled(f"SadTalker showed no sign of life for {self._patience:.0f} s.")

        try:
            status = run_program(words, log, beat)
        except OSError as error:
            raise _unavailable(f"The SadTalker command cannot be started: {error.strerror}.") from error
        if status:
            said = " ".join(log.read_text("utf-8", errors="replace").split())[-600:]
            raise EngineFailed(f"SadTalker ended with status {status}: {said}", code="avatar.sadtalker_failed")


def _unavailable(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message,
        field=SETTING,
        action=f"Set {SETTING} to the command line that runs SadTalker, with {', '.join(PLACEHOLDERS)} in it, "
        "or choose another avatar engine.",
    )


def _fill(word: str, values: dict[str, str]) -> str:
    """Only the three names: other braces belong to the command."""
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", value)
    return word


def _newest(result: Path) -> Path:
    """The video that was made last: with an enhancer SadTalker writes the plain one first."""
    videos = [file for file in result.rglob("*") if file.suffix.lower() in (".mp4", ".avi", ".mov", ".mkv", ".webm")]
    if not videos:
        raise EngineFailed("SadTalker ended without writing a video.", code="avatar.sadtalker_no_video")
    return max(videos, key=lambda file: (file.stat().st_mtime_ns, str(file)))


def _conform(video: Path, out: Path, frames: int, duration: float, fps: int, height: int) -> int:
    """Write ``out`` at the clip's rate, height and length; returns its width. The last picture is held over what
    SadTalker leaves off at the end; a result that is much shorter is refused."""
    try:
        info = probe(video, whole=True)
    except MediaRejected as error:
        raise EngineFailed(
            f"SadTalker's video is not usable: {error.message}", code="avatar.sadtalker_no_video"
        ) from error
    if not info.has_video or not info.frames:
        raise EngineFailed("SadTalker's video has no frames.", code="avatar.sadtalker_no_video")
    if info.duration < duration - _TOLERANCE:
        raise EngineFailed(
            f"SadTalker's video lasts {info.duration:.2f} s, the speech {duration:.2f} s.",
            code="avatar.sadtalker_too_short",
        )
    rows = height - height % 2
    width = max(2, 2 * round(rows * info.width / info.height / 2))
    filters = (
        f"fps={fps},tpad=stop_mode=clone:stop=-1,trim=end_frame={frames},"
        f"scale={width}:{rows}:flags=lanczos:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p"
    )
    arguments = [
        *("-i", str(video), "-an", "-sn", "-vf", filters, "-r", str(fps)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-threads", "1", "-flags", "+cgop"),
        *BT709_TAGS,
        *BIT_EXACT,
        *("-movflags", "+faststart", str(out)),
    ]
    try:
        run(arguments)
        made = probe(out, whole=True)
        if made.frames != frames:
            raise EngineFailed(f"SadTalker's video gave {made.frames} frames instead of {frames}.")
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return width
