"""A small finished film of real parts: a drawn face whose mouth is warped open with the loudness of real speech."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from hibari import Hibari

from activities.lipsync.base import ARKIT
from activities.quality.sound import SPEECH_RATE
from activities.quality.weights import unpack_whisper
from activities.support.ffmpeg import encode_frames, run

FPS = 25
RATE = 24_000
FACE = Path(__file__).parents[1] / "media" / "faces" / "warpable.jpg"
SENTENCES = (
    "Good morning, and welcome to the third quarter results.",
    "Revenue grew by twelve percent to four point two million dollars.",
    "We will continue to invest in our people and our products.",
    "Thank you for listening, and have a very good day.",
)
_WIDTH, _HEIGHT = 854, 480
_MOUTH = (235.5, 258.4)
"""Where the lips of the picture meet."""

Frame = npt.NDArray[np.uint8]


def face() -> Frame:
    """The face on its ground, RGB."""
    picture = cv2.cvtColor(cv2.imread(str(FACE)), cv2.COLOR_BGR2RGB)
    side = (_WIDTH - picture.shape[1]) // 2
    return cv2.copyMakeBorder(picture, 0, 0, side, side, cv2.BORDER_REPLICATE)


def speaking(picture: Frame, openings: Sequence[float]) -> Iterator[bytes]:
    """``picture`` with its lower lip drawn down by each of ``openings`` (0..1), dark inside, and a slow sway."""
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    centre = _MOUTH[0] + (_WIDTH - _HEIGHT) // 2
    lens = np.clip(1 - ((columns - centre) / 23) ** 2, 0, 1)
    below = rows > _MOUTH[1]
    for number, opening in enumerate(openings):
        gap = 20 * opening * lens
        shift = np.where(below, gap * np.clip(1 - (rows - _MOUTH[1] - gap) / 120, 0, 1), 0)
        sway = 2.0 * np.sin(number / 12)
        source = ((columns - sway).astype(np.float32), (rows - shift).astype(np.float32))
        moved = cv2.remap(picture, *source, cv2.INTER_LINEAR)
        hole = (below & (rows < _MOUTH[1] + gap)).astype(np.float32)
        inside = np.roll(cv2.GaussianBlur(hole, (0, 0), 0.7), round(sway), axis=1)[..., None]
        yield (moved * (1 - inside) + np.array([45, 20, 25]) * inside).astype(np.uint8).tobytes()


def encode(frames: Iterator[bytes], out: Path) -> Path:
    encode_frames(frames, out, (_WIDTH, _HEIGHT), FPS, crf=20, preset="veryfast")
    return out


@dataclass(frozen=True)
class Sentence:
    """One segment: its sound (a whole number of frames long), mouth curves and composed picture."""

    text: str
    speech: npt.NDArray[np.float32]
    curves: Path
    picture: Path

    @property
    def frames(self) -> int:
        return len(self.speech) * FPS // RATE


def as_speech(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """As the recogniser and the aligner get it."""
    return (soxr.resample(samples, RATE, SPEECH_RATE) * 32767).astype(np.int16)


def loudness_curve(speech: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mouth opening per frame, 0..1, from the level of the speech."""
    level = np.sqrt(np.square(speech).reshape(-1, RATE // FPS).mean(axis=1))
    smooth = np.convolve(level, [0.25, 0.5, 0.25], mode="same")
    return (0.8 * smooth / smooth.max()).astype(np.float32)


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sentence, ...]:
    folder = tmp_path_factory.mktemp("sentences")
    voice = Hibari()
    made = []
    for number, text in enumerate(SENTENCES):
        spoken = np.asarray(voice(text), np.float32)
        frames = -(-(len(spoken) + RATE // 4) * FPS // RATE)
        speech = np.pad(spoken, (0, frames * RATE // FPS - len(spoken)))
        curve = np.zeros((frames, len(ARKIT)), np.float32)
        curve[:, ARKIT.index("jawOpen")] = loudness_curve(speech)
        np.save(folder / f"{number}.npy", curve)
        picture = encode(speaking(face(), curve[:, ARKIT.index("jawOpen")].tolist()), folder / f"{number}.mp4")
        made.append(Sentence(text, speech, folder / f"{number}.npy", picture))
    return tuple(made)


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_whisper(tmp_path_factory.mktemp("weights") / "whisper-base")


def join(pictures: Sequence[Path], speech: npt.NDArray[np.float32], out: Path) -> Path:
    """The pictures one after the other, their packets copied, with ``speech`` as stereo AAC."""
    listing = out.with_suffix(".txt")
    listing.write_text("".join(f"file '{picture}'\n" for picture in pictures))
    wav = out.with_suffix(".wav")
    soundfile.write(wav, np.stack([speech, speech], axis=1), RATE, subtype="FLOAT")
    run(
        [
            *("-f", "concat", "-safe", "0", "-i", str(listing), "-i", str(wav)),
            *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-ar", "48000", "-b:a", "160k", str(out)),
        ]
    )
    return out
