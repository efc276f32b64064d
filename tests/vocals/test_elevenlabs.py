"""ElevenLabs' speech, from a local server that speaks its documented API: every line on its beat and whole, or a typed
error that says what came instead."""

import base64
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from activities.support.engine import no_progress
from activities.support.provider import Patience
from activities.vocals.base import LEAD_IN, SungFiles
from activities.vocals.elevenlabs import RATE, ElevenLabsVoice
from models.errors import PROVIDER_RESTS, EngineUnavailable, ProviderFault, ScriptRejected, StudioError
from models.identity import Delivery, SingingVoice, StyleShare
from models.music import Key, LeadNote, LyricWord, Mode, SungLine
from models.song_stages import VoicePrints
from tests.desk import FAULTS, Desk, open_desk

KEY, VOICE_ID = "key-1", "voice/1"
PATIENCE = Patience(answer=0.7)
VOICE = SingingVoice(styles=(StyleShare(style="af_heart", share=1),), low=57, high=74)
LEADING = 0.12
"""Seconds of silence before the first word of a line."""


def line(text: str, start: float, beats: float = 0.5) -> SungLine:
    words = tuple(LyricWord(text=word, syllables=1) for word in text.split())
    notes = tuple(LeadNote(start=start + at * beats, beats=beats, pitch=60) for at in range(len(words)))
    return SungLine(words=words, notes=notes)


LINES = (line("hold me by hand", 0), line("walk on the sand", 8))


class Voice:
    """Says each character in ``pace`` seconds: letters sound, spaces are silent."""

    def __init__(self, pace: float = 0.05) -> None:
        self.pace = pace
        self.changes: dict[str, Any] = {}

    def __call__(self, path: str, body: Mapping[str, Any]) -> tuple[int, object]:
        assert path == "/v1/text-to-speech/voice%2F1/with-timestamps?output_format=pcm_24000"
        text = body["text"]
        starts = [LEADING + at * self.pace for at in range(len(text))]
        times = np.arange(round((LEADING + len(text) * self.pace + 0.1) * RATE)) / RATE
        sounding = np.zeros(len(times), bool)
        for character, start in zip(text, starts, strict=True):
            sounding |= (times >= start) & (times < start + self.pace) & (character != " ")
        tone = 0.4 * np.sin(2 * np.pi * 220 * times) * sounding
        alignment = {
            "characters": list(text),
            "character_start_times_seconds": starts,
            "character_end_times_seconds": [start + self.pace for start in starts],
        }
        audio = base64.b64encode((tone * 32_767).astype("<i2").tobytes()).decode()
        return 200, {"audio_base64": audio, "alignment": alignment, "normalized_alignment": alignment, **self.changes}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk(Voice()) as desk:
        yield desk


def engine(desk: Desk, key: str = KEY, voice_id: str = VOICE_ID, patience: Patience = PATIENCE) -> ElevenLabsVoice:
    return ElevenLabsVoice(key, voice_id, f"{desk.url}/v1", patience=patience)


def sing(
    voice: ElevenLabsVoice,
    folder: Path,
    lines: tuple[SungLine, ...] = LINES,
    delivery: Delivery = Delivery.SPOKEN,
    tempo: float = 120,
) -> SungFiles:
    key = Key(tonic=0, mode=Mode.MAJOR)
    return voice.sing(lines, tempo, key, VOICE, "en", delivery, True, 7, folder, no_progress)


def refused(desk: Desk, folder: Path, **changes: Any) -> StudioError:
    with pytest.raises(StudioError) as caught:
        sing(engine(desk), folder, **changes)
    assert list(folder.iterdir()) == []
    return caught.value


def onsets(path: Path) -> list[float]:
    """Where sound begins after at least 150 ms of silence, in seconds."""
    samples, rate = sf.read(path)
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return [float(loud[0] / rate)] + [float(b / rate) for a, b in pairwise(loud) if b - a > 0.15 * rate]


def test_each_line_begins_on_its_beat_and_words_are_where_they_are_heard(desk: Desk, tmp_path: Path) -> None:
    sung = sing(engine(desk), tmp_path)
    info = sf.info(sung.lead)
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    assert info.duration == pytest.approx(sung.duration, abs=0.01)
    heard = onsets(sung.lead)
    # At 120 a minute the second line's eighth beat is four seconds after the first.
    assert heard == pytest.approx([LEAD_IN, LEAD_IN + 4.0], abs=0.015)
    firsts = [words[0] for words in sung.timing.lines]
    assert [word.start for word in firsts] == pytest.approx(heard, abs=0.015)
    assert [word.text for words in sung.timing.lines for word in words] == [
        word.text for one in LINES for word in one.words
    ]
    assert (sung.doubles, sung.harmonies, sung.lead_in_ms) == ((), (), 500)
    assert not np.load(sung.melody).any() and len(np.load(sung.melody)) == round(sung.duration * 80)
    assert {path.name for path in tmp_path.iterdir()} == {"lead.wav", "melody.npy"}


def test_the_documented_request_is_made_with_the_lines_around_it(desk: Desk, tmp_path: Path) -> None:
    sing(engine(desk), tmp_path)
    (_, headers, first), (_, _, second) = desk.asked
    assert headers["xi-api-key"] == KEY and "authorization" not in headers
    assert first == {
        "text": "hold me by hand",
        "model_id": "eleven_multilingual_v2",
        "seed": 7,
        "next_text": "walk on the sand",
    }
    assert (second["text"], second["previous_text"]) == ("walk on the sand", "hold me by hand")


def test_a_line_with_little_room_is_made_quicker_and_does_not_run_into_the_next(desk: Desk, tmp_path: Path) -> None:
    desk.reply = Voice(pace=0.06)
    lines = (line("hold me by hand", 0, 0.25), line("walk on the sand", 1.25, 0.5))
    sung = sing(engine(desk), tmp_path, lines)
    first, second = sung.timing.lines
    assert first[-1].end <= second[0].start
    assert first[0].start == pytest.approx(LEAD_IN, abs=0.01)
    assert second[0].start == pytest.approx(LEAD_IN + 0.625, abs=0.01)
    samples, rate = sf.read(sung.lead)
    frequencies = np.abs(np.fft.rfft(samples[: rate * 2]))
    assert np.argmax(frequencies) * rate / (rate * 2) == pytest.approx(220, abs=6), "quicker, but not higher"


def test_a_line_that_is_far_too_slow_is_a_fault_that_no_repetition_mends(desk: Desk, tmp_path: Path) -> None:
    desk.reply = Voice(pace=0.2)
    fault = refused(desk, tmp_path, lines=(line("hold me by hand", 0, 0.25), line("walk on the sand", 1.25, 0.5)))
    assert (fault.code, fault.retryable) == ("provider.too_slow", False)


def test_singing_is_refused_with_what_to_do(desk: Desk, tmp_path: Path) -> None:
    error = refused(desk, tmp_path, delivery=Delivery.SUNG)
    assert isinstance(error, ScriptRejected)
    assert (error.code, error.field) == ("vocals.speaks_only", "delivery")
    assert "spoken" in error.action
    assert desk.asked == []
    with pytest.raises(ScriptRejected):
        engine(desk).cast(VoicePrints(prints=()), 1, tmp_path, no_progress)


@pytest.mark.parametrize(("trouble", "code"), FAULTS)
def test_each_trouble_has_its_name_and_leaves_no_file(trouble: str, code: str, desk: Desk, tmp_path: Path) -> None:
    desk.trouble = trouble
    fault = refused(desk, tmp_path)
    assert isinstance(fault, ProviderFault)
    assert (fault.code, fault.retryable) == (code, True)


TIMES = {"characters": list("hold me by hand"), "character_start_times_seconds": [0.1] * 15}
SILENCE = base64.b64encode(bytes(2 * RATE)).decode()
SHORT = base64.b64encode(b"\x00\x40" * 900).decode()
LONG = base64.b64encode(b"\x00\x40" * RATE * 12).decode()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"audio_base64": None}, "provider.shape"),
        ({"audio_base64": "no base64!"}, "provider.not_audio"),
        ({"audio_base64": base64.b64encode(bytes(20_001)).decode()}, "provider.not_audio"),
        ({"audio_base64": SILENCE}, "provider.silence"),
        ({"audio_base64": SHORT}, "provider.wrong_length"),
        ({"audio_base64": LONG}, "provider.wrong_length"),
        ({"alignment": None}, "provider.shape"),
        ({"alignment": {"characters": ["x"]}}, "provider.shape"),
        ({"alignment": {**TIMES, "character_end_times_seconds": ["late"] * 15}}, "provider.shape"),
        ({"alignment": {**TIMES, "character_end_times_seconds": [99.0] * 15}}, "provider.shape"),
        ({"alignment": {**TIMES, "character_end_times_seconds": [float("nan")] * 15}}, "provider.shape"),
    ],
)
def test_what_is_not_the_line_is_refused(changes: dict[str, Any], code: str, desk: Desk, tmp_path: Path) -> None:
    voice = Voice()
    voice.changes = changes
    desk.reply = voice
    assert refused(desk, tmp_path).code == code


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_and_missing_settings_are_named(status: int, desk: Desk, tmp_path: Path) -> None:
    desk.reply = lambda path, body: (status, {"detail": {"status": "invalid_api_key"}})
    assert refused(desk, tmp_path).field == "ELEVENLABS_API_KEY"
    for voice, setting in (
        (engine(desk, key=""), "ELEVENLABS_API_KEY"),
        (engine(desk, voice_id=""), "ELEVENLABS_VOICE_ID"),
    ):
        with pytest.raises(EngineUnavailable) as caught:
            _ = voice.ref
        assert caught.value.field == setting


def test_an_unknown_voice_is_not_asked_for_ever(desk: Desk, tmp_path: Path) -> None:
    desk.reply = lambda path, body: (404, {"detail": {"status": "voice_not_found"}})
    fault = refused(desk, tmp_path)
    assert (fault.code, fault.retryable) == ("provider.refused", False)
    assert "voice_not_found" in fault.message


def test_it_rests_after_failing(desk: Desk, tmp_path: Path) -> None:
    desk.trouble = "500"
    voice = engine(desk, patience=Patience(answer=1.0, failures=1))
    for expected in ("provider.status", PROVIDER_RESTS):
        with pytest.raises(ProviderFault) as caught:
            sing(voice, tmp_path)
        assert caught.value.code == expected
    assert len(desk.asked) == 1
