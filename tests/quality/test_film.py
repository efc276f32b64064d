"""A segment's frames are known again in the film that was joined from it, and only there."""

from pathlib import Path

import numpy as np
import pytest

from activities.quality.film import Slices, decoded, lengths, slices
from activities.support.ffmpeg import run
from models.errors import EngineFailed
from tests.quality.conftest import Sentence, encode, face, join, speaking


def joined(sentences: tuple[Sentence, ...], folder: Path) -> Slices:
    speech = np.concatenate([sentence.speech for sentence in sentences])
    return slices(join([sentence.picture for sentence in sentences], speech, folder / "film.mp4"))


def test_joining_by_copy_keeps_every_segment_recognisable(sentences: tuple[Sentence, ...], tmp_path: Path) -> None:
    film, at = joined(sentences, tmp_path), 0
    for sentence in sentences:
        assert film.sha256(at, at + sentence.frames) == slices(sentence.picture).sha256()
        at += sentence.frames
    assert len(film.digests) == at


def test_a_transport_stream_holds_the_same_slices(sentences: tuple[Sentence, ...], tmp_path: Path) -> None:
    stream = tmp_path / "segment.ts"
    run(["-i", str(sentences[0].picture), "-c", "copy", "-bsf:v", "h264_mp4toannexb", str(stream)])
    assert slices(stream).sha256() == slices(sentences[0].picture).sha256()


def test_the_same_picture_encoded_again_is_another(sentences: tuple[Sentence, ...], tmp_path: Path) -> None:
    again = tmp_path / "again.mp4"
    run(["-i", str(sentences[0].picture), "-c:v", "libx264", "-crf", "21", "-threads", "1", str(again)])
    assert slices(again).sha256() != slices(sentences[0].picture).sha256()


def test_one_other_mouth_is_another_segment(tmp_path: Path) -> None:
    still, moved = [0.1] * 12, [0.1] * 11 + [0.4]
    first = encode(speaking(face(), still), tmp_path / "still.mp4")
    second = encode(speaking(face(), moved), tmp_path / "moved.mp4")
    assert slices(first).sha256() != slices(second).sha256()


def test_what_is_no_film_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film")
    for read in (slices, lengths, lambda path: list(decoded(path))):
        with pytest.raises(EngineFailed, match=r"finished file|broken\.mp4"):
            read(broken)
