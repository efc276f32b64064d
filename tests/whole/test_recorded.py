"""Uploaded speech on the whole studio: a recording of the script becomes a film that says it."""

from pathlib import Path

import numpy as np
import soundfile

from activities.speech.base import Voice
from activities.speech.hibari import SAMPLE_RATE, HibariEngine
from activities.support.engine import no_progress
from models.ssml import parse_script
from tests.whole.conftest import WholeStudio

SCRIPT = "Good evening, everyone. We grew by 14% this year."


def test_a_recording_of_the_script_becomes_its_film(studio: WholeStudio, tmp_path: Path) -> None:
    engine, parts = HibariEngine(), []
    for segment in parse_script(SCRIPT, "en", ()):
        wav = tmp_path / f"{segment.index}.wav"
        engine.speak(segment.utterance, Voice("heart"), 1, wav, no_progress)
        parts.append(soundfile.read(wav)[0])
    recording = tmp_path / "recording.flac"
    soundfile.write(recording, np.concatenate(parts), SAMPLE_RATE)
    client = studio.client
    asset = client.upload(recording)
    # A busy worker looks at it after the upload was answered; each asking is a request.
    while asset["state"] == "unchecked":
        asset = client.call("GET", f"/assets/{asset['id']}", role="viewer")
    assert asset["state"] == "ready"
    client.call("PUT", "/scripts/recorded", {"title": "Recorded", "source": SCRIPT})
    render_id = studio.start("recorded", seed=1, recording=asset["id"])
    view = studio.until(render_id, lambda view: view["state"] in {"complete", "failed"})
    assert view["state"] == "complete"
    figures = {figure["name"]: figure for figure in view["figures"]}
    assert figures["word_error_rate"]["value"] <= 0.05
    assert [name for name, figure in figures.items() if not figure["holds"]] == []
