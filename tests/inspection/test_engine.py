"""What decoding finds in an upload, and that a file is refused for exactly the uses it is unfit for."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from PIL import Image

from activities.inspection.engine import MediaInspector
from activities.support.engine import no_progress
from models.errors import MediaRejected
from models.inspection import Findings, Use

PORTRAITS = Path(__file__).parents[1] / "media" / "portraits"
RATE = 24_000
LONGEST = 600.0
Sound = npt.NDArray[np.float64]
NOISE = np.random.default_rng(0).normal(0, 0.06, 9 * RATE)


@pytest.fixture(scope="module")
def inspector() -> MediaInspector:
    return MediaInspector()


@pytest.fixture(scope="module")
def voice() -> Sound:
    """Nine seconds of bursts and pauses at the levels of clean speech."""
    seconds = np.arange(9 * RATE) / RATE
    bursts = (np.sin(2 * np.pi * 1.5 * seconds) > -0.4) * 0.2
    return bursts * np.sin(2 * np.pi * 180 * seconds) + np.random.default_rng(1).normal(0, 0.0005, len(seconds))


def ffmpeg(*arguments: object) -> None:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error"]
    subprocess.run([*program, *map(str, arguments)], check=True)


def codes(findings: Findings) -> dict[Use, str]:
    return {entry.use: entry.failure.code for entry in findings.unfit}


def refused(inspector: MediaInspector, path: Path, media_type: str, longest: float = LONGEST) -> MediaRejected:
    with pytest.raises(MediaRejected) as caught:
        inspector.inspect(path, media_type, longest, no_progress)
    assert caught.value.field == "file"
    assert caught.value.action
    return caught.value


def picture(inspector: MediaInspector, image: Image.Image, path: Path, **options: object) -> Findings:
    image.save(path, **options)  # type: ignore[arg-type]
    return inspector.inspect(path, f"image/{path.suffix[1:]}", LONGEST, no_progress)


def test_a_portrait_may_speak(inspector: MediaInspector) -> None:
    found = inspector.inspect(PORTRAITS / "anna.jpg", "image/jpeg", LONGEST, no_progress)
    assert found == Findings(width=640, height=800, faces=1)


def test_a_logo_is_a_fine_picture_and_no_portrait(inspector: MediaInspector, tmp_path: Path) -> None:
    found = picture(inspector, Image.new("RGBA", (400, 300), (200, 30, 40, 128)), tmp_path / "logo.png")
    assert (found.width, found.height, found.faces, codes(found)) == (400, 300, 0, {Use.PORTRAIT: "photo.no_face"})
    tiny = picture(inspector, Image.new("CMYK", (40, 40), (0, 255, 0, 0)), tmp_path / "tiny.jpeg")
    assert (tiny.faces, codes(tiny)) == (0, {Use.PORTRAIT: "photo.small"})


def test_two_faces_are_counted_and_a_far_one_is_too_small(inspector: MediaInspector, tmp_path: Path) -> None:
    anna, ben = (Image.open(PORTRAITS / f"{name}.jpg").resize((640, 800)) for name in ("anna", "ben"))
    both = Image.new("RGB", (1280, 800))
    both.paste(anna, (0, 0))
    both.paste(ben, (640, 0))
    found = picture(inspector, both, tmp_path / "two.png")
    assert (found.faces, codes(found)) == (2, {Use.PORTRAIT: "photo.several_faces"})
    far = Image.new("RGB", (700, 700), (90, 90, 90))
    far.paste(anna.resize((144, 180)), (280, 260))
    assert codes(picture(inspector, far, tmp_path / "far.png")) == {Use.PORTRAIT: "photo.small_face"}


def test_measures_are_those_of_the_picture_held_upright(inspector: MediaInspector, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.open(PORTRAITS / "anna.jpg").transpose(Image.Transpose.ROTATE_90)
    found = picture(inspector, lying, tmp_path / "phone.jpeg", exif=exif)
    assert (lying.size, found.width, found.height, found.faces, found.unfit) == ((800, 640), 640, 800, 1, ())
    printed = Image.open(PORTRAITS / "anna.jpg").convert("CMYK").resize((3_200, 4_000))
    large = picture(inspector, printed, tmp_path / "print.jpeg")
    assert (large.width, large.height, large.faces, large.unfit) == (3_200, 4_000, 1, ())


def test_a_picture_that_breaks_off_is_refused(inspector: MediaInspector, tmp_path: Path) -> None:
    whole = (PORTRAITS / "anna.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert refused(inspector, tmp_path / "cut.jpg", "image/jpeg").code == "picture.damaged"


def test_clean_speech_is_fit_for_everything(inspector: MediaInspector, voice: Sound, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.flac", voice, RATE)
    found = inspector.inspect(tmp_path / "voice.flac", "audio/flac", LONGEST, no_progress)
    assert found == Findings(duration_ms=9_000, sample_rate=RATE, channels=1)


@pytest.mark.parametrize(
    ("spoil", "code", "unfit"),
    [
        (lambda voice: voice[:RATE], "audio.too-short", {Use.VOICE_SAMPLE}),
        (lambda voice: voice * 0.02, "audio.too-quiet", {Use.VOICE_SAMPLE, Use.RECORDING}),
        (lambda voice: np.clip(voice * 4.99, -1, 1), "audio.clipped", {Use.VOICE_SAMPLE, Use.RECORDING}),
        (lambda voice: voice + NOISE, "audio.noisy", {Use.VOICE_SAMPLE, Use.RECORDING}),
    ],
    ids=["short", "faint", "clipped", "noisy"],
)
def test_sound_is_refused_for_those_uses_alone_it_is_unfit_for(
    inspector: MediaInspector,
    voice: Sound,
    tmp_path: Path,
    spoil: Callable[[Sound], Sound],
    code: str,
    unfit: set[Use],
) -> None:
    soundfile.write(tmp_path / "sound.wav", spoil(voice), RATE)
    found = inspector.inspect(tmp_path / "sound.wav", "audio/wav", LONGEST, no_progress)
    assert codes(found) == dict.fromkeys(unfit, code)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path, voice: soundfile.write(path, voice * 0, RATE), "audio.silent"),
        (lambda path, voice: soundfile.write(path, np.clip(voice * 30, -1, 1), RATE), "audio.clipped"),
        (lambda path, voice: soundfile.write(path, voice[::3], 8_000), "audio.sample-rate"),
        (lambda path, voice: soundfile.write(path, voice[:0], RATE), "audio.too-short"),
        (lambda path, voice: soundfile.write(path, np.tile(voice, 70), RATE), "audio.too-long"),
        (lambda path, voice: path.write_bytes(b"\xff\xfb\x90\x64" + bytes(5_000)), "audio.unreadable"),
    ],
    ids=["silent", "clipped for good", "8 kHz", "empty", "long", "no sound"],
)
def test_sound_that_nothing_can_be_made_of_is_refused(
    inspector: MediaInspector, voice: Sound, tmp_path: Path, make: Callable[[Path, Sound], object], code: str
) -> None:
    make(tmp_path / "sound.wav", voice)
    assert refused(inspector, tmp_path / "sound.wav", "audio/wav").code == code


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_sound_that_breaks_off_is_refused(inspector: MediaInspector, voice: Sound, tmp_path: Path, suffix: str) -> None:
    whole, path = io.BytesIO(), tmp_path / f"cut.{suffix}"
    soundfile.write(whole, voice, RATE, format=suffix)
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) * 2 // 3])
    assert refused(inspector, path, f"audio/{suffix}").code == "audio.truncated"


def test_compressed_sound_that_breaks_off_is_refused(inspector: MediaInspector, voice: Sound, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", voice, RATE)
    whole, cut = tmp_path / "voice.m4a", tmp_path / "cut.m4a"
    ffmpeg("-i", tmp_path / "voice.wav", "-movflags", "+faststart", whole)
    assert inspector.inspect(whole, "audio/mp4", LONGEST, no_progress).duration_ms == pytest.approx(9_000, abs=100)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert refused(inspector, cut, "audio/mp4").code == "audio.truncated"


def test_a_video_is_measured_and_one_that_shows_nothing_or_breaks_off_is_refused(
    inspector: MediaInspector, tmp_path: Path
) -> None:
    whole, mute = tmp_path / "whole.mp4", tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:d=2", "-movflags", "+faststart", whole)
    found = inspector.inspect(whole, "video/mp4", LONGEST, no_progress)
    assert found == Findings(width=64, height=48, duration_ms=2_000, frames=50)
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", mute)
    assert refused(inspector, mute, "video/mp4").code == "video.no-frames"
    assert refused(inspector, whole, "video/mp4", longest=1.0).code == "upload.too_long"
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    refused(inspector, cut, "video/mp4")


def test_a_document_has_to_be_whole(inspector: MediaInspector, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n" + bytes(9_000) + b"startxref\n9\n%%EOF\n")
    assert inspector.inspect(paper, "application/pdf", LONGEST, no_progress) == Findings()
    paper.write_bytes(paper.read_bytes()[:5_000])
    assert refused(inspector, paper, "application/pdf").code == "upload.truncated"
