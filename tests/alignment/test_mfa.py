"""The external aligner: what it is asked, what its answer becomes, and what if it fails, hangs or is absent."""

import json
import time

import pytest

from activities.alignment import mfa
from activities.alignment.mfa import MfaEngine, _sound, parse_textgrid
from activities.support.engine import no_progress
from models.errors import EngineFailed, EngineUnavailable
from tests.alignment.conftest import SENTENCES, utterance
from tests.processes import is_gone


def align(engine, speech, progress=no_progress):
    return engine.align(speech["figures"], utterance(SENTENCES["figures"]), None, progress)


def test_it_is_asked_without_a_shell_in_plain_words(speech, mfa_program, tmp_path):
    align(MfaEngine(tmp_path / "work", mfa_program(), "my dictionary", "$(touch pwned)"), speech)
    asked = json.loads((tmp_path / "arguments.json").read_text())
    assert asked[0] == "align_one"
    assert asked[3:5] == ["my dictionary", "$(touch pwned)"]
    assert asked[asked.index("--temporary_directory") + 1] == str(tmp_path / "work")


def test_its_answer_becomes_caption_words_and_ipa(speech, mfa_program, tmp_path):
    words = align(MfaEngine(tmp_path, mfa_program()), speech).words
    percent = words[2]
    assert percent.text == "12%"
    assert [(p.phoneme, p.stress) for p in percent.phonemes] == [("n", 0), ("ʌ", 1)] * 2
    assert words[1].end == pytest.approx(percent.start)


def test_a_word_its_dictionary_lacks_gets_the_expected_sounds_evenly(speech, mfa_program, tmp_path):
    word = align(MfaEngine(tmp_path, mfa_program()), speech).words[0]
    assert "".join(phoneme.phoneme for phoneme in word.phonemes) == "zɔɹbætɹɑn"
    lengths = [phoneme.end - phoneme.start for phoneme in word.phonemes]
    assert max(lengths) - min(lengths) < 1e-3
    assert (word.phonemes[0].start, word.phonemes[-1].end) == pytest.approx((word.start, word.end), abs=1e-3)


@pytest.mark.parametrize("command", ["no-such-program-here", "/etc/hostname"])
def test_an_absent_program_names_the_setting(speech, tmp_path, command):
    with pytest.raises(EngineUnavailable) as raised:
        align(MfaEngine(tmp_path, command), speech)
    assert raised.value.field == "MFA_COMMAND"


def test_an_absent_model_is_the_operators_to_supply(speech, mfa_program, tmp_path):
    behaviour = "print('Could not find a model\\n │ named \"x\" for acoustic.'); sys.exit(1)"
    with pytest.raises(EngineUnavailable, match="no such model"):
        align(MfaEngine(tmp_path, mfa_program(behaviour)), speech)


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("print('Beam too narrow', file=sys.stderr); sys.exit(3)", "status 3.*Beam too narrow"),
        ("sys.exit(0)", "no readable TextGrid"),
        ("pathlib.Path(grid).write_bytes(b'\\xff\\xfe nonsense'); sys.exit(0)", "no readable TextGrid"),
        ("pathlib.Path(text).write_text('completely other words')", "differ from the sentence"),
        ("pathlib.Path(text).write_text(pathlib.Path(text).read_text() + ' more')", "after the sentence"),
    ],
    ids=["fails", "answers nothing", "answers nonsense", "answers other words", "answers more words"],
)
def test_a_bad_answer_is_a_typed_error(speech, mfa_program, tmp_path, behaviour, message):
    with pytest.raises(EngineFailed, match=message):
        align(MfaEngine(tmp_path, mfa_program(behaviour)), speech)


HANG = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(here / "pids").write_text(f"{child.pid}")
time.sleep(600)
"""


def test_a_hanging_program_is_ended_with_its_children(speech, mfa_program, tmp_path, monkeypatch):
    monkeypatch.setattr(mfa, "SECONDS_PER_SECOND", 0.0)
    child = tmp_path / "pids"

    def wait_for_child(done, total):
        while not child.exists() or not child.read_text():
            time.sleep(0.01)

    with pytest.raises(EngineFailed, match="no answer within"):
        align(MfaEngine(tmp_path, mfa_program(HANG), patience=0.0), speech, wait_for_child)
    assert is_gone(int(child.read_text()))


def test_progress_can_stop_it_and_nothing_is_left_running(speech, mfa_program, tmp_path):
    child = tmp_path / "pids"

    def stop(done, total):
        if child.exists() and child.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align(MfaEngine(tmp_path, mfa_program(HANG)), speech, stop)
    assert is_gone(int(child.read_text()))


def test_a_textgrid_may_name_speakers_and_quote_quotes():
    text = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\nxmin = 0\nxmax = 2\ntiers? <exists>\nsize = 1\nitem []:\n'
        '    item [1]:\n        class = "IntervalTier"\n        name = "speaker - words"\n        xmin = 0\n'
        "        xmax = 2\n        intervals: size = 1\n        intervals [1]:\n            xmin = 1e-1\n"
        '            xmax = 2\n            text = "say ""hi"""\n'
    )
    assert parse_textgrid(text) == {"speaker - words": [(0.1, 2.0, 'say "hi"')]}


@pytest.mark.parametrize(
    ("label", "ipa"),
    [("AE1", "æ"), ("NG", "ŋ"), ("aj", "aɪ"), ("ow", "oʊ"), ("tʲ", "t"), ("dʒ", "dʒ"), ("ɟ", "ɡ"), ("ɚ", "ɚ")],
)
def test_both_of_its_phone_sets_are_understood(label, ipa):
    sound = _sound(label)
    assert sound is not None and sound.ipa == ipa
