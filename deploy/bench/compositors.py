"""The compositor and a MoviePy frame loop, on the same segment."""

import time
from pathlib import Path

from activities.avatar.base import Performance, Subject
from activities.compositing.base import SegmentPicture
from activities.speech.base import Voice
from activities.support.engine import no_progress
from deploy.bench.moviepy_loop import compose as compose_in_a_loop
from deploy.local.demo import PIECES
from deploy.settings import load_settings
from models.lanes import Lane
from models.layout import Brand, Layout, LowerThird, Plate, Shape
from models.plan import Capability
from models.script import Span, Tone, Utterance
from workers.wiring import build_engines


def compare(folder: Path) -> tuple[float, str]:
    """How many times faster the one filter graph is, and both figures in words."""
    engines = build_engines(load_settings(), Lane.CPU)
    utterance = Utterance(spans=(Span(text="This sentence is drawn twice, to see which way of drawing is quicker."),))
    speech = engines[Capability.SPEECH]["kokoro"]
    spoken = speech.speak(utterance, Voice("af_heart"), 1, folder / "speech.wav", no_progress)  # type: ignore[attr-defined]
    assert spoken.alignment is not None
    curves = folder / "curves.npy"
    mouth = engines[Capability.LIPSYNC]["visemes"]
    mouth.curves(spoken.alignment, spoken.wav, 25, 1, curves)  # type: ignore[attr-defined]
    performance = Performance(curves, spoken.wav, spoken.alignment, Tone.CONFIDENT, 25, 1)
    avatar = engines[Capability.AVATAR]["presenter"]
    clip = avatar.perform(performance, Subject("avery"), 1080, folder / "clip.mp4", no_progress)  # type: ignore[attr-defined]
    kit = PIECES["brands"]
    segment = SegmentPicture(
        index=0,
        clip=clip,
        alignment=spoken.alignment,
        layout=Layout(
            brand=Brand(name=kit["name"], primary=kit["primary"], accent=kit["accent"], text=kit["text"]),
            plate=Plate(colour=PIECES["plates"]["colour"]),
            lower_third=LowerThird(name="Avery Lindqvist", title="Chief Financial Officer"),
        ),
        shape=Shape.WIDE,
        offset_ms=0,
        assets={},
    )
    compositor = engines[Capability.COMPOSITING]["ffmpeg"]
    began = time.monotonic()
    frames = compositor.compose(segment, folder / "graph.mp4", no_progress)  # type: ignore[attr-defined]
    graph = time.monotonic() - began
    began = time.monotonic()
    compose_in_a_loop(segment, folder / "loop.mp4")
    loop = time.monotonic() - began
    return loop / graph, f"{frames / graph:.0f} against {frames / loop:.0f} frames/s at 1080p"
