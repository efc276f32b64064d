"""Uploaded speech on the whole studio: a recording of the script is refused, or becomes a film that says it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from activities.speech.base import Voice
from activities.speech.hibari import SAMPLE_RATE, HibariEngine
from activities.support.engine import no_progress
from deploy.local.client import RequestRefused
from models.ssml import parse_script
from tests.whole.conftest import WholeStudio

SCRIPT = "Good evening, everyone. We grew by 14% this year."


def test_a_recording_of_the_script_becomes_its_film(studio: WholeStudio, tmp_path: Path) -> None:
    engine, parts = HibariEngine(), []
    for segment in parse_script(SCRIPT, "en", ()):
        wav = tmp_path / f"{segment.index}.wav"
        engine.speak(segment.utterance, Voice("heart"), 1, wav, no_progress)
        parts.append(soundfile.read(wav)[0])
    recording, silent = tmp_path / "recording.flac", tmp_path / "silent.flac"
    soundfile.write(recording, np.concatenate(parts), SAMPLE_RATE)
    soundfile.write(silent, np.zeros(5 * SAMPLE_RATE), SAMPLE_RATE)
    client = studio.client
    with pytest.raises(RequestRefused, match="sound"):
        client.upload(silent)
    asset = client.upload(recording)
    assert asset["state"] == "ready"
    client.call("PUT", "/scripts/recorded", {"title": "Recorded", "source": SCRIPT})
    render_id = studio.start("recorded", seed=1, recording=asset["id"])
    view = studio.until(render_id, lambda view: view["state"] in {"complete", "failed"})
    assert view["state"] == "complete"
    figures = {figure["name"]: figure for figure in view["figures"]}
    assert figures["word_error_rate"]["value"] <= 0.05
    assert [name for name, figure in figures.items() if not figure["holds"]] == []
