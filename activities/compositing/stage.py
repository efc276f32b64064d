"""The compositing stages: one segment's picture, then the joined film."""

import json
from collections.abc import Mapping
from pathlib import Path

from temporalio import activity

from activities.avatar.base import Clip
from activities.compositing.base import CompositingEngine, Film, FilmSegment, FinishedFilm, SegmentPicture
from activities.support.stage import Bench, Stages, choose
from models.alignment import Alignment
from models.layout import Layout, Shape
from models.stages import AssembleRequest, AssembleResult, ComposeRequest, ComposeResult, FilmFiles, SegmentRecord


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
            alignment = Alignment.model_validate_json(bench.fetch(request.alignment).read_bytes())
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

    @activity.defn(name="compositing.assemble")
    async def assemble(self, request: AssembleRequest) -> AssembleResult:
        """Join the film of every shape."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> AssembleResult:
            records = [
                SegmentRecord.model_validate_json(bench.fetch(record).read_bytes()) for record in request.records
            ]
            assets = _assets(bench, request.layout)
            films = []
            for place, shape in enumerate(request.layout.shapes):
                segments = tuple(
                    FilmSegment(
                        picture=bench.fetch(record.pictures[place]),
                        frames=record.frames,
                        wav=bench.fetch(record.audio),
                        alignment=Alignment.model_validate_json(bench.fetch(record.alignment).read_bytes()),
                    )
                    for record in records
                )
                out = bench.folder / shape.name.lower()
                out.mkdir()
                film = Film(segments=segments, layout=request.layout, shape=shape, assets=assets)
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
