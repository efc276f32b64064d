"""What goes to a telephone is small, plays, and is what it was made from."""

import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from PIL import Image

from activities.approvals.base import LARGEST, PREVIEW_SECONDS
from activities.approvals.preview import FfmpegPreviews
from models.errors import EngineFailed

PREVIEWS = FfmpegPreviews()


def made(out: Path, *arguments: str) -> Path:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments, str(out)], check=True)
    return out


@pytest.mark.parametrize(("size", "shown"), [("640x360", (854, 480)), ("360x640", (480, 854))])
def test_a_film_is_shown_small_for_a_minute_with_its_sound(tmp_path: Path, size: str, shown: tuple[int, int]) -> None:
    film = made(
        tmp_path / "film.mp4",
        *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=2:d={PREVIEW_SECONDS + 5}"),
        *("-f", "lavfi", "-i", f"sine=d={PREVIEW_SECONDS + 5}", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-c:a", "aac", "-shortest"),
    )
    preview = PREVIEWS.film(film, tmp_path / "preview.mp4")
    with av.open(str(preview)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height) == shown and audio.codec_context.name == "aac"
        assert container.duration == pytest.approx(PREVIEW_SECONDS * 1e6, abs=3e5)
    assert preview.stat().st_size < LARGEST / 4
    assert preview.read_bytes().index(b"moov") < preview.read_bytes().index(b"mdat")


def test_a_song_carries_its_names_and_its_length(tmp_path: Path) -> None:
    master = made(tmp_path / "master.wav", "-f", "lavfi", "-i", "sine=d=2", "-ac", "2", "-c:a", "pcm_s24le")
    song = PREVIEWS.song(master, tmp_path / "song.mp3", artist="Vela; Noor=1", title="Rain — Light")
    with av.open(str(song)) as container:
        assert container.metadata["title"] == "Rain — Light" and container.metadata["artist"] == "Vela; Noor=1"
        assert container.duration == pytest.approx(2e6, abs=1e5)


def test_a_still_is_what_a_message_takes(tmp_path: Path) -> None:
    picture = tmp_path / "cover.jpg"
    Image.effect_noise((3_000, 1_500), 80).save(picture)
    small = PREVIEWS.still(picture, tmp_path / "still.jpg")
    assert Image.open(small).size == (320, 160) and small.stat().st_size < 200_000


def test_what_is_no_film_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with pytest.raises(EngineFailed):
        PREVIEWS.film(tmp_path / "film.mp4", tmp_path / "preview.mp4")
