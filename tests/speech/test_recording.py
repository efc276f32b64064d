"""One recording of a whole script becomes its sentences, and a recording of something else is refused by the sentence
where it leaves the script."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from activities.alignment.pocketsphinx import PocketsphinxEngine
from activities.quality.recognition import Recogniser, compare
from activities.quality.weights import unpack_whisper
from activities.speech.base import Spoken, Voice
from activities.speech.kokoro import KokoroEngine
from activities.speech.recording import SAMPLE_RATE, RecordedSpeech
from activities.support.audio import mono_16k
from activities.support.engine import no_progress
from models.alignment import Alignment
from models.errors import InvalidInput, MediaRejected
from models.script import Utterance
from tests.speech.conftest import sentence

SENTENCES = (
    "Good morning, and welcome.",
    "Revenue grew by 12% to $4.2 million.",
    "Margins held.",
    "Our new product, Quorvane, is now in nine regions.",
    "Thank you.",
)


@dataclass(frozen=True)
class Recorded:
    """The script read aloud, and what is known of each sentence by whoever read it."""

    wav: Path
    seconds: tuple[float, ...]
    utterances: tuple[Utterance, ...]
    known: tuple[Alignment, ...]


@pytest.fixture(scope="module")
def recorded(kokoro: KokoroEngine, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    utterances = tuple(map(sentence, SENTENCES))
    spoken = [
        kokoro.speak(utterance, Voice("bm_george"), 1, folder / f"{number}.wav", no_progress)
        for number, utterance in enumerate(utterances)
    ]
    # A room's noise between the sentences too, and silence around them all.
    sound = np.concatenate([np.zeros(SAMPLE_RATE), *(soundfile.read(each.wav)[0] for each in spoken), np.zeros(12_000)])
    noisy = sound + np.random.default_rng(5).normal(0, 0.0015, len(sound))
    wav = folder / "recording.wav"
    soundfile.write(wav, noisy, SAMPLE_RATE, subtype="PCM_16")
    known = tuple(each.alignment for each in spoken if each.alignment)
    return Recorded(wav, tuple(each.duration for each in spoken), utterances, known)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_whisper(tmp_path_factory.mktemp("weights") / "whisper-base")


@pytest.fixture(scope="module")
def engine(whisper: Path) -> RecordedSpeech:
    return RecordedSpeech(whisper)


@pytest.fixture(scope="module")
def pieces(engine: RecordedSpeech, recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> tuple[Spoken, ...]:
    return engine.cut(recorded.wav, SENTENCES, "en", tmp_path_factory.mktemp("pieces"), no_progress)


def test_each_sentence_is_a_piece_and_nothing_between_them_is_lost(
    pieces: tuple[Spoken, ...], recorded: Recorded
) -> None:
    assert len(pieces) == len(SENTENCES)
    for piece in pieces:
        header = soundfile.info(piece.wav)
        assert (header.samplerate, header.channels, header.subtype) == (SAMPLE_RATE, 1, "PCM_16")
        assert header.duration == pytest.approx(piece.duration)
        assert piece.alignment is None
    # The first begins and the last ends at its words; those between are as long as they were spoken.
    for piece, seconds in list(zip(pieces, recorded.seconds, strict=True))[1:-1]:
        assert piece.duration == pytest.approx(seconds, abs=0.12)
    whole, _ = soundfile.read(recorded.wav)
    joined = np.concatenate([soundfile.read(piece.wav)[0] for piece in pieces])
    start = int(np.argmax(correlate(whole[: 2 * SAMPLE_RATE], joined[SAMPLE_RATE // 2 : SAMPLE_RATE], "valid", "fft")))
    begin = start - SAMPLE_RATE // 2
    # But for the fades of five milliseconds at each cut.
    differs = np.abs(joined - whole[begin : begin + len(joined)]) > 2e-4
    assert differs.sum() <= 2 * len(pieces) * SAMPLE_RATE * 0.005


def test_every_piece_says_its_sentence_and_is_timed_by_its_sound(
    pieces: tuple[Spoken, ...], recorded: Recorded, whisper: Path
) -> None:
    listener = Recogniser(whisper, 2)
    heard = [
        compare(text, listener.transcribe(mono_16k(piece.wav), "en"), "en")
        for text, piece in list(zip(SENTENCES, pieces, strict=True))[1:-1]
    ]
    assert sum(errors.errors for errors in heard) <= 2, heard
    late: list[float] = []
    for number in range(1, len(pieces) - 1):
        found = PocketsphinxEngine().align(pieces[number].wav, recorded.utterances[number], None, no_progress)
        shifts = [a.start - b.start for a, b in zip(found.words, recorded.known[number].words, strict=True)]
        late += [shift - float(np.median(shifts)) for shift in shifts]
    assert float(np.median(np.abs(late))) <= 0.06


def test_another_format_is_cut_at_the_same_places_and_the_same_file_into_the_same_bytes(
    engine: RecordedSpeech, recorded: Recorded, pieces: tuple[Spoken, ...], tmp_path: Path
) -> None:
    again = engine.cut(recorded.wav, SENTENCES, "en", tmp_path, no_progress)
    assert [piece.wav.read_bytes() for piece in again] == [piece.wav.read_bytes() for piece in pieces]
    phone = tmp_path / "recording.m4a"
    convert = ["-i", str(recorded.wav), "-ar", "44100", "-ac", "2", "-b:a", "128k", str(phone)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *convert], check=True)
    other = engine.cut(phone, SENTENCES, "en", tmp_path, no_progress)
    for a, b in zip(other, pieces, strict=True):
        assert a.duration == pytest.approx(b.duration, abs=0.1)


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ((*SENTENCES[:2], "We closed two of our offices this year.", *SENTENCES[3:]), "text", "sentence 3 (“We closed"),
        ((*SENTENCES, "And see you in the spring, when all of this will be done."), "sentence_missing", "sentence 6"),
        ((*SENTENCES[:3], *SENTENCES[4:]), "text", "also says|Our new product"),
    ],
    ids=["another sentence", "one missing", "one too many"],
)
def test_a_recording_of_another_text_is_refused_by_the_sentence(
    engine: RecordedSpeech, recorded: Recorded, tmp_path: Path, script: tuple[str, ...], code: str, says: str
) -> None:
    with pytest.raises(MediaRejected) as refused:
        engine.cut(recorded.wav, script, "en", tmp_path, no_progress)
    assert refused.value.code == f"recording.{code}", refused.value.message
    assert any(part in refused.value.message for part in says.split("|")), refused.value.message
    assert (refused.value.field, list(tmp_path.iterdir())) == ("recording", [])


def test_another_language_is_named(engine: RecordedSpeech, recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(MediaRejected, match="in 'en', the script in 'de-CH'") as refused:
        engine.cut(recorded.wav, SENTENCES, "de-CH", tmp_path, no_progress)
    assert refused.value.code == "recording.language"


def test_sound_unfit_to_be_speech_is_refused_as_any_sample_is(
    engine: RecordedSpeech, recorded: Recorded, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(5 * SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(MediaRejected) as refused:
        engine.cut(silent, SENTENCES, "en", tmp_path, no_progress)
    assert (refused.value.code, refused.value.field) == ("audio.silent", "recording")
    with pytest.raises(InvalidInput, match="only what was recorded"):
        engine.speak(recorded.utterances[0], Voice("bm_george"), 1, tmp_path / "x.wav", no_progress)
