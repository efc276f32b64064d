"""The house's format of footage, and bringing a received file into it: a broken, short, endless or misshapen clip is
refused, and nothing of its metadata or sound is kept."""

from pathlib import Path
from typing import Final

from activities.support.ffmpeg import BIT_EXACT, BT709_TAGS, MediaInfo, probe, run
from models.errors import MediaRejected
from models.layout import Shape

SECONDS: Final = 12.0
"""Every plate lasts as long as the longest shot and a little more: none has to begin again before the cut."""
SHORTEST, LONGEST = 8.0, 120.0
"""Seconds of a clip that is taken. What is shorter than a plate is slowed down to its length."""
SHORT_SIDE: Final = 720
_SMALLEST = 540
_ASPECTS = {Shape.WIDE: (1.3, 2.4), Shape.TALL: (1 / 2.4, 1 / 1.3), Shape.SQUARE: (1 / 1.8, 2.4)}
"""Least and most width by height that is cut down to a shape: what is beyond would lose too much of its picture."""


def size_of(shape: Shape) -> tuple[int, int]:
    """Width and height of a plate."""
    scale = SHORT_SIDE / min(shape.size)
    width, height = (round(side * scale / 2) * 2 for side in shape.size)
    return width, height


def fits(width: int, height: int, seconds: float, shape: Shape) -> bool:
    """Whether a clip of that size and length can become a plate of ``shape``."""
    least, most = _ASPECTS[shape]
    long_enough = SHORTEST <= seconds <= LONGEST
    return long_enough and min(width, height) >= _SMALLEST and least <= width / height <= most


def check(received: Path, shape: Shape, name: str) -> MediaInfo:
    """What ``received`` holds. Raises MediaRejected naming it ``name`` where it cannot become a plate."""
    info = probe(received, whole=True, name=name)
    if not info.has_video or info.frames < 2:
        raise MediaRejected(f"{name} has no moving picture.", field=name)
    if not fits(info.width, info.height, info.duration, shape):
        raise MediaRejected(
            f"{name} is {info.width} x {info.height} and {info.duration:.1f} s long: no plate of {shape.value} comes "
            f"of it.",
            field=name,
        )
    return info


def make_plate(received: Path, shape: Shape, fps: int, out: Path, name: str) -> None:
    """Write ``out``: MP4, H.264, 4:2:0, BT.709, 720 pixels on the short side, 12 s at ``fps``, without sound or any
    metadata; from the middle of the clip, which begins and ends with what people cut away. The same file gives the same
    bytes. Raises MediaRejected as :func:`check` does, EngineFailed where it cannot be decoded."""
    info = check(received, shape, name)
    width, height = size_of(shape)
    start = max(0.0, (info.duration - SECONDS) / 2)
    slower = max(1.0, SECONDS / info.duration)
    filters = (
        f"setpts=(PTS-STARTPTS)*{slower:.6f},fps={fps},"
        f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=bicubic:out_color_matrix=bt709:out_range=tv,"
        f"crop={width}:{height},setsar=1,tpad=stop_mode=clone:stop=-1,format=yuv420p"
    )
    try:
        run(
            [
                *("-filter_threads", "1", "-threads", "1", "-ss", f"{start:.3f}", "-i", str(received)),
                *("-map", "0:v:0", "-an", "-sn", "-dn", "-vf", filters, "-frames:v", str(round(SECONDS * fps))),
                *("-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-threads", "1", "-g", str(fps)),
                *("-flags", "+cgop", "-map_chapters", "-1", *BT709_TAGS, *BIT_EXACT, "-movflags", "+faststart"),
                str(out),
            ]
        )
    except BaseException:
        out.unlink(missing_ok=True)
        raise
