"""Faces in still pictures: boxes and the 478-point mesh, from the models inside mediapipe's wheel. Apart because both
the check of an uploaded photo and the portrait need them, and mediapipe's graphs must be shared and guarded."""

import hashlib
from importlib.resources import files
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activities.support.box import Box
from models.errors import EngineUnavailable

Picture = NDArray[np.uint8]

_MODELS = (
    "modules/face_detection/face_detection_full_range_sparse.tflite",
    "modules/face_detection/face_detection_short_range.tflite",
    "modules/face_landmark/face_landmark_with_attention.tflite",
)
_MESH_SIDE = 720
"""The mesh model sees 192x192 pixels of the face; a larger crop only costs time."""


class FaceFinder:
    """mediapipe's face detectors and face mesh, loaded on first use; calls from several threads take turns."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._near: Any = None
        self._far: Any = None
        self._mesh: Any = None

    def boxes(self, picture: Picture, confidence: float) -> list[Box]:
        """Every face in an RGB picture, largest first. Close-ups and distant faces need different models: both run.

        Raises EngineUnavailable when mediapipe or its models are absent.
        """
        found: list[Box] = []
        with self._lock:
            self._load()
            for detector in (self._near, self._far):
                for detection in detector.process(picture).detections or ():
                    if detection.score[0] >= confidence:
                        found.append(_box(detection, picture.shape[1], picture.shape[0]))
        found.sort(key=lambda box: -box.width * box.height)
        distinct: list[Box] = []
        for box in found:
            if box.width > 0 and box.height > 0 and all(box.overlap(other) < 0.4 for other in distinct):
                distinct.append(box)
        return distinct

    def landmarks(self, picture: Picture, box: Box) -> NDArray[np.float32] | None:
        """The 478 mesh points of the face in ``box``: [478, 3], x and y in pixels of ``picture``, z in the same scale
        (smaller is nearer). None where no mesh fits. Raises EngineUnavailable as :meth:`boxes`."""
        area = box.grown(0.6, picture.shape[1], picture.shape[0])
        crop = area.cut(picture)
        scale = _MESH_SIDE / max(crop.shape[:2])
        resized = cv2.resize(
            crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        )
        with self._lock:
            self._load()
            result = self._mesh.process(np.ascontiguousarray(resized))
        if not result.multi_face_landmarks:
            return None
        points = np.array([(p.x, p.y, p.z) for p in result.multi_face_landmarks[0].landmark], np.float32)
        height, width = crop.shape[:2]
        return points * np.array([width, height, width], np.float32) + np.array([area.left, area.top, 0], np.float32)

    def _load(self) -> None:
        if self._mesh is not None:
            return
        try:
            from mediapipe.python.solutions import face_detection, face_mesh  # noqa: PLC0415 - seconds to import
        except ImportError as error:
            raise EngineUnavailable(f"mediapipe cannot be imported: {error}", field="mediapipe") from error
        self._near = face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.4)
        self._far = face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.4)
        self._mesh = face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)


def _box(detection: Any, width: int, height: int) -> Box:
    relative = detection.location_data.relative_bounding_box
    left, top = max(relative.xmin, 0.0), max(relative.ymin, 0.0)
    right, bottom = min(relative.xmin + relative.width, 1.0), min(relative.ymin + relative.height, 1.0)
    return Box.between(round(left * width), round(top * height), round(right * width), round(bottom * height))


def mesh_weights_sha256() -> str:
    """The sha256 over the models that :class:`FaceFinder` loads. Raises EngineUnavailable when they are absent."""
    digest = hashlib.sha256()
    try:
        package = files("mediapipe")
        for name in _MODELS:
            digest.update(package.joinpath(name).read_bytes())
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"A face model of mediapipe is absent: {error}", field="mediapipe") from error
    return digest.hexdigest()


def head_turn(landmarks: NDArray[np.float32]) -> tuple[float, float]:
    """Yaw and pitch of a face from its mesh, in degrees: how far it looks to its left and down."""
    across = landmarks[454] - landmarks[234]
    down = landmarks[152] - landmarks[10]
    normal = np.cross(across, down)
    normal = normal / max(float(np.linalg.norm(normal)), 1e-6)
    return _degrees(float(-normal[0]), float(abs(normal[2]))), _degrees(float(-normal[1]), float(abs(normal[2])))


def _degrees(side: float, ahead: float) -> float:
    return float(np.degrees(np.arctan2(side, ahead)))
