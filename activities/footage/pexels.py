"""Pexels (https://www.pexels.com/api/documentation/, videos): searched by words and orientation, the key bare in the
``Authorization`` header."""

from pathlib import Path
from typing import Any, Final

from activities.footage.base import FootageBrief, Plate
from activities.footage.library import Candidate, Library, Rendition, link, records, text, whole
from activities.support.engine import Progress
from activities.support.provider import Patience, Provider
from models.lanes import Lane
from models.layout import Shape
from models.plan import Capability, EngineRef

NAME = "pexels"
VERSION = "1"
BASE_URL: Final = "https://api.pexels.com"
LICENCE: Final = "Pexels License"
_ORIENTATION = {Shape.WIDE: "landscape", Shape.TALL: "portrait", Shape.SQUARE: "landscape"}
"""A square is cut from landscapes: of those there are many more."""
_PER_PAGE: Final = 30


class PexelsFootage:
    """Footage from Pexels. ``key`` is the API key, ``base_url`` the API's address. Thread-safe."""

    def __init__(self, key: str, base_url: str = BASE_URL, patience: Patience | None = None) -> None:
        headers = {"Authorization": key}
        self._provider = Provider("Pexels", "PEXELS_API_KEY", base_url, key, patience or Patience(), headers)

    @property
    def ref(self) -> EngineRef:
        """The engine. Raises EngineUnavailable without a key."""
        self._provider.check_key()
        return EngineRef(capability=Capability.FOOTAGE, name=NAME, version=VERSION, lane=Lane.IO)

    def find(self, brief: FootageBrief, out: Path, progress: Progress) -> tuple[Plate, ...]:
        """See :class:`~activities.footage.base.FootageEngine`."""
        with self._provider.job():
            return Library(self._provider, LICENCE, self._search).find(brief, out, progress)

    def _search(self, words: str, brief: FootageBrief) -> tuple[Candidate, ...]:
        asked = {"query": words, "orientation": _ORIENTATION[brief.shape], "size": "small", "per_page": _PER_PAGE}
        answer = self._provider.ask("GET", "/videos/search", params=asked)
        if not isinstance(answer.get("videos"), list):
            raise self._provider.fault("answered a search without videos", "wrong_answer")
        return tuple(_candidate(video) for video in records(answer["videos"]))


def _candidate(video: dict[str, Any]) -> Candidate:
    user = video.get("user") if isinstance(video.get("user"), dict) else {}
    return Candidate(
        clip=whole(video.get("id")),
        author=text((user or {}).get("name"), 80) or "unnamed",
        page=link(video.get("url")),
        seconds=whole(video.get("duration")),
        renditions=tuple(
            Rendition(link(file.get("link")), whole(file.get("width")), whole(file.get("height")))
            for file in records(video.get("video_files"))
            # A streaming playlist has no size.
            if file.get("file_type") == "video/mp4" and link(file.get("link")) and whole(file.get("height"))
        ),
    )
