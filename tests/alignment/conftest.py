"""Spoken sentences, made once by a real voice, and a small program that answers as ``mfa`` does."""

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hibari import Hibari

from activities.speech.normalise import spoken_text
from models.script import Span, Utterance

SENTENCES = {
    "plain": "Good morning, I am Sarah Mitchell, chief financial officer of the company.",
    "figures": "Zorbatron grew 12% this quarter, says our CEO, and costs fell to $4.5 million.",
}


def utterance(text: str, **span: object) -> Utterance:
    return Utterance(spans=(Span.model_validate({"text": text, **span}),))


@pytest.fixture(scope="session")
def voice() -> Hibari:
    return Hibari()


@pytest.fixture(scope="session")
def speech(voice: Hibari, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sentences as 24 kHz WAV files."""
    folder = tmp_path_factory.mktemp("speech")
    files = {}
    for name, text in SENTENCES.items():
        files[name] = folder / f"{name}.wav"
        sf.write(files[name], voice(spoken_text(utterance(text))), 24_000, subtype="PCM_16")
    return files


@pytest.fixture(scope="session")
def long_speech(
    speech: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Utterance, list[float]]:
    """Over 40 s of speech (44.1 kHz), its text, and the second at which each repetition of the sentence begins."""
    sound, rate = sf.read(speech["plain"])
    pause = np.zeros(rate)
    repeats = 1 + int(40 // ((len(sound) + len(pause)) / rate))
    path = tmp_path_factory.mktemp("long") / "long.wav"
    sf.write(path, np.concatenate([np.concatenate([sound, pause])] * repeats), rate, subtype="PCM_16")
    begins = [index * (len(sound) + len(pause)) / rate for index in range(repeats)]
    return path, utterance(" ".join([SENTENCES["plain"]] * repeats)), begins


MFA = """
import json, pathlib, sys, time, wave
here = pathlib.Path(__file__).parent
(here / "arguments.json").write_text(json.dumps(sys.argv[1:]))
command, sound, text, dictionary, acoustic, grid = sys.argv[1:7]
assert command == "align_one"
{behaviour}
with wave.open(sound) as file:
    assert (file.getframerate(), file.getnchannels()) == (16000, 1)
    duration = file.getnframes() / file.getframerate()
words = pathlib.Path(text).read_text().split()
step = duration / (len(words) + 1)
spans = [(step * (i + 0.5), step * (i + 1.5), word) for i, word in enumerate(words)]
tiers = {{"words": [(0.0, spans[0][0], "")], "phones": [(0.0, spans[0][0], "")]}}
for start, end, word in spans:
    unknown = word.startswith("zorb")
    tiers["words"].append((start, end, "<unk>" if unknown else word))
    middle = (start + end) / 2
    tiers["phones"] += [(start, end, "spn")] if unknown else [(start, middle, "N"), (middle, end, "AH1")]
lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {{duration}}"]
lines += ["tiers? <exists>", "size = 2", "item []:"]
for number, (name, intervals) in enumerate(tiers.items(), 1):
    lines += [f"    item [{{number}}]:", '        class = "IntervalTier"', f'        name = "{{name}}"']
    lines += ["        xmin = 0", f"        xmax = {{duration}}", f"        intervals: size = {{len(intervals)}}"]
    for i, (start, end, label) in enumerate(intervals, 1):
        lines += [f"        intervals [{{i}}]:", f"            xmin = {{start}}", f"            xmax = {{end}}"]
        lines += [f'            text = "{{label}}"']
pathlib.Path(grid).write_text("\\n".join(lines))
"""


@pytest.fixture
def mfa_program(tmp_path: Path) -> Callable[[str], str]:
    """Writes the program with ``behaviour`` (Python) before its answer; returns its path, to be used as a command."""

    def write(behaviour: str = "") -> str:
        program = tmp_path / "mfa program"
        program.write_text(f"#!{sys.executable}\n" + MFA.format(behaviour=behaviour))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return f"'{program}'"

    return write
