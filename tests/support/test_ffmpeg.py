"""ffmpeg is started, watched and stopped in one place, and media are known by their content."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.support.ffmpeg import encode_frames, probe, run
from models.errors import EngineFailed, MediaRejected, StorageFull

ENDLESS = ("-re", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25")


class Stopped(Exception):
    pass


def children() -> set[str]:
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return {name for name in listed.stdout.split() if name.startswith("ffmpeg")}


def clip(out: Path, frames: int = 30, size: tuple[int, int] = (160, 90)) -> Path:
    encode_frames((bytes([n % 256]) * (size[0] * size[1] * 3) for n in range(frames)), out, size, 25)
    return out


def test_progress_counts_the_frames_written(tmp_path: Path) -> None:
    seen: list[int] = []
    run(["-f", "lavfi", "-i", "testsrc2=s=160x90:d=2:r=25", str(tmp_path / "a.mp4")], seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 50


def test_a_progress_callback_that_raises_leaves_no_child(tmp_path: Path) -> None:
    def stop(frame: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run([*ENDLESS, str(tmp_path / "a.mp4")], stop)
    assert not children()


def test_frames_that_fail_half_way_leave_no_child_and_no_file(tmp_path: Path) -> None:
    def frames() -> Iterator[bytes]:
        yield bytes(160 * 90 * 3)
        raise Stopped

    with pytest.raises(Stopped):
        encode_frames(frames(), tmp_path / "a.mp4", (160, 90), 25)
    assert not children()
    assert not (tmp_path / "a.mp4").exists()


def test_the_error_carries_what_ffmpeg_said(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="No such file"):
        run(["-i", str(tmp_path / "absent.mp4"), str(tmp_path / "b.mp4")])


def test_a_child_that_dies_while_it_is_fed_reports_its_own_error() -> None:
    endless = (bytes(160 * 90 * 3) for _ in range(10_000))
    with pytest.raises(EngineFailed, match="not_a_filter"):
        run(
            [
                *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "160x90", "-i", "pipe:0"),
                *("-vf", "not_a_filter", "-f", "null", "-"),
            ],
            stdin=endless,
        )


def test_a_full_disk_is_named() -> None:
    with pytest.raises(StorageFull):
        run(["-f", "lavfi", "-i", "testsrc2=s=160x90:d=1", "-f", "mpegts", "/dev/full"])


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    assert clip(tmp_path / "a.mp4").read_bytes() == clip(tmp_path / "b.mp4").read_bytes()


def test_a_probe_tells_size_rate_frames_and_colours(tmp_path: Path) -> None:
    info = probe(clip(tmp_path / "a.mp4"), whole=True)
    assert (info.width, info.height, info.fps, info.frames, info.matrix) == (160, 90, 25.0, 30, "bt709")
    assert info.duration == pytest.approx(1.2)
    assert info.has_video
    assert not info.has_audio


def test_a_probe_tells_rate_and_channels_of_sound(tmp_path: Path) -> None:
    run(["-f", "lavfi", "-i", "sine=r=22050:d=1.5", "-ac", "2", str(tmp_path / "a.wav")])
    info = probe(tmp_path / "a.wav", whole=True)
    assert (info.sample_rate, info.channels, info.has_video, info.frames) == (22050, 2, False, 0)
    assert info.duration == pytest.approx(1.5)


def test_a_still_picture_is_one_frame(tmp_path: Path) -> None:
    run(["-f", "lavfi", "-i", "testsrc2=s=160x90:d=1", "-frames:v", "1", str(tmp_path / "a.png")])
    info = probe(tmp_path / "a.png", whole=True)
    assert (info.frames, info.duration, info.width) == (1, 0.0, 160)


def test_a_truncated_video_is_refused_by_name(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mp4", frames=250, size=(320, 180)).read_bytes()
    cut = tmp_path / "plate.mp4"
    cut.write_bytes(whole[: int(len(whole) * 0.7)])
    with pytest.raises(MediaRejected, match=r"plate\.mp4 is truncated"):
        probe(cut, whole=True)


def test_a_truncated_sound_is_refused_by_name(tmp_path: Path) -> None:
    run(["-f", "lavfi", "-i", "sine=d=10", "-c:a", "flac", str(tmp_path / "a.flac")])
    cut = tmp_path / "bed.flac"
    cut.write_bytes((tmp_path / "a.flac").read_bytes()[:60_000])
    with pytest.raises(MediaRejected, match=r"bed\.flac is truncated"):
        probe(cut, whole=True)


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    run(["-f", "lavfi", "-i", "testsrc2=d=1:s=160x90", "-frames:v", "0", str(tmp_path / "a.mkv")])
    with pytest.raises(MediaRejected, match=r"a\.mkv"):
        probe(tmp_path / "a.mkv")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n1 0 obj", b"hello " * 100], ids=["empty", "pdf", "text"])
def test_what_is_no_media_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    with pytest.raises(MediaRejected, match=r"logo\.png"):
        probe(tmp_path / "logo.png")
