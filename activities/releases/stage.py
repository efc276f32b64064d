"""The release stages: encode and describe; put together."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio import activity

from activities.releases.base import ReleaseEngine, Shelf, Sources
from activities.support.stage import Bench, Stages, choose, on_thread
from models.artifacts import Artifact
from models.music import Lyrics, SungTiming
from models.release import KeptPackage, PackageToKeep
from models.song_stages import ReleaseFile, ReleaseRequest, ReleaseResult


class ReleaseStages:
    """Encodes with the engines of its worker."""

    def __init__(self, stages: Stages, engines: Mapping[str, ReleaseEngine]) -> None:
        self._stages = stages
        self._engines = engines

    @activity.defn(name="releases.encode")
    async def encode(self, request: ReleaseRequest) -> ReleaseResult:
        """Make every file of the package."""
        engine = choose(self._engines, request)

        def work(bench: Bench) -> ReleaseResult:
            sources = Sources(
                master=bench.fetch(request.master),
                instrumental=bench.fetch(request.instrumental),
                cover=bench.fetch(request.cover),
                stems={stem.name: bench.fetch(stem.audio) for stem in request.stems},
                videos={video.shape.value.replace(":", "x"): bench.fetch(video.video) for video in request.videos},
                lyrics=bench.read(request.lyrics, Lyrics),
                timing=bench.read(request.timing, SungTiming),
            )
            packed = engine.encode(request, sources, bench.folder, bench.progress)
            files = [
                ReleaseFile(
                    path=made.path,
                    file=made.file if isinstance(made.file, Artifact) else bench.put(made.file, made.media_type),
                )
                for made in packed
            ]
            return ReleaseResult(files=tuple(files))

        return await self._stages.run(request, engine, ReleaseResult, work)


class ReleaseActivities:
    """Keeps packages."""

    def __init__(self, shelf: Shelf, scratch: Path) -> None:
        self._shelf = shelf
        self._scratch = scratch

    @activity.defn(name="releases.keep")
    async def keep(self, package: PackageToKeep) -> KeptPackage:
        """Put the package together: whole, or not there."""

        def work() -> KeptPackage:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self._scratch) as folder:
                return self._shelf.keep(package, Path(folder))

        return await on_thread(work)
