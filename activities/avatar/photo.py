"""The check of an uploaded photo: what it must be to be performed, decided before anything large is decoded. Called at
upload, so that a person hears at once, and again before a photo is drawn."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from activities.avatar.face import FaceFinder, Picture
from activities.support.box import Box
from models.errors import MediaRejected

MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 64_000_000
"""Larger than any phone takes by default; decoded it is 192 MB."""
MIN_SIDE = 256
MIN_FACE = 96
"""Fewer rows of face than this show no lips to move."""
KEPT_SIDE = 2_400
"""Larger photos are reduced to this: more is never drawn."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_BACKDROP = (128, 128, 128)
_SURE = 0.6
"""A second face has to be this certain before it is held against a photo."""


@dataclass(frozen=True)
class Photo:
    """An upright RGB picture, at most ``KEPT_SIDE`` pixels on its longer side, and its one face."""

    picture: Picture
    face: Box


@dataclass(frozen=True)
class Opened:
    """A decoded picture as :class:`Photo` has it, ``reduced`` to that share of the ``width`` and ``height`` it has when
    it is held upright; ``still`` unless it moves or has several pages."""

    pixels: Picture
    width: int
    height: int
    reduced: float
    still: bool


def check_photo(path: Path, finder: FaceFinder) -> Photo:
    """Decode ``path`` and find its face. Turned upright (EXIF), in sRGB, transparency over grey.

    Raises MediaRejected that says what is wrong and what to do: no picture, damaged, animated, too large, too small, no
    face, several faces, a face too small. Raises EngineUnavailable when the face models are absent.
    """
    opened = open_picture(path)
    return judge(opened, faces_in(opened, finder))


def faces_in(opened: Opened, finder: FaceFinder) -> tuple[Box, ...]:
    """The largest face, and every other that is surely one. Raises EngineUnavailable when the models are absent."""
    faces = finder.boxes(opened.pixels, 0.5)
    others = [box for box in finder.boxes(opened.pixels, _SURE) if box.overlap(faces[0]) < 0.4] if faces else []
    return (*faces[:1], *others)


def judge(opened: Opened, faces: tuple[Box, ...]) -> Photo:
    """The photo to animate, if the picture is one. Raises MediaRejected as :func:`check_photo`."""
    if min(opened.width, opened.height) < MIN_SIDE:
        raise _rejected(
            f"The photo is {opened.width}x{opened.height} pixels; each side must be at least {MIN_SIDE}.",
            "Supply a larger photo.",
            "photo.small",
        )
    if not opened.still:
        raise _rejected("The file is an animation or has several pages.", "Supply a still photo.", "photo.animated")
    if not faces:
        raise _rejected(
            "No face was found in the photo.",
            "Supply a photo of one person who looks at the camera, well lit.",
            "photo.no_face",
        )
    if len(faces) > 1:
        raise _rejected(
            f"The photo shows {len(faces)} faces; exactly one is needed.",
            "Crop the photo to the person who is to speak.",
            "photo.several_faces",
        )
    rows = round(faces[0].height / opened.reduced)
    if rows < MIN_FACE:
        raise _rejected(
            f"The face is only {rows} pixels tall; it must be at least {MIN_FACE}.",
            "Supply a larger photo, or one taken from nearer.",
            "photo.small_face",
        )
    return Photo(opened.pixels, faces[0])


def _rejected(message: str, action: str, code: str) -> MediaRejected:
    return MediaRejected(message, field="photo", code=code, action=action)


def open_picture(path: Path) -> Opened:
    """Decode all of ``path``. Raises MediaRejected for what is no picture, is damaged, or is too large."""
    data = _read(path)
    Image.init()
    try:
        # Pillow's own limits are process-wide settings; the size is judged here, from the header.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise _too_large()
                return _upright(image)
    except UnidentifiedImageError as error:
        kind = "a PDF document" if data.startswith(b"%PDF") else "not a picture that can be read"
        raise _rejected(f"The file is {kind}.", "Supply a JPEG, PNG or WebP picture.", "picture.unreadable") from error
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        raise _rejected(
            f"The picture is damaged or truncated and cannot be decoded: {error}.",
            "Export or upload it again.",
            "picture.damaged",
        ) from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _rejected(
                f"The picture is larger than {MAX_BYTES >> 20} MB.", "Save it as a JPEG and send that.", "picture.large"
            )
        data = path.read_bytes()
    except OSError as error:
        raise _rejected(
            f"The picture cannot be read: {error.strerror}.", "Upload it again.", "picture.unreadable"
        ) from error
    if not data:
        raise _rejected("The picture is an empty file.", "Upload it again.", "picture.unreadable")
    return data


def _too_large() -> MediaRejected:
    return _rejected(
        f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels.",
        "Reduce it to at most 8000 pixels a side.",
        "picture.large",
    )


def _upright(image: Image.Image) -> Opened:
    profile = image.info.get("icc_profile")
    whole = image.size
    # A phone's MPO holds a second exposure of the same moment, which is no animation.
    still = image.format == "MPO" or getattr(image, "n_frames", 1) == 1
    image.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
    image.load()
    turned = _srgb(_flat(ImageOps.exif_transpose(image)), profile)
    width, height = whole if (turned.width >= turned.height) == (whole[0] >= whole[1]) else whole[::-1]
    turned.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS)
    return Opened(np.asarray(turned, np.uint8), width, height, max(turned.size) / max(whole), still)


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency, palette or 16-bit samples."""
    if image.mode.startswith("I") or image.mode == "F":
        samples = np.asarray(image, np.float64)
        top = 65_535.0 if samples.max(initial=0.0) > 255 else 255.0
        return Image.fromarray(np.clip(samples / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        layered = image.convert("RGBA")
        ground = Image.new("RGBA", layered.size, (*_BACKDROP, 255))
        return Image.alpha_composite(ground, layered).convert("RGB")
    return image if image.mode in ("RGB", "CMYK", "LAB") else image.convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In sRGB by the embedded profile; a profile that cannot be used is as good as none."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")
