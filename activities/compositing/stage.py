"""The compositing stages: a segment's picture, a card, the sound, then the joined film."""

import json
from collections.abc import Mapping
from pathlib import Path

from temporalio import activity

from activities.avatar.base import Clip
from activities.compositing.base import (
    CardPicture,
    CompositingEngine,
    Film,
    FilmSegment,
    FinishedFilm,
    SegmentPicture,
    SpokenSound,
)
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.layout import Layout, Shape
from models.stages import (
    AssembleRequest,
    AssembleResult,
    CardRequest,
    CardResult,
    ComposeRequest,
    ComposeResult,
    FilmFiles,
    SegmentRecord,
    SoundtrackRequest,
    SoundtrackResult,
)


class CompositingActivities:
    """Draws and joins with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, CompositingEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="compositing.compose")
    async def compose(self, request: ComposeRequest) -> ComposeResult:
        """Draw one segment in every shape."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> ComposeResult:
            ref = request.clip
            clip = Clip(bench.fetch(ref.video), ref.width, ref.height, ref.frames, ref.fps, ref.matte)
            alignment = bench.read(request.alignment, Alignment)
            assets = _assets(bench, request.layout)
            pictures, frames = [], ref.frames
            for shape in request.layout.shapes:
                out = bench.folder / f"{shape.name.lower()}.mp4"
                picture = SegmentPicture(
                    index=request.index,
                    clip=clip,
                    alignment=alignment,
                    layout=request.layout,
                    shape=shape,
                    offset_ms=request.offset_ms,
                    assets=assets,
                )
                frames = engine.compose(picture, out, bench.progress)
                pictures.append(bench.put(out, "video/mp4", round(1000 * frames / request.layout.fps)))
            return ComposeResult(pictures=tuple(pictures), frames=frames)

        return await self._stages.run(request, engine, ComposeResult, work)

    @activity.defn(name="compositing.card")
    async def card(self, request: CardRequest) -> CardResult:
        """Draw a card in every shape."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> CardResult:
            logo = request.brand.logo
            assets = {logo.sha256: bench.fetch(logo)} if logo else {}
            pictures = []
            for shape, beside in zip(request.shapes, request.beside, strict=True):
                out = bench.folder / f"{shape.name.lower()}.mp4"
                picture = CardPicture(
                    card=request.card,
                    opening=request.opening,
                    brand=request.brand,
                    fps=request.fps,
                    shape=shape,
                    beside=bench.fetch(beside),
                    assets=assets,
                )
                engine.card(picture, out, bench.progress)
                pictures.append(bench.put(out, "video/mp4", request.card.duration_ms))
            return CardResult(pictures=tuple(pictures))

        return await self._stages.run(request, engine, CardResult, work)

    @activity.defn(name="compositing.soundtrack")
    async def soundtrack(self, request: SoundtrackRequest) -> SoundtrackResult:
        """Mix and master the film's sound."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> SoundtrackResult:
            segments = tuple(
                SpokenSound(bench.fetch(segment.audio), segment.frames, bench.read(segment.alignment, Alignment))
                for segment in request.segments
            )
            music, out = request.layout.music, bench.folder / "sound.m4a"
            assets = {music.track.sha256: bench.fetch(music.track)} if music else {}
            engine.soundtrack(segments, request.layout, assets, out, bench.progress)
            return SoundtrackResult(sound=bench.put(out, "audio/mp4"))

        return await self._stages.run(request, engine, SoundtrackResult, work, stall_after=600)

    @activity.defn(name="compositing.assemble")
    async def assemble(self, request: AssembleRequest) -> AssembleResult:
        """Join the film of every shape."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AssembleResult:
            records = [bench.read(record, SegmentRecord) for record in request.records]
            alignments = [bench.read(record.alignment, Alignment) for record in records]
            sound = bench.fetch(request.sound)
            films = []
            for place, shape in enumerate(request.layout.shapes):
                segments = tuple(
                    FilmSegment(bench.fetch(record.pictures[place]), record.frames, alignment)
                    for record, alignment in zip(records, alignments, strict=True)
                )
                out = bench.folder / shape.name.lower()
                out.mkdir()
                film = Film(
                    segments=segments,
                    sound=sound,
                    intro=bench.fetch(request.intro[place]) if request.intro else None,
                    outro=bench.fetch(request.outro[place]) if request.outro else None,
                    layout=request.layout,
                    shape=shape,
                )
                films.append(_store(bench, shape, engine.assemble(film, out, bench.progress)))
            return AssembleResult(films=tuple(films))

        return await self._stages.run(request, engine, AssembleResult, work, stall_after=600)


def _assets(bench: Bench, layout: Layout) -> dict[str, Path]:
    return {artifact.sha256: bench.fetch(artifact) for artifact in layout.artifacts()}


def _store(bench: Bench, shape: Shape, film: FinishedFilm) -> FilmFiles:
    return FilmFiles(
        shape=shape,
        video=bench.put(film.video, "video/mp4", round(film.duration * 1000)),
        thumbnail=bench.put(film.thumbnail, "image/jpeg"),
        srt=bench.put(film.srt, "application/x-subrip"),
        vtt=bench.put(film.vtt, "text/vtt"),
        cues=bench.put_text(f"{shape.name.lower()}-cues.json", json.dumps(list(film.speech_starts))),
    )
