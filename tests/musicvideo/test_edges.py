"""What is at the edge of a song is still a video: no words, hardly any length, a palette of greys, other rates."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from activities.musicvideo import words
from activities.musicvideo.visuals import GenerativeVisuals
from activities.support.engine import no_progress
from activities.support.ffmpeg import probe
from models.identity import Motif
from models.layout import Shape
from models.music import SungTiming, SungWord
from tests.musicvideo.conftest import PALETTE, Briefs

GREYS = ("#0a0a0a", "#4a4a4a", "#f4f4f4")
SILENT = SungTiming(lines=())


@pytest.mark.parametrize(
    ("seconds", "shape", "fps", "palette", "motif"),
    [
        (1.0, Shape.SQUARE, 60, GREYS, Motif.RINGS),
        (1.2, Shape.TALL, 30, PALETTE, Motif.TERRAIN),
        (0.2, Shape.WIDE, 24, PALETTE, Motif.RIBBONS),
    ],
)
def test_an_instrumental_of_a_moment_is_a_video(
    seconds: float, shape: Shape, fps: int, palette: tuple[str, ...], motif: Motif, briefs: Briefs, tmp_path: Path
) -> None:
    master = tmp_path / "moment.wav"
    sf.write(master, 0.2 * np.sin(np.arange(round(seconds * 44_100)) * 0.05), 44_100)
    brief = replace(briefs(bars=2, shape=shape, fps=fps, palette=palette, motif=motif, timing=SILENT), master=master)
    out = tmp_path / "out"
    out.mkdir()
    made = GenerativeVisuals().draw(brief, out, no_progress)
    info = probe(made.video, whole=True)
    assert ((info.width, info.height), info.fps, info.frames) == (shape.size, fps, round(seconds * fps))
    assert (probe(made.thumbnail).width, probe(made.thumbnail).height) == shape.size
    beats = {round(beat * fps) for beat in brief.analysis.beats}
    assert all(cut in beats or seconds < 0.5 for cut in made.cuts)


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_line_far_too_long_is_shown_part_by_part_while_it_is_sung(shape: Shape, fps: int) -> None:
    texts = ("unforgettable", "extraordinarily", "circumnavigation") * 5
    line = tuple(SungWord(text=text, start=1 + 0.3 * n, end=1.25 + 0.3 * n) for n, text in enumerate(texts))
    shown = words.captions(SungTiming(lines=(line,)), shape, fps, 20 * fps)
    width, height = shape.size
    assert len(shown) > 2
    for one in shown:
        assert one.box.left >= 0 and one.box.right <= width and one.box.bottom <= height
        assert one.first <= one.cue.words[0].start * fps + 1 and one.end >= one.cue.words[-1].end * fps - 1
    assert [word.text for one in shown for word in one.cue.words] == list(texts)
