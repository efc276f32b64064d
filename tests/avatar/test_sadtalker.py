"""What crosses the border to an operator's SadTalker: proven with a program that makes a real video of the photo and
the speech, and with programs that fail in every way one can."""

import sys
import time
from pathlib import Path

import av
import pytest

from activities.avatar.base import Subject
from activities.avatar.face import FaceFinder
from activities.avatar.sadtalker import SadTalkerEngine
from activities.support.engine import no_progress
from models.errors import EngineFailed, EngineUnavailable, MediaRejected, StageStalled
from tests.avatar.conftest import Spoken
from tests.processes import is_gone

ARGUMENTS = ("--source_image", "{picture}", "--driven_audio", "{audio}", "--result_dir", "{out}")
GOOD = """
import argparse, pathlib, subprocess, imageio_ffmpeg
parser = argparse.ArgumentParser()
for name in ("source_image", "driven_audio", "result_dir"):
    parser.add_argument(f"--{name}")
given = parser.parse_args()
folder = pathlib.Path(given.result_dir, "2026_01_01")
folder.mkdir()
print("rendering", flush=True)
subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-loop", "1", "-framerate", "30",
    "-i", given.source_image, "-i", given.driven_audio, "-vf", "scale=320:400,noise=alls=8:allf=t", "-shortest", EXTRA
    "-pix_fmt", "yuv420p", str(folder / "result.mp4")], check=True)
"""


@pytest.fixture
def program(tmp_path: Path):
    def write(source: str) -> tuple[str, ...]:
        path = tmp_path / "program.py"
        path.write_text(source)
        return (sys.executable, str(path), *ARGUMENTS)

    return write


def perform(
    command: tuple[str, ...], spoken: Spoken, photo: Path | None, out: Path, finder: FaceFinder, **more: object
):
    engine = SadTalkerEngine(command, finder=finder, patience=float(more.get("patience", 60)))  # type: ignore[arg-type]
    return engine.perform(spoken.performance, Subject("", photo), 360, out, more.get("progress", no_progress))  # type: ignore[arg-type]


def test_its_video_becomes_a_clip_of_the_right_length_rate_and_height(
    program, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    out = tmp_path / "clip.mp4"
    reports: list[tuple[int, int]] = []
    clip = perform(
        program(GOOD.replace("EXTRA", "")), spoken, anna, out, finder, progress=lambda *seen: reports.append(seen)
    )
    frames = len(spoken.planned)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (clip.width, clip.height) == (288, 360)
        assert stream.average_rate == spoken.performance.fps
        assert sum(1 for _ in container.decode(video=0)) == clip.frames == frames
        assert not container.streams.audio
    assert reports[-1] == (frames, frames)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ((), "No command"),
        (("no-such-program-here", *ARGUMENTS), "no-such-program-here"),
        ((sys.executable, "{picture}"), "{audio}"),
    ],
)
def test_without_a_command_it_names_the_setting(
    command: tuple[str, ...], says: str, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    with pytest.raises(EngineUnavailable, match=says) as caught:
        perform(command, spoken, anna, tmp_path / "clip.mp4", finder)
    assert caught.value.field == "SADTALKER_COMMAND"
    with pytest.raises(EngineUnavailable):
        _ = SadTalkerEngine(command).ref


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise SystemExit('CUDA out of memory')", "status 1: CUDA out of memory"),
        ("print('done')", "without writing a video"),
        ("import sys, pathlib; pathlib.Path(sys.argv[-1], 'x.mp4').write_bytes(b'nothing')", "not usable"),
        (GOOD.replace("EXTRA", '"-t", "0.5",'), r"lasts 0\.5"),
    ],
    ids=["fails", "no video", "broken video", "too short"],
)
def test_a_command_that_fails_is_told_why(
    source: str, says: str, program, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    out = tmp_path / "clip.mp4"
    with pytest.raises(EngineFailed, match=says):
        perform(program(source), spoken, anna, out, finder)
    assert not out.exists()


HANGS = "import os, pathlib, time; pathlib.Path({mark!r}).write_text(str(os.getpid())); time.sleep(600)"


def test_a_command_that_hangs_is_given_up_and_ended(
    program, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    mark = tmp_path / "pid"
    with pytest.raises(StageStalled):
        perform(program(HANGS.format(mark=str(mark))), spoken, anna, tmp_path / "clip.mp4", finder, patience=3.0)
    assert is_gone(int(mark.read_text()))


def test_progress_can_stop_it_and_the_program_ends(
    program, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    mark = tmp_path / "pid"

    def stop(done: int, total: int) -> None:
        if mark.exists() and mark.read_text():
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        perform(program(HANGS.format(mark=str(mark))), spoken, anna, tmp_path / "clip.mp4", finder, progress=stop)
    assert time.monotonic() - begun < 300
    assert is_gone(int(mark.read_text()))


def test_the_words_reach_the_program_without_a_shell(
    program, spoken: Spoken, anna: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    trap = tmp_path / "trap"
    with pytest.raises(EngineFailed):
        perform((*program("raise SystemExit(3)"), f"; touch {trap}"), spoken, anna, tmp_path / "clip.mp4", finder)
    assert not trap.exists()


def test_a_photo_without_a_face_never_starts_it(program, spoken: Spoken, tmp_path: Path, finder: FaceFinder) -> None:
    mark = tmp_path / "pid"
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"no picture")
    with pytest.raises(MediaRejected):
        perform(program(HANGS.format(mark=str(mark))), spoken, picture, tmp_path / "clip.mp4", finder)
    assert not mark.exists()
