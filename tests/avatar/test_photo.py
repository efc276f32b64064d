"""What an uploaded photo must be, and that each refusal says what is wrong and what to do."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from activities.avatar.face import FaceFinder
from activities.avatar.photo import KEPT_SIDE, check_photo
from models.errors import MediaRejected


def refused(path: Path, finder: FaceFinder) -> MediaRejected:
    with pytest.raises(MediaRejected) as caught:
        check_photo(path, finder)
    assert caught.value.field == "photo"
    assert caught.value.action != MediaRejected.action
    return caught.value


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def test_a_portrait_passes_with_its_face_boxed(anna: Path, finder: FaceFinder) -> None:
    photo = check_photo(anna, finder)
    assert photo.picture.shape == (800, 640, 3) and photo.picture.dtype == np.uint8
    assert 150 < photo.face.height < 400
    assert 200 < (photo.face.left + photo.face.right) / 2 < 440


def test_no_face(tmp_path: Path, finder: FaceFinder) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    assert "No face" in refused(saved(Image.fromarray(picture), tmp_path / "noise.png"), finder).message


def test_two_faces(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    one = Image.open(anna)
    both = Image.new("RGB", (1280, 800))
    both.paste(one, (0, 0))
    both.paste(Image.open(anna.with_name("ben.jpg")).resize((640, 800)), (640, 0))
    error = refused(saved(both, tmp_path / "two.jpg"), finder)
    assert "2 faces" in error.message and "Crop" in error.action


def test_forty_by_forty_pixels(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    assert "40x40" in refused(saved(Image.open(anna).resize((40, 40)), tmp_path / "tiny.png"), finder).message


def test_a_face_too_small_to_speak(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    far = Image.new("RGB", (700, 700), (90, 90, 90))
    far.paste(Image.open(anna).resize((144, 180)), (280, 260))
    assert "pixels tall" in refused(saved(far, tmp_path / "far.png"), finder).message


def test_cmyk_becomes_rgb(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    printed = saved(Image.open(anna).convert("CMYK"), tmp_path / "print.jpg", quality=95)
    photo = check_photo(printed, finder)
    plain = check_photo(anna, finder)
    assert np.abs(photo.picture.astype(int) - plain.picture.astype(int)).mean() < 6


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_rotation_is_applied(tmp_path: Path, anna: Path, finder: FaceFinder, orientation: int) -> None:
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = saved(Image.open(anna).transpose(undo), tmp_path / "turned.png", exif=exif)
    photo = check_photo(turned, finder)
    assert np.array_equal(photo.picture, np.asarray(Image.open(anna)))


def test_a_renamed_pdf(tmp_path: Path, finder: FaceFinder) -> None:
    fake = tmp_path / "me.jpg"
    fake.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")
    assert "PDF" in refused(fake, finder).message


@pytest.mark.parametrize("content", [b"", b"\x00" * 5_000, b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture(tmp_path: Path, finder: FaceFinder, content: bytes) -> None:
    fake = tmp_path / "me.jpg"
    fake.write_bytes(content)
    refused(fake, finder)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, finder: FaceFinder) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100)))
        bomb = tmp_path / f"bomb{side}.png"
        bomb.write_bytes(body + chunk(b"IEND", b""))
        assert "million pixels" in refused(bomb, finder).message


def test_pillows_limit_for_everybody_else_is_left_alone(anna: Path, finder: FaceFinder) -> None:
    before = Image.MAX_IMAGE_PIXELS
    check_photo(anna, finder)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_truncated_file(tmp_path: Path, anna: Path, finder: FaceFinder, suffix: str) -> None:
    buffer = BytesIO()
    Image.open(anna).save(buffer, {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[suffix])
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    assert "truncated" in refused(cut, finder).message


def test_an_animation(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    frames = [Image.open(anna).resize((320, 400)), Image.open(anna.with_name("ben.jpg")).resize((320, 400))]
    moving = saved(frames[0], tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert "animation" in refused(moving, finder).message


def test_transparency_is_laid_over_grey(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    cut = Image.open(anna).convert("RGBA")
    cut.paste((0, 0, 0, 0), (0, 0, 640, 40))
    photo = check_photo(saved(cut, tmp_path / "cut.png"), finder)
    assert (photo.picture[:38] == 128).all()


def test_grey_of_sixteen_bits(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    grey = np.asarray(Image.open(anna).convert("L")).astype(np.uint16) * 257
    photo = check_photo(saved(Image.fromarray(grey), tmp_path / "deep.png"), finder)
    assert np.abs(photo.picture[..., 0].astype(int) - grey // 257).max() <= 1


def test_a_large_photo_is_reduced(tmp_path: Path, anna: Path, finder: FaceFinder) -> None:
    large = saved(Image.open(anna).resize((3200, 4000)), tmp_path / "large.jpg")
    photo = check_photo(large, finder)
    assert max(photo.picture.shape) <= KEPT_SIDE
    assert photo.face.height > 500
