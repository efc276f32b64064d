"""What is sung is the words, on the beat, on pitch, in the voice that was cast."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.audition.pitch import intonation
from activities.quality.recognition import Recogniser, compare
from activities.support.audio import mono_16k
from activities.support.engine import no_progress
from activities.vocals.base import SungFiles
from activities.vocals.casting import VoiceCrowded, candidates
from activities.vocals.singer import KokoroSinger
from models.errors import EngineUnavailable, ScriptRejected
from models.identity import Delivery, SingingVoice, StyleShare
from models.music import Key, LeadNote, LyricWord, Mode, SungLine
from models.song_stages import SAME_VOICE, VoicePrint, VoicePrints

WEIGHTS = Path(__file__).parents[2] / ".studio" / "weights"
NOBODY = np.zeros((0, 256), np.float32)
KEY = Key(tonic=0, mode=Mode.MAJOR)
TEMPO = 96.0
VOICE = SingingVoice(
    styles=(StyleShare(style="am_fenrir", share=0.6), StyleShare(style="am_michael", share=0.4)), low=45, high=60
)
WORDS = (
    (("Every", 2), ("star", 1), ("above", 2), ("the", 1), ("water", 2)),
    (("I", 1), ("will", 1), ("carry", 2), ("you", 1), ("tonight", 2)),
)
PITCHES = (48, 50, 52, 55, 52, 50, 48, 50)


def line(words: tuple[tuple[str, int], ...], start: float) -> SungLine:
    count = sum(notes for _, notes in words)
    notes = tuple(
        LeadNote(start=start + at / 2, beats=2 if at == count - 1 else 0.5, pitch=PITCHES[at], strong=at % 4 == 0)
        for at in range(count)
    )
    return SungLine(words=tuple(LyricWord(text=text, syllables=syllables) for text, syllables in words), notes=notes)


LINES = tuple(line(words, 8.0 * at) for at, words in enumerate(WORDS))


@pytest.fixture(scope="module")
def singer() -> KokoroSinger:
    return KokoroSinger(None, WEIGHTS / "kokoro-js" / "voices", WEIGHTS / "prepared")


def sing(
    singer: KokoroSinger,
    folder: Path,
    lines: tuple[SungLine, ...] = LINES,
    voice: SingingVoice = VOICE,
    delivery: Delivery = Delivery.SUNG,
    support: bool = False,
) -> SungFiles:
    folder.mkdir(exist_ok=True)
    return singer.sing(lines, TEMPO, KEY, voice, "en", delivery, support, 5, folder, no_progress)


@pytest.fixture(scope="module")
def sung(singer: KokoroSinger, tmp_path_factory: pytest.TempPathFactory) -> SungFiles:
    return sing(singer, tmp_path_factory.mktemp("sung"), support=True)


def test_the_words_are_understood(sung: SungFiles) -> None:
    heard = Recogniser(WEIGHTS / "whisper-base", 1).transcribe(mono_16k(sung.lead), "en")
    errors = compare(" ".join(one.text for one in LINES), heard, "en")
    assert errors.errors / errors.words <= 0.25, heard


def test_the_tune_is_held_within_fifty_cents(sung: SungFiles) -> None:
    share = intonation(mono_16k(sung.lead), np.load(sung.melody)).share
    assert share is not None and share >= 0.88


def test_vowels_begin_on_their_beats(sung: SungFiles) -> None:
    tune = np.load(sung.melody)
    for number, one in enumerate(LINES):
        for note in one.notes:
            middle = sung.lead_in_ms / 1000 + (note.start + note.beats / 2) * 60 / TEMPO
            asked = tune[round(middle * 80)]
            assert asked == 0 or abs(1200 * np.log2(asked / (440 * 2 ** ((note.pitch - 69) / 12)))) < 40, number
    first = sung.timing.lines[1][0]
    assert first.start == pytest.approx(sung.lead_in_ms / 1000 + 8 * 60 / TEMPO, abs=0.04)


def test_all_takes_are_as_long_differ_and_do_not_clip(sung: SungFiles) -> None:
    takes = [sf.read(path) for path in (sung.lead, *sung.doubles, *sung.harmonies)]
    assert len(takes) == 4
    assert {(len(samples), rate) for samples, rate in takes} == {(round(sung.duration * 24_000), 24_000)}
    assert all(0.2 < np.abs(samples).max() < 0.95 for samples, _ in takes)
    assert all(np.abs(takes[0][0] - samples).max() > 0.05 for samples, _ in takes[1:])
    assert all(not samples[:240].any() and np.abs(samples[-240:]).max() < 0.01 for samples, _ in takes)
    assert len(np.load(sung.melody)) == round(sung.duration * 80)


def test_the_same_request_gives_the_same_bytes_also_side_by_side(singer: KokoroSinger, tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(lambda folder: sing(singer, folder, LINES[:1]), folders))
    assert files[0].lead.read_bytes() == files[1].lead.read_bytes()
    assert files[0].melody.read_bytes() == files[1].melody.read_bytes()
    assert files[0].timing == files[1].timing


def test_spoken_words_keep_their_own_melody_and_the_beat(singer: KokoroSinger, tmp_path: Path) -> None:
    spoken = sing(singer, tmp_path, LINES[1:], delivery=Delivery.SPOKEN, support=True)
    assert not np.load(spoken.melody).any()
    assert not spoken.doubles and not spoken.harmonies
    assert spoken.timing.lines[0][0].start == pytest.approx(spoken.lead_in_ms / 1000 + 8 * 60 / TEMPO, abs=0.05)


def test_stopping_leaves_no_file(singer: KokoroSinger, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        singer.sing(LINES[:1], TEMPO, KEY, VOICE, "en", Delivery.SUNG, False, 5, tmp_path, stop)
    assert not list(tmp_path.iterdir())


def test_another_language_and_absent_styles_are_refused_by_name(singer: KokoroSinger, tmp_path: Path) -> None:
    with pytest.raises(ScriptRejected, match="English"):
        singer.sing(LINES, TEMPO, KEY, VOICE, "de", Delivery.SUNG, False, 5, tmp_path, no_progress)
    empty = KokoroSinger(None, tmp_path, WEIGHTS / "prepared")
    with pytest.raises(EngineUnavailable) as refused:
        sing(empty, tmp_path / "out")
    assert refused.value.field == "KOKORO_VOICES_DIR"


def test_two_artists_have_two_voices_and_one_seed_has_one(singer: KokoroSinger, tmp_path: Path) -> None:
    first = singer.cast(VoicePrints(prints=()), 1, tmp_path, no_progress)
    again = singer.cast(VoicePrints(prints=()), 1, tmp_path, no_progress)
    assert (first.voice, first.embedding) == (again.voice, again.embedding)
    known = VoicePrints(prints=(VoicePrint(artist="first", embedding=first.embedding),))
    second = singer.cast(known, 1, tmp_path, no_progress)
    assert second.voice != first.voice
    assert second.nearest < SAME_VOICE
    assert float(np.dot(first.embedding, second.embedding)) == pytest.approx(second.nearest, abs=1e-5)
    assert 4 < second.duration < 8 and second.sample.is_file()


def test_a_house_without_room_for_another_voice_says_so(
    singer: KokoroSinger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.vocals.singer.MOST_TRIED", 1)
    monkeypatch.setattr("activities.vocals.singer.candidates", lambda seed, known: candidates(1, NOBODY)[:1])
    first = singer.cast(VoicePrints(prints=()), 1, tmp_path, no_progress)
    known = VoicePrints(prints=(VoicePrint(artist="first", embedding=first.embedding),))
    with pytest.raises(VoiceCrowded) as refused:
        singer.cast(known, 2, tmp_path, no_progress)
    assert refused.value.code == "voice.crowded"
    assert "seed" in refused.value.action
