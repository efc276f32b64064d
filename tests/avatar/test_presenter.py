"""The presenter: every shipped look is trackable as a face, its lips follow the plan, and a clip is what the stage
promises: neutral at both ends, the same bytes each time, a matte that fits."""

import hashlib
import threading
from pathlib import Path

import av
import cv2
import mediapipe as mp
import numpy as np
import pytest

from activities.avatar import presenter_rig as rig
from activities.avatar.base import Subject
from activities.avatar.motion import COLUMN
from activities.avatar.presenter import PresenterEngine
from activities.support.engine import no_progress
from models.errors import EngineUnavailable, UnknownReference

LOOKS = rig.available()
GROUND = np.array([96, 90, 84], np.float64)
UPPER_INNER_LIP, LOWER_INNER_LIP, FOREHEAD, CHIN = 13, 14, 10, 152


@pytest.fixture(scope="module")
def engine() -> PresenterEngine:
    return PresenterEngine()


@pytest.fixture(scope="module")
def clip(engine, spoken, tmp_path_factory):
    out = tmp_path_factory.mktemp("presenter") / "avery.mp4"
    return engine.perform(spoken.performance, Subject("avery"), 720, out, no_progress)


def _frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _composed(frame: np.ndarray) -> np.ndarray:
    half = frame.shape[0] // 2
    alpha = frame[half:, :, :1] / 255
    return np.rint(frame[:half] * alpha + GROUND * (1 - alpha)).astype(np.uint8)


def _over_ground(rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:] / 255
    return np.rint(rgba[..., :3] * alpha + GROUND * (1 - alpha)).astype(np.uint8)


def _weights(**curves: float) -> np.ndarray:
    face = np.zeros(52, np.float32)
    for name, value in curves.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in COLUMN:
                face[COLUMN[full]] = value
    return face


def _mesh(picture: np.ndarray):
    with mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        return mesh.process(picture).multi_face_landmarks


def _mouth_gap(landmarks) -> float:
    points = landmarks.landmark
    return (points[LOWER_INNER_LIP].y - points[UPPER_INNER_LIP].y) / (points[CHIN].y - points[FOREHEAD].y)


def test_three_looks_ship_and_none_of_their_files_is_large():
    assert len(LOOKS) >= 3
    files = [path for name in LOOKS for path in (rig.LOOKS / name).iterdir()]
    assert max(path.stat().st_size for path in files) < 1_000_000
    assert sum(path.stat().st_size for path in files) < 12_000_000


def test_a_clip_is_stacked_square_and_as_long_as_its_curves(clip, spoken):
    frames = _frames(clip.path)
    assert len(frames) == clip.frames == len(spoken.planned)
    assert frames[0].shape == (1440, 720, 3)
    assert (clip.width, clip.height, clip.matte) == (720, 720, True)


def test_the_matte_is_clear_in_the_corners_and_solid_on_the_face(clip):
    frame = _frames(clip.path)[0]
    matte = frame[720:]
    assert matte[:40, :40].max() <= 2
    assert matte[:40, -40:].max() <= 2
    assert matte[260:300, 340:380].min() >= 253


def test_first_and_last_frame_are_the_neutral_pose(clip, engine):
    frames = _frames(clip.path)
    difference = np.abs(frames[0].astype(int) - frames[-1].astype(int))
    assert np.percentile(difference, 99.9) <= 8


def test_speech_is_tracked_and_the_measured_mouth_follows_the_plan(clip, spoken):
    gaps = []
    with mp.solutions.face_mesh.FaceMesh(static_image_mode=False, refine_landmarks=True) as mesh:
        for frame in _frames(clip.path):
            found = mesh.process(_composed(frame)).multi_face_landmarks
            gaps.append(_mouth_gap(found[0]) if found else np.nan)
    measured = np.array(gaps)
    seen = np.isfinite(measured)
    assert seen.mean() >= 0.99
    by_lag = {}
    for lag in range(-4, 5):
        shifted = np.roll(spoken.planned, lag)[5:-5]
        inside = seen[5:-5]
        by_lag[lag] = np.corrcoef(shifted[inside], measured[5:-5][inside])[0, 1]
    best = max(by_lag, key=by_lag.__getitem__)
    assert by_lag[best] >= 0.85
    assert abs(best) <= 1


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_is_a_face_whose_mouth_opens_and_whose_eyes_shut(name):
    look = rig.load(name)
    drawn = {
        key: _over_ground(rig.draw_head(look, rig.Pose(face, (0, 0, 0), 0)))
        for key, face in {
            "neutral": _weights(),
            "open": _weights(jawOpen=0.5),
            "shut": _weights(eyeBlink=1.0),
        }.items()
    }
    found = {key: _mesh(picture) for key, picture in drawn.items()}
    assert all(found.values())
    gap = {key: _mouth_gap(faces[0]) for key, faces in found.items()}
    assert gap["neutral"] < 0.4 * gap["open"]
    assert gap["open"] > gap["neutral"] + 0.03

    box = look.patches["eye_left"].box
    x, y = (int(v) for v in look.eyes["eye_left"].centre)
    spot = (slice(y - look.head.top - 3, y - look.head.top + 4), slice(x - look.head.left - 3, x - look.head.left + 4))
    skin = drawn["neutral"][box.top + box.height - look.head.top - 4, x - look.head.left].mean()
    assert abs(drawn["shut"][spot].mean() - skin) < abs(drawn["neutral"][spot].mean() - skin)


@pytest.mark.parametrize("name", LOOKS)
def test_a_bilabial_closes_the_lips_that_a_vowel_opened(name):
    look = rig.load(name)
    open_ = _over_ground(rig.draw_head(look, rig.Pose(_weights(jawOpen=0.25), (0, 0, 0), 0)))
    closed = _over_ground(
        rig.draw_head(look, rig.Pose(_weights(jawOpen=0.25, mouthClose=0.25, mouthPress=0.2), (0, 0, 0), 0))
    )
    gaps = [_mouth_gap(_mesh(picture)[0]) for picture in (open_, closed)]
    assert gaps[1] < 0.018 < gaps[0]


def test_the_gaze_moves_the_iris_and_not_the_lids():
    look = rig.load("avery")
    neutral = rig.draw_head(look, rig.Pose(_weights(), (0, 0, 0), 0))
    aside = _weights()
    aside[COLUMN["eyeLookOutLeft"]] = aside[COLUMN["eyeLookInRight"]] = 0.5
    looked = rig.draw_head(look, rig.Pose(aside, (0, 0, 0), 0))
    before, after = (_mesh(_over_ground(picture))[0].landmark for picture in (neutral, looked))
    left_iris, left_corner, right_iris = 473, 263, 468
    width = look.head.width
    assert (after[left_iris].x - before[left_iris].x) * width > 3
    assert (after[right_iris].x - before[right_iris].x) * width > 3
    assert abs(after[left_corner].x - before[left_corner].x) * width < 2.5


@pytest.mark.parametrize(
    ("head", "axis", "sign"), [((0.1, 0, 0), "x", 1), ((-0.1, 0, 0), "x", -1), ((0, 0.07, 0), "y", 1)]
)
def test_the_head_turns_the_way_it_is_told(head, axis, sign):
    look = rig.load("avery")
    noses = []
    for pose in ((0.0, 0.0, 0.0), head):
        found = _mesh(_over_ground(rig.draw_head(look, rig.Pose(_weights(), pose, 0))))
        noses.append(getattr(found[0].landmark[1], axis))
    assert sign * (noses[1] - noses[0]) * look.head.width > 5


def test_every_curve_is_drawn():
    look = rig.load("avery")
    neutral = rig.draw_head(look, rig.Pose(_weights(), (0, 0, 0), 0)).astype(int)
    still = {
        name
        for name in COLUMN
        if np.abs(rig.draw_head(look, rig.Pose(_weights(**{name: 1.0}), (0, 0, 0), 0)).astype(int) - neutral).max() < 12
    }
    assert still == set()


def test_the_same_performance_gives_the_same_bytes_also_side_by_side(engine, spoken, tmp_path):
    outs = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    threads = [
        threading.Thread(target=engine.perform, args=(spoken.performance, Subject("avery"), 256, out, no_progress))
        for out in outs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    digests = {hashlib.sha256(out.read_bytes()).hexdigest() for out in outs}
    assert len(digests) == 1


def test_a_stop_from_outside_leaves_no_file(engine, spoken, tmp_path):
    class StopNow(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StopNow

    out = tmp_path / "stopped.mp4"
    with pytest.raises(StopNow):
        engine.perform(spoken.performance, Subject("avery"), 256, out, stop)
    assert not out.exists()


def test_an_unknown_look_is_refused_by_naming_those_there_are(engine, spoken, tmp_path):
    with pytest.raises(UnknownReference, match="avery"):
        engine.perform(spoken.performance, Subject("nobody"), 256, tmp_path / "x.mp4", no_progress)


def test_a_look_with_a_missing_picture_says_which(tmp_path):
    folder = tmp_path / "avery"
    folder.mkdir()
    for path in (rig.LOOKS / "avery").iterdir():
        if path.name != "plate.webp":
            (folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(EngineUnavailable, match=r"plate\.webp"):
        rig.load("avery", tmp_path)


def test_colour_survives_the_clip(clip):
    look = rig.load("avery")
    planned = cv2.resize(look.plate, (720, 720), interpolation=cv2.INTER_AREA)
    seen = _frames(clip.path)[0]
    area = (slice(600, 700), slice(250, 470))
    assert np.abs(planned[area][..., :3].mean((0, 1)) - seen[area].mean((0, 1))).max() < 4


@pytest.mark.parametrize("name", LOOKS)
def test_a_turned_head_joins_the_still_body_without_a_step(name):
    look = rig.load(name)
    turned = rig.draw_head(look, rig.Pose(_weights(), (0.12, 0.08, 0.05), 0)).astype(int)
    still = look.plate[look.head.rows, look.head.columns].astype(int)
    for edge in (np.s_[:, :2], np.s_[:, -2:], np.s_[-2:, :]):
        assert np.abs(turned[edge] - still[edge])[..., 3].max() <= 24
