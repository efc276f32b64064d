"""A finished video is as long as its master, cuts where it says, says what is sung, and harms nobody's eyes."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest

from activities.artwork.lettering import relative_luminance
from activities.artwork.scenes import Stage
from activities.compositing.colours import luminance
from activities.musicvideo import hearing, words
from activities.musicvideo.base import FinishedVideo, VideoBrief
from activities.musicvideo.cutting import cut
from activities.musicvideo.direction import Movement, fullness
from activities.musicvideo.pictures import Pictures, veil
from activities.musicvideo.visuals import GenerativeVisuals
from activities.support.engine import no_progress
from activities.support.ffmpeg import encode_frames, probe
from models.engines import find_engine
from models.errors import MediaRejected
from models.identity import Motif
from models.layout import Shape
from models.plan import Capability
from tests.musicvideo.conftest import FPS, Briefs


@dataclass(frozen=True)
class Film:
    brief: VideoBrief
    made: FinishedVideo
    small: np.ndarray
    """Its frames [frames, 135, 240, 3], blue first."""


def decoded(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield cv2.resize(frame.to_ndarray(format="bgr24"), (240, 135), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def film(briefs: Briefs, tmp_path_factory: pytest.TempPathFactory) -> Film:
    brief = briefs()
    made = GenerativeVisuals().draw(brief, tmp_path_factory.mktemp("film"), no_progress)
    return Film(brief, made, np.stack(list(decoded(made.video))))


def test_it_is_the_engine_the_catalogue_names() -> None:
    assert GenerativeVisuals().ref == find_engine(Capability.MUSICVIDEO, "visuals").ref()


def test_it_is_as_long_as_its_master(film: Film) -> None:
    info = probe(film.made.video, whole=True)
    assert (info.width, info.height, info.fps, info.frames) == (1920, 1080, 25, 200)
    with av.open(str(film.made.video)) as container:
        sound = container.streams.audio[0]
        assert abs(float(sound.duration * sound.time_base) - 8.0) <= 1 / FPS
        assert sound.codec_context.name == "aac"
    head = film.made.video.read_bytes()[:200_000]
    assert head.index(b"moov") < head.index(b"mdat")
    assert probe(film.made.thumbnail).width == 1920


def test_its_picture_cuts_where_it_says_and_nowhere_else(film: Film) -> None:
    assert film.made.cuts == (100, 150)
    change = np.abs(np.diff(film.small[:180].astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    assert set(np.argsort(change)[-2:] + 1) == {100, 150}
    usual = np.delete(change, [99, 149])
    assert change[[99, 149]].min() > 1.6 * usual.max()


def test_it_moves_in_every_frame(film: Film) -> None:
    change = np.abs(np.diff(film.small[:150].astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
    assert change.min() > 0.05


def test_it_ends_on_the_cover_and_fades(film: Film) -> None:
    middle = film.small[155, 60:75, 110:130].reshape(-1, 3).mean(axis=0)
    assert np.abs(middle - (200, 90, 30)).max() < 12
    assert film.small[-1].mean() < 12


def flashes(luminances: np.ndarray, fps: int) -> int:
    """The most flashes in any second, by WCAG 2.3.1: pairs of opposing changes of a tenth of full luminance, the
    darker under 0.8, over a quarter of the picture. ``luminances`` [frames, rows, columns]."""
    frames = len(luminances)
    worst, extreme = 0, luminances[0].copy()
    direction = np.zeros_like(extreme)
    changes = np.zeros(luminances.shape, bool)
    for number in range(1, frames):
        now = luminances[number]
        for sign in (1, -1):
            turned = (sign * (now - extreme) >= 0.1) & (np.minimum(now, extreme) < 0.8) & (direction != sign)
            changes[number] |= turned
            direction = np.where(turned, sign, direction)
            extreme = np.where(turned, now, extreme)
        extreme = np.where(
            direction > 0, np.maximum(extreme, now), np.where(direction < 0, np.minimum(extreme, now), extreme)
        )
    for first in range(0, max(1, frames - fps)):
        pairs = changes[first : first + fps].sum(axis=0) // 2
        worst = max([worst, *(level for level in range(1, 13) if (pairs >= level).mean() > 0.25)])
    return worst


def test_a_strobe_is_told_from_a_still() -> None:
    strobe = np.where(np.arange(50)[:, None, None] % 4 < 2, 0.9, 0.1) * np.ones((50, 4, 4))
    assert flashes(strobe, FPS) >= 5
    assert flashes(np.full((50, 4, 4), 0.5), FPS) == 0


def low(brief: VideoBrief, size: tuple[int, int] = (192, 108)) -> np.ndarray:
    """The pictures of ``brief`` before they are enlarged, drawn small."""
    frames = round(hearing.duration(brief.master) * brief.fps)
    plan = cut(brief.analysis, brief.fps, frames)
    stage = Stage(*size, brief.seed, 0, (0.5,))
    heard = hearing.listen(brief.master, brief.fps, frames)
    shown = words.captions(brief.timing, brief.shape, brief.fps, plan.closing)
    veils = [veil([(one.first, one.end, one.box) for one in shown], brief.shape.size, stage, frames, brief.fps)]
    movement = Movement(heard, fullness(plan.shots, brief.analysis, brief.fps, frames), brief.fps)
    return np.stack([picture.copy() for picture in Pictures(brief, plan, movement, veils, stage)])


@pytest.mark.parametrize("motif", list(Motif))
def test_every_motif_is_brighter_in_the_chorus_never_flashes_and_words_can_be_read_on_it(
    motif: Motif, briefs: Briefs
) -> None:
    brief = briefs(motif=motif, bars=6)
    pictures = low(brief)
    light = relative_luminance(pictures)
    blocks = np.stack([cv2.resize(one, (16, 9), interpolation=cv2.INTER_AREA) for one in light])
    assert flashes(blocks, FPS) <= 3
    chorus = cut(brief.analysis, FPS, 300).shots[-1]
    assert light[chorus.first + 3 : chorus.end].mean() > 1.25 * light[5 : chorus.first - 3].mean()
    ceiling = luminance(words.GROUND)
    for one in words.captions(brief.timing, brief.shape, FPS, 300):
        box = [round(part / 10) for part in (one.box.top, one.box.bottom, one.box.left, one.box.right)]
        ground = light[one.first + 5 : one.end - 3, box[0] : box[1], box[2] : box[3]]
        assert np.percentile(ground, 95, axis=(1, 2)).max() <= ceiling


def test_the_same_brief_gives_the_same_bytes(briefs: Briefs, tmp_path: Path) -> None:
    brief = briefs(bars=2, shape=Shape.TALL, motif=Motif.PARTICLES)
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = GenerativeVisuals().draw(brief, tmp_path / name, no_progress)
        found.append(hashlib.sha256(made.video.read_bytes() + made.thumbnail.read_bytes()).hexdigest())
    assert found[0] == found[1]
    assert probe(tmp_path / "one" / "video.mp4").height == 1920


def test_stopped_it_leaves_no_child_and_no_file(briefs: Briefs, tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    told = threading.Event()

    def stop(done: int, total: int) -> None:
        if done >= 25:
            told.set()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        GenerativeVisuals().draw(briefs(), tmp_path, stop)
    assert told.is_set()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert list(tmp_path.iterdir()) == []


def test_footage_is_cut_on_the_same_beats_in_the_artists_colours(briefs: Briefs, tmp_path: Path) -> None:
    plates = []
    for number, grey in enumerate((60, 190)):
        plate = tmp_path / f"plate-{number}.mp4"
        picture = np.full((90, 160, 3), grey, np.uint8)
        picture[:, ::8] //= 2
        encode_frames((np.roll(picture, shift, 1).tobytes() for shift in range(20)), plate, (160, 90), 30)
        plates.append(plate)
    pictures = low(briefs(plates=tuple(plates)))
    assert len(pictures) == 200
    means = pictures[:150].reshape(150, -1, 3).mean(axis=1)
    jumps = np.flatnonzero(np.abs(np.diff(means, axis=0)).max(axis=1) > 15) + 1
    assert list(jumps) == [100]
    # Grey footage takes on the palette's colour.
    assert np.ptp(means[50]) > 8


@pytest.mark.parametrize("field", ["master", "cover", "plates"])
def test_what_is_no_media_is_named(field: str, briefs: Briefs, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("<html>")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(MediaRejected) as told:
        GenerativeVisuals().draw(
            briefs(bars=2, **{field: (broken,) if field == "plates" else broken}), out, no_progress
        )
    assert told.value.field.startswith(field)
    assert list(out.iterdir()) == []
