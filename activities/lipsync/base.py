"""The lipsync capability: speech becomes mouth shapes. Curve engines run before the avatar is drawn; frame engines
(Wav2Lip) redraw the mouth in a finished clip or photo."""

from pathlib import Path
from typing import Protocol

from activities.support.engine import Engine, Progress
from models.alignment import Alignment

ARKIT: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 ARKit blendshapes, in the column order of every curves file."""


class CurveEngine(Engine, Protocol):
    """Phonemes to blendshape curves."""

    def curves(self, alignment: Alignment, wav: Path, fps: int, seed: int, out: Path) -> int:
        """Write ``out``: NumPy ``.npy``, float32 [frames, 52] in ``ARKIT`` order, 0..1. Returns the frame count,
        ``ceil(duration * fps)``. Only mouth and jaw columns are non-zero; the avatar adds eyes, brows and head."""
        ...


class FrameEngine(Engine, Protocol):
    """Redraws the mouth of pictures or video to fit speech."""

    def resync(self, face: Path, wav: Path, fps: int, out: Path, progress: Progress) -> int:
        """Write ``out`` (mp4, H.264, no audio) with the mouth of ``face`` (an image or a video) speaking ``wav``.
        Returns the frame count. A frame without a face is carried over unchanged."""
        ...
