"""Real speech, its alignment and its mouth curves, made once; and photos of people who do not exist."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.avatar.base import Performance
from activities.avatar.face import FaceFinder
from activities.avatar.motion import COLUMN
from activities.lipsync.visemes import VisemeEngine
from activities.speech.base import Voice
from activities.speech.hibari import HibariEngine
from activities.support.engine import no_progress
from models.script import Tone
from models.ssml import parse_script

FPS = 25
PORTRAITS = Path(__file__).parents[1] / "media" / "portraits"
NAMES = ("anna", "ben", "carol")


@dataclass(frozen=True)
class Spoken:
    """A performance and what it plans for the lips, per frame."""

    performance: Performance
    planned: np.ndarray


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    folder = tmp_path_factory.mktemp("spoken")
    utterance = parse_script("By Monday, our people will prove that remarkable numbers matter.", "en", ())[0].utterance
    speech = HibariEngine()
    wav = folder / "speech.wav"
    heard = speech.speak(utterance, Voice(speech.voices()[0]), 1, wav, no_progress)
    alignment = PocketsphinxEngine().align(wav, utterance, heard.alignment, no_progress)
    curves = folder / "curves.npy"
    VisemeEngine().curves(alignment, wav, FPS, 1, curves)
    planned = np.load(curves)
    return Spoken(
        Performance(curves, wav, alignment, Tone.CONFIDENT, FPS, 7),
        planned[:, COLUMN["jawOpen"]] - planned[:, COLUMN["mouthClose"]],
    )


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="session")
def anna() -> Path:
    return PORTRAITS / "anna.jpg"
