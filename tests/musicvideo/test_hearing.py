"""The picture moves to what is in the master: low things to the bass, high things to the hiss."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.musicvideo.hearing import listen
from models.errors import MediaRejected
from tests.musicvideo.conftest import BEAT, FPS, RATE, Briefs


def test_bands_and_kicks_follow_the_sound(briefs: Briefs) -> None:
    brief = briefs()
    heard = listen(brief.master, FPS, 200)
    into = (np.arange(200) + 0.5) / FPS % BEAT
    assert heard.bass[(into > 0.05) & (into < 0.2)].mean() > 1.2 * heard.bass[into > 0.4].mean()
    after_hiss = (into > BEAT / 2) & (into < BEAT / 2 + 0.12)
    assert heard.highs[after_hiss].mean() > 1.3 * heard.highs[(into > 0.1) & (into < 0.22)].mean()
    assert heard.mids[150:].mean() > 1.5 * heard.mids[20:90].mean()
    for curve in (heard.bass, heard.mids, heard.highs, heard.loud, heard.kick):
        assert curve.shape == (200,)
        assert 0 <= curve.min() <= curve.max() <= 1
    begun = np.flatnonzero(np.diff((heard.kick > 0.2).astype(int)) == 1)
    assert len(begun) >= 10
    assert all(abs((frame + 1.5) / FPS % BEAT) < 0.16 or (frame + 1.5) / FPS % BEAT > 0.46 for frame in begun)


def test_silence_moves_nothing_and_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    sf.write(silent, np.zeros((RATE, 2)), RATE)
    heard = listen(silent, FPS, 25)
    assert not heard.bass.any()
    assert not heard.kick.any()
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    with pytest.raises(MediaRejected) as told:
        listen(broken, FPS, 25)
    assert told.value.field == "master"
