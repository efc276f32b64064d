"""The same engines called in a row, in one plain Python script without Temporal, store, database or cache: what the
studio is measured against. Run as a process of its own: ``python -m deploy.bench.plain REQUEST.json FOLDER``."""

import sys
import time
from pathlib import Path
from typing import Any

from activities.avatar.base import Performance, Subject
from activities.compositing.base import CardPicture, Film, FilmSegment, SegmentPicture, SpokenSound
from activities.quality.base import FinishedSegment
from activities.speech.base import Voice
from activities.support.engine import no_progress
from deploy.settings import load_settings
from models.lanes import Lane
from models.layout import Card
from models.render import RenderRequest
from workers.wiring import build_engines


def run(request: RenderRequest, folder: Path) -> Path:
    """Make the film of ``request`` (presenter, one shape, no artifacts in its layout) under ``folder``."""
    built = build_engines(load_settings(), Lane.CPU)
    plan, layout, shape = request.plan, request.layout, request.layout.shapes[0]

    def engine(ref: Any) -> Any:
        return built[ref.capability][ref.name]

    compositor, quality = engine(plan.compositing), engine(plan.quality)
    third = layout.lower_third
    limit = third.start_ms + third.duration_ms if third else 0
    segments, sounds, sights, frames_before = [], [], [], 0
    for segment in request.segments:
        place = folder / str(segment.index)
        place.mkdir(parents=True)
        seed = request.segment_seed(segment)
        spoken = engine(plan.speech).speak(
            segment.utterance, Voice(request.voice.name), seed, place / "speech.wav", no_progress
        )
        alignment = engine(plan.alignment[0]).align(spoken.wav, segment.utterance, spoken.alignment, no_progress)
        curves = place / "curves.npy"
        frames = engine(plan.lipsync).curves(alignment, spoken.wav, layout.fps, seed, curves)
        clip = engine(plan.avatar).perform(
            Performance(curves, spoken.wav, alignment, request.tone, layout.fps, seed),
            Subject(request.subject.look),
            1080,
            place / "clip.mp4",
            no_progress,
        )
        picture = SegmentPicture(
            index=layout.picture_index(segment.index),
            clip=clip,
            alignment=alignment,
            layout=layout,
            shape=shape,
            offset_ms=min(frames_before * 1000 // layout.fps, limit),
            assets={},
        )
        composed = place / "picture.mp4"
        compositor.compose(picture, composed, no_progress)
        sights.append(quality.see(composed, curves, no_progress))
        segments.append(FilmSegment(composed, frames, alignment))
        sounds.append(SpokenSound(spoken.wav, frames, alignment))
        frames_before += frames
    intro = _card(compositor, layout.intro, request, segments[0].picture, folder, opening=True)
    outro = _card(compositor, layout.outro, request, segments[-1].picture, folder, opening=False)
    sound, out = folder / "sound.m4a", folder / "film"
    compositor.soundtrack(tuple(sounds), layout.sound(), {}, sound, no_progress)
    out.mkdir()
    film = compositor.assemble(Film(tuple(segments), sound, intro, outro, layout, shape), out, no_progress)
    finished = tuple(
        FinishedSegment(start, made.alignment, asked.utterance.text, seen)
        for start, made, asked, seen in zip(film.speech_starts, segments, request.segments, sights, strict=True)
    )
    hearing = quality.hear(sound, finished, request.language, no_progress)
    quality.report(film.video, finished, hearing, layout, request.thresholds, request.language, no_progress)
    return Path(film.video)


def _card(
    compositor: Any, card: Card | None, request: RenderRequest, beside: Path, folder: Path, *, opening: bool
) -> Path | None:
    if card is None:
        return None
    layout, out = request.layout, folder / f"{'intro' if opening else 'outro'}.mp4"
    compositor.card(
        CardPicture(card, opening, layout.brand, layout.fps, layout.shapes[0], beside, {}), out, no_progress
    )
    return out


if __name__ == "__main__":
    began = time.monotonic()
    run(RenderRequest.model_validate_json(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
    sys.stdout.write(f"{time.monotonic() - began:.3f}\n")
