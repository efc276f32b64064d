"""Wav2Lip on pictures and video: find the face, let the network draw the mouth, and lay it back without a seam. Apart
from the network because this part is ours: streaming, frames without a face, and how the drawn crop is blended."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
import torch
from av.error import FFmpegError
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from activities.avatar.face import FaceFinder
from activities.lipsync.visemes import frame_count
from activities.lipsync.wav2lip_model import FACE, Wav2Lip, load_wav2lip, mel_spectrogram, mel_window
from activities.support.audio import mono_16k, wav_seconds
from activities.support.box import Box
from activities.support.engine import Progress
from activities.support.ffmpeg import encode_frames, probe
from models.engines import find_engine
from models.errors import EngineUnavailable, MediaRejected
from models.plan import Capability, EngineRef

Picture = NDArray[np.uint8]

BATCH: Final = 16
"""Frames drawn at once: 8-16 is fastest on CPU, and it bounds memory."""
CONFIDENCE: Final = 0.5
SMOOTHING: Final = 5
"""Frames over which the box is averaged: a box that trembles makes the mouth tremble."""
CHIN: Final = 0.05
"""Share of the face's height added below the chin, which a falling jaw needs (10 pixels of a 200 pixel face in the
published code)."""
MAX_SIDE: Final = 1_920
"""Larger still pictures are reduced to this; video keeps its size."""
DRAWN_FROM: Final = (0.40, 0.54)
"""Rows of the crop, as shares of its height, between which the drawn picture takes over: eyes and brows stay the
original's, which is sharper than 96 pixels."""
FEATHER: Final = 0.08
"""Share of the crop over which the drawn picture fades out at its sides and bottom."""


class Wav2LipEngine:
    """Redraws mouths with the operator's Wav2Lip checkpoint.

    ``device`` is a torch device; by default the first GPU, else the CPU (about 25 ms a frame on two cores). The
    network is loaded once, at the first call; calls take turns at it.
    """

    def __init__(self, checkpoint: Path | None, device: str = "") -> None:
        self._checkpoint = checkpoint
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._lock = threading.Lock()
        self._model: Wav2Lip | None = None
        self._finder = FaceFinder()

    @property
    def ref(self) -> EngineRef:
        """Its identity; ``weights`` is the checkpoint's sha256, empty while there is none."""
        return find_engine(Capability.LIPSYNC, "wav2lip").ref(self._weights)

    @cached_property
    def _weights(self) -> str:
        if self._checkpoint is None or not self._checkpoint.is_file():
            return ""
        with self._checkpoint.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def resync(self, face: Path, wav: Path, fps: int, out: Path, progress: Progress) -> int:
        """Write ``out`` (mp4, H.264, no audio, ``ceil(seconds * fps)`` frames): ``face`` speaking ``wav``.

        ``face`` is a picture or a video; a video shorter than the speech starts over. The largest face of a frame
        speaks; a frame without a face is carried over unchanged. Returns the frame count.

        Raises EngineUnavailable for an absent or foreign checkpoint, MediaRejected for a file without usable frames or
        sound.
        """
        model = self._load()
        frames = frame_count(wav_seconds(wav), fps)
        mel = mel_spectrogram(mono_16k(wav).astype(np.float32) / np.float32(32_768))
        source = _Source(face, fps)
        boxes = smoothed(self._find(source, frames, progress))

        def drawn() -> Iterator[bytes]:
            pictures = islice(source.frames(), frames)
            done = 0
            while batch := list(islice(pictures, BATCH)):
                windows = [mel_window(mel, done + i, fps) for i in range(len(batch))]
                for picture in self._draw(model, batch, boxes[done : done + len(batch)], windows):
                    yield picture.tobytes()
                done += len(batch)
                progress(frames + done, 2 * frames)

        encode_frames(drawn(), out, source.size, fps)
        return frames

    def _load(self) -> Wav2Lip:
        with self._lock:
            if self._model is None:
                if self._checkpoint is None:
                    raise _unavailable("No Wav2Lip checkpoint is set.")
                try:
                    self._model = load_wav2lip(self._checkpoint, self._device)
                except OSError as error:
                    raise _unavailable(f"The Wav2Lip checkpoint cannot be read: {error.strerror}.") from error
                except ValueError as error:
                    raise _unavailable(f"The Wav2Lip checkpoint cannot be used: {error}.") from error
            return self._model

    def _find(self, source: "_Source", frames: int, progress: Progress) -> list[Box | None]:
        boxes: list[Box | None] = []
        looked_at: Picture | None = None
        for picture in islice(source.frames(), frames):
            # A still, or a video slowed down, shows the very same picture again.
            boxes.append(boxes[-1] if picture is looked_at else self._face(picture))
            looked_at = picture
            if len(boxes) % BATCH == 0:
                progress(len(boxes), 2 * frames)
        return boxes

    def _face(self, picture: Picture) -> Box | None:
        """The largest face, hair line to below the chin; None where there is none."""
        found = self._finder.boxes(picture, CONFIDENCE)
        if not found:
            return None
        points = self._finder.landmarks(picture, found[0])
        if points is None:
            return None
        height, width = picture.shape[:2]
        left, top = np.floor(points[:, :2].min(axis=0)).astype(int).tolist()
        right, bottom = np.ceil(points[:, :2].max(axis=0)).astype(int).tolist()
        bottom += round(CHIN * (bottom - top))
        box = Box.between(max(left, 0), max(top, 0), min(right, width), min(bottom, height))
        return box if box.width > 1 and box.height > 1 else None

    def _draw(
        self,
        model: Wav2Lip,
        pictures: Sequence[Picture],
        boxes: Sequence[Box | None],
        mels: Sequence[NDArray[np.float32]],
    ) -> list[Picture]:
        """``pictures`` with their mouths drawn, in order."""
        drawn = list(pictures)
        spoken = [(index, box) for index, box in enumerate(boxes) if box is not None]
        if not spoken:
            return drawn
        crops = np.stack([_crop(pictures[index], box) for index, box in spoken])
        faces = torch.from_numpy(network_input(crops))
        heard = torch.from_numpy(np.stack([mels[index] for index, _ in spoken])[:, None])
        with self._lock, torch.inference_mode():
            faces = faces.to(self._device, memory_format=torch.channels_last)
            made = model(heard.to(self._device), faces).cpu().numpy()
        for (index, box), mouth in zip(spoken, made, strict=True):
            drawn[index] = blend(pictures[index], box, mouth.transpose(1, 2, 0)[:, :, ::-1])
        return drawn


def network_input(crops: Picture) -> NDArray[np.float32]:
    """RGB crops [n, 96, 96, 3] as the network wants them: [n, 6, 96, 96], 0..1, BGR, lower half hidden, then whole."""
    whole = crops[:, :, :, ::-1].astype(np.float32) / 255
    hidden = whole.copy()
    hidden[:, FACE // 2 :] = 0
    stacked: NDArray[np.float32] = np.ascontiguousarray(np.concatenate((hidden, whole), axis=3).transpose(0, 3, 1, 2))
    return stacked


def blend(picture: Picture, box: Box, mouth: NDArray[np.float32]) -> Picture:
    """A copy of RGB ``picture`` with the drawn crop ``mouth`` ([96, 96, 3], RGB, 0..1) laid into ``box``."""
    size = (box.width, box.height)
    enlarged = cv2.resize(np.ascontiguousarray(mouth), size, interpolation=cv2.INTER_CUBIC)
    across, down = (np.arange(n, dtype=np.float32) + 0.5 for n in size)
    sides = np.minimum(across, box.width - across) / (FEATHER * box.width)
    begin, full = DRAWN_FROM
    top = (down / box.height - begin) / (full - begin)
    bottom = (box.height - down) / (FEATHER * box.height)
    weight = _ease(np.minimum(top, bottom))[:, None, None] * _ease(sides)[None, :, None]
    result = picture.copy()
    area = box.cut(result)
    area[:] = np.rint(area + weight * (np.clip(enlarged, 0, 1) * 255 - area)).astype(np.uint8)
    return result


def smoothed(boxes: Sequence[Box | None]) -> list[Box | None]:
    """Each box averaged with its neighbours; a frame without a face stays without, and ends the neighbourhood."""
    reach = SMOOTHING // 2
    result: list[Box | None] = []
    for index, box in enumerate(boxes):
        if box is None:
            result.append(None)
            continue
        first = last = index
        while first > max(index - reach, 0) and boxes[first - 1] is not None:
            first -= 1
        while last < min(index + reach, len(boxes) - 1) and boxes[last + 1] is not None:
            last += 1
        edges = [(b.left, b.top, b.right, b.bottom) for b in boxes[first : last + 1] if b is not None]
        result.append(Box.between(*np.rint(np.mean(edges, axis=0)).astype(int).tolist()))
    return result


def _crop(picture: Picture, box: Box) -> Picture:
    shrinks = box.width > FACE and box.height > FACE
    resized = cv2.resize(box.cut(picture), (FACE, FACE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def _ease(share: NDArray[np.float32]) -> NDArray[np.float32]:
    clipped = np.clip(share, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)


class _Source:
    """RGB frames of a picture or video at ``fps``, without end, even in width and height; read anew at each call."""

    def __init__(self, path: Path, fps: int) -> None:
        info = probe(path)
        if not info.has_video:
            raise MediaRejected(f"{path.name} has no picture.", field=path.name)
        self._path = path
        self._fps = fps
        self._rate = info.fps or float(fps)
        self._still = _still(path) if info.frames == 1 and not info.duration else None
        height, width = next(self.frames()).shape[:2]
        self.size = (width, height)

    def frames(self) -> Iterator[Picture]:
        """Frame after frame, the video starting over at its end. Raises MediaRejected when it cannot be decoded."""
        if self._still is not None:
            while True:
                yield self._still
        shown = 0
        while True:
            begun = shown
            for number, picture in enumerate(self._decode()):
                # Frame `number` is on screen until the next one's time: shown as often as the new rate asks for.
                while (shown - begun) * self._rate < (number + 1) * self._fps - 1e-6:
                    yield picture
                    shown += 1
            if shown == begun:
                raise MediaRejected(f"{self._path.name} is a video without frames.", field=self._path.name)

    def _decode(self) -> Iterator[Picture]:
        try:
            with av.open(str(self._path)) as container:
                for frame in container.decode(video=0):
                    yield _even(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
        except FFmpegError as error:
            raise MediaRejected(
                f"{self._path.name} cannot be decoded: {error.strerror}.", field=self._path.name
            ) from error


def _still(path: Path) -> Picture:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise MediaRejected(f"{path.name} cannot be read as a picture: {error}.", field=path.name) from error
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return _even(np.asarray(upright))


def _even(picture: Picture) -> Picture:
    """Without the last row or column where their number is odd: H.264 halves both for colour."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: height // 2 * 2, : width // 2 * 2])


def _unavailable(message: str) -> EngineUnavailable:
    return EngineUnavailable(
        message,
        field="WAV2LIP_CHECKPOINT",
        action="Point WAV2LIP_CHECKPOINT at the published wav2lip.pth or wav2lip_gan.pth, then resume the render.",
    )
