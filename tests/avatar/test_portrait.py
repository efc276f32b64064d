"""What the talking portrait promises, measured on its own frames with a face mesh: it can be followed, its lips follow
the plan, lids close, and what is not the person stands still."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from activities.avatar.base import Clip, Subject
from activities.avatar.face import FaceFinder, Picture
from activities.avatar.motion import COLUMN, Motion
from activities.avatar.portrait import PortraitEngine, _settle_lips, draw
from activities.avatar.portrait_rig import LOWER_INNER, UPPER_INNER
from activities.support.engine import no_progress
from models.errors import MediaRejected
from tests.avatar.conftest import NAMES, PORTRAITS, Spoken

HEIGHT = 480


@pytest.fixture(scope="module")
def engine(finder: FaceFinder) -> PortraitEngine:
    return PortraitEngine(finder)


def frames_of(path: Path) -> list[Picture]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def mesh(picture: Picture, finder: FaceFinder) -> np.ndarray | None:
    boxes = finder.boxes(picture, 0.5)
    return finder.landmarks(picture, boxes[0]) if boxes else None


def opening(points: np.ndarray) -> float:
    """Inner lip gap over face height."""
    return float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.linalg.norm(points[10, :2] - points[152, :2]))


def posed(
    engine: PortraitEngine, photo: Path, head: tuple[float, float, float] = (0, 0, 0), **shapes: float
) -> Picture:
    """One frame in a pose; names without a side mean both."""
    weights = np.zeros((1, 52), np.float32)
    for name, value in shapes.items():
        for column in [COLUMN[name]] if name in COLUMN else [COLUMN[f"{name}Left"], COLUMN[f"{name}Right"]]:
            weights[0, column] = value
    rig, cavity = engine._rig(photo, HEIGHT)
    return draw(rig, cavity, Motion(weights, np.array([head], np.float32), np.zeros(1, np.float32)), 0)


@pytest.fixture(scope="module", params=NAMES)
def performed(
    request: pytest.FixtureRequest, engine: PortraitEngine, spoken: Spoken, tmp_path_factory: pytest.TempPathFactory
) -> Clip:
    photo = PORTRAITS / f"{request.param}.jpg"
    out = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return engine.perform(spoken.performance, Subject("", photo), HEIGHT, out, no_progress)


def test_the_clip_is_what_it_says(performed: Clip, spoken: Spoken) -> None:
    pictures = frames_of(performed.path)
    assert len(pictures) == performed.frames == len(spoken.planned)
    assert pictures[0].shape == (performed.height, performed.width, 3)
    assert (performed.height, performed.width % 2, performed.matte) == (HEIGHT, 0, False)


def test_the_face_is_followed_and_the_lips_follow_the_plan(performed: Clip, spoken: Spoken, finder: FaceFinder) -> None:
    meshes = [mesh(picture, finder) for picture in frames_of(performed.path)]
    found = np.array([points is not None for points in meshes])
    assert found.mean() >= 0.99
    measured = np.array([opening(points) if points is not None else 0.0 for points in meshes])
    by_lag = {}
    for lag in range(-3, 4):
        plan, seen = np.roll(spoken.planned, lag)[3:-3], measured[3:-3]
        by_lag[lag] = np.corrcoef(plan[found[3:-3]], seen[found[3:-3]])[0, 1]
    best = max(by_lag, key=lambda lag: by_lag[lag])
    assert abs(best) <= 1, by_lag
    assert by_lag[0] >= 0.85, by_lag


def test_a_face_at_the_side_of_a_wide_photo_is_cut_into_the_middle(
    engine: PortraitEngine, finder: FaceFinder, anna: Path, tmp_path: Path
) -> None:
    wide = Image.new("RGB", (1600, 800), "#737570")
    wide.paste(Image.open(anna), (940, 0))
    wide.save(tmp_path / "wide.png")
    picture = posed(engine, tmp_path / "wide.png")
    face = finder.boxes(picture, 0.5)[0]
    assert abs((face.left + face.right) / 2 / picture.shape[1] - 0.5) < 0.08
    assert picture.shape[1] <= picture.shape[0] * 16 / 9


def test_first_and_last_frame_are_the_same_picture(performed: Clip) -> None:
    pictures = frames_of(performed.path)
    assert np.abs(pictures[0].astype(int) - pictures[-1].astype(int)).mean() < 0.7


def test_at_rest_it_is_the_photo(engine: PortraitEngine, anna: Path) -> None:
    rig, _ = engine._rig(anna, HEIGHT)
    difference = np.abs(posed(engine, anna).astype(int) - rig.still.astype(int))
    assert difference.mean() < 1.5
    box = rig.mouth.grid.box
    assert difference[box.top : box.bottom, box.left : box.right].mean() < 4


@pytest.mark.parametrize("name", NAMES)
def test_lips_of_bilabials_touch(engine: PortraitEngine, finder: FaceFinder, name: str) -> None:
    photo = PORTRAITS / f"{name}.jpg"
    apart = mesh(posed(engine, photo, jawOpen=0.3), finder)
    shut = mesh(posed(engine, photo, jawOpen=0.12, mouthClose=0.12, mouthPress=0.4), finder)
    rest = mesh(posed(engine, photo), finder)
    assert apart is not None and shut is not None and rest is not None
    assert opening(apart) > 0.035
    assert opening(shut) < opening(rest) + 0.004


def test_lips_never_cross(engine: PortraitEngine, anna: Path) -> None:
    rig, _ = engine._rig(anna, HEIGHT)

    def gaps(moved: np.ndarray) -> np.ndarray:
        points = rig.points + moved
        return (points[list(LOWER_INNER)] - points[list(UPPER_INNER)]) @ rig.mouth.axes.down

    crossed = 0.3 * rig.shapes[COLUMN["mouthClose"]]
    assert gaps(crossed).min() < -5
    assert gaps(_settle_lips(rig, crossed)).min() > -0.2


def test_a_mouth_photographed_open_is_shut_at_rest(
    engine: PortraitEngine, finder: FaceFinder, anna: Path, tmp_path: Path
) -> None:
    laughing = posed(engine, anna, jawOpen=0.22, mouthSmile=0.4, mouthUpperUp=0.3)
    photo = tmp_path / "laughing.png"
    cv2.imwrite(str(photo), laughing[:, :, ::-1])
    before, rest, apart = (
        mesh(picture, finder) for picture in (laughing, posed(engine, photo), posed(engine, photo, jawOpen=0.4))
    )
    assert before is not None and rest is not None and apart is not None
    assert opening(before) > 0.03
    assert opening(rest) < 0.01
    assert opening(apart) > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_an_open_mouth_shows_a_dark_inside_and_teeth(engine: PortraitEngine, name: str) -> None:
    photo = PORTRAITS / f"{name}.jpg"
    rig, _ = engine._rig(photo, HEIGHT)
    picture = cv2.cvtColor(posed(engine, photo, jawOpen=0.5, mouthUpperUp=0.3), cv2.COLOR_RGB2GRAY)
    x, y = (round(float(value)) for value in rig.mouth.axes.centre)
    down = picture[y - 4 : y + round(0.10 * rig.face_height), x - 2 : x + 3].mean(axis=1)
    assert down.min() < 30
    assert down.max() > 60


def warmth(pixels: np.ndarray) -> np.ndarray:
    """How much redder than blue: skin of any colour is, whites and pupils are not."""
    return (pixels[..., 0] - pixels[..., 2]) / np.maximum(pixels.sum(axis=-1), 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_blink_hides_the_eyes_and_spares_the_rest(engine: PortraitEngine, name: str) -> None:
    photo = PORTRAITS / f"{name}.jpg"
    rig, _ = engine._rig(photo, HEIGHT)
    opened, closed = posed(engine, photo).astype(int), posed(engine, photo, eyeBlink=1.0).astype(int)
    changed = np.abs(opened - closed).sum(axis=2) > 24
    for eye in rig.eyes:
        box = eye.grid.box
        changed[box.top : box.bottom, box.left : box.right] = False
        ball = (eye.look[..., 0] < -1.5) & (eye.look[..., 1] < -1.5)
        skin = np.median(warmth(box.cut(opened)[eye.look[..., 0] > 3]))
        assert (warmth(box.cut(opened)[ball]) < 0.6 * skin).mean() > 0.5
        assert (warmth(box.cut(closed)[ball]) < 0.6 * skin).mean() < 0.25
    assert len(rig.eyes) == 2
    assert not changed.any()


def test_the_head_turns_and_the_border_stands_still(engine: PortraitEngine, finder: FaceFinder, anna: Path) -> None:
    rest, turned = posed(engine, anna), posed(engine, anna, head=(0.1, 0.05, 0.03))
    a, b = mesh(rest, finder), mesh(turned, finder)
    assert a is not None and b is not None
    nose = b[4, :2] - a[4, :2]
    ears = (b[[234, 454], :2] - a[[234, 454], :2]).mean(axis=0)
    assert nose[0] > ears[0] + 2
    assert nose[1] > 2
    edges = np.concatenate([turned[:2].ravel(), turned[:, :2].ravel(), turned[:, -2:].ravel()]).astype(int)
    still = np.concatenate([rest[:2].ravel(), rest[:, :2].ravel(), rest[:, -2:].ravel()]).astype(int)
    assert np.abs(edges - still).max() <= 3


def test_equal_arguments_write_equal_bytes_side_by_side(
    engine: PortraitEngine, spoken: Spoken, anna: Path, tmp_path: Path
) -> None:
    def perform(name: str) -> str:
        out = tmp_path / name
        engine.perform(spoken.performance, Subject("", anna), 240, out, no_progress)
        return sha256(out.read_bytes()).hexdigest()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(perform, ("one.mp4", "two.mp4"))
    assert first == second


def test_progress_can_stop_it_and_nothing_is_left(
    engine: PortraitEngine, spoken: Spoken, anna: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.perform(spoken.performance, Subject("", anna), 240, tmp_path / "clip.mp4", stop)
    assert seen == [(25, len(spoken.planned))]
    assert not list(tmp_path.iterdir())


def test_no_photo_is_refused(engine: PortraitEngine, spoken: Spoken, tmp_path: Path) -> None:
    with pytest.raises(MediaRejected, match="needs a photo"):
        engine.perform(spoken.performance, Subject("avery"), HEIGHT, tmp_path / "clip.mp4", no_progress)


def test_a_wide_photo_is_cut_to_the_person(engine: PortraitEngine, anna: Path, tmp_path: Path) -> None:
    picture = cv2.imread(str(anna))
    assert picture is not None
    wide = np.full((1200, 3000, 3), 110, np.uint8)
    wide[300 : 300 + 800, 1800 : 1800 + 640] = picture
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    rig, _ = engine._rig(tmp_path / "wide.png", HEIGHT)
    width, height = rig.size
    assert height == HEIGHT and width <= HEIGHT * 16 / 9 + 2
    assert rig.face_height > 0.2 * HEIGHT


def test_the_models_are_part_of_its_identity(engine: PortraitEngine) -> None:
    assert len(engine.ref.weights) == 64
    assert engine.looks() == ()
