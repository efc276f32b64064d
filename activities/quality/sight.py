"""What is seen of a composed segment: its frames are decoded once, for the mouth and for black and frozen pictures."""

from pathlib import Path

from activities.quality.base import SegmentSight
from activities.quality.film import decoded, slices
from activities.quality.lips import Mouth, planned_opening
from activities.quality.pictures import Watcher
from activities.support.engine import Progress
from models.errors import EngineFailed

_BATCH = 25


def look(picture: Path, curves: Path, progress: Progress) -> SegmentSight:
    """Every frame of ``picture`` beside what ``curves`` (float32 [frames, 52]) planned for the mouth.

    Raises EngineFailed when the picture cannot be decoded or has another number of frames than the curves.
    """
    planned = planned_opening(curves)
    opening: list[float | None] = []
    watcher = Watcher()
    with Mouth() as mouth:
        for frame in decoded(picture):
            opening.append(mouth.opening(frame))
            watcher.see(frame)
            if len(opening) % _BATCH == 0:
                progress(len(opening), max(len(opening), len(planned)))
    if len(opening) != len(planned):
        raise EngineFailed(f"{picture.name} has {len(opening)} frames where {len(planned)} were planned.")
    return SegmentSight(
        opening=tuple(opening),
        planned=planned,
        black=watcher.black,
        black_at=watcher.black_at,
        still=watcher.still,
        packets=slices(picture).sha256(),
    )
