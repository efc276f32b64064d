"""A video cut from footage: on the same beats, each shot its own plate, a returning chorus its own pictures again."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from activities.footage.plates import make_plate
from activities.musicvideo.cutting import Shot
from activities.musicvideo.pictures import plates_of
from activities.musicvideo.visuals import GenerativeVisuals
from activities.support.engine import no_progress
from activities.support.ffmpeg import encode_frames, probe
from models.layout import Shape
from models.music import SectionKind
from tests.musicvideo.conftest import Briefs

INTRO, VERSE, CHORUS = SectionKind.INTRO, SectionKind.VERSE, SectionKind.CHORUS


def shots(*form: tuple[SectionKind, int]) -> list[Shot]:
    found: list[Shot] = []
    for section, (kind, count) in enumerate(form):
        for number in range(count):
            found.append(Shot(len(found) * 50, len(found) * 50 + 50, kind, section, number, 0))
    return found


def test_footage_is_cut_in_its_order_and_a_chorus_returns_to_its_own() -> None:
    form = shots((INTRO, 1), (VERSE, 2), (CHORUS, 2), (VERSE, 2), (CHORUS, 2))
    assert plates_of(form, 12) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (3, 1), (4, 1)]
    few = plates_of(form, 4)
    assert [place for place, _ in few] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert max(lap for _, lap in few) == 2
    assert plates_of(form, 0) == []


def clip(out: Path, grey: int, shape: Shape) -> Path:
    """A plate in the house's format: stripes that move, over one grey."""
    size = (960, 540) if shape is not Shape.TALL else (540, 960)
    picture = np.full((size[1], size[0], 3), grey, np.uint8)
    picture[:, ::64] = 255 - grey
    source = out.with_suffix(".source.mp4")
    stripes: Sequence[bytes] = [np.roll(picture, 6 * shift, 1).tobytes() for shift in range(32)]
    encode_frames((stripes[number % 32] for number in range(96)), source, size, 12)
    make_plate(source, shape, 25, out, out.name)
    return out


def test_a_whole_video_is_cut_over_plates(briefs: Briefs, tmp_path: Path) -> None:
    shape = Shape.SQUARE
    plates = tuple(clip(tmp_path / f"{number}.mp4", grey, shape) for number, grey in enumerate((40, 150)))
    out = tmp_path / "out"
    out.mkdir()
    made = GenerativeVisuals().draw(briefs(plates=plates, shape=shape, fps=24), out, no_progress)
    info = probe(made.video, whole=True)
    assert (info.width, info.height, info.fps, info.frames) == (1080, 1080, 24, 192)
    assert made.cuts == (96, 144)
    small = []
    with av.open(str(made.video)) as container:
        for frame in container.decode(video=0):
            small.append(cv2.resize(frame.to_ndarray(format="bgr24"), (90, 90), interpolation=cv2.INTER_AREA))
    change = np.abs(np.diff(np.stack(small).astype(np.float32)[:170], axis=0)).mean(axis=(1, 2, 3))
    assert set(np.argsort(change)[-2:] + 1) == {96, 144}
    assert change[:143].min() > 0.02, "footage that stands still is a slide"
