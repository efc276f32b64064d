"""Pixabay (https://pixabay.com/api/docs/, videos): searched by words, the key among the parameters."""

from pathlib import Path
from typing import Any, Final

from activities.footage.base import FootageBrief, Plate
from activities.footage.library import Candidate, Library, Rendition, link, records, text, whole
from activities.support.engine import Progress
from activities.support.provider import Patience, Provider
from models.errors import EngineUnavailable, ProviderFault
from models.lanes import Lane
from models.plan import Capability, EngineRef

NAME = "pixabay"
VERSION = "1"
BASE_URL: Final = "https://pixabay.com"
LICENCE: Final = "Pixabay Content License"
_PER_PAGE: Final = 60
"""It cannot be asked for an orientation: most of what it has is wide, so more is asked for."""
_SIZES = ("large", "medium", "small")


class PixabayFootage:
    """Footage from Pixabay. ``key`` is the API key, ``base_url`` the site's address. Thread-safe."""

    def __init__(self, key: str, base_url: str = BASE_URL, patience: Patience | None = None) -> None:
        self._key = key
        self._provider = Provider("Pixabay", "PIXABAY_API_KEY", base_url, key, patience or Patience(), {})

    @property
    def ref(self) -> EngineRef:
        """The engine. Raises EngineUnavailable without a key."""
        self._provider.check_key()
        return EngineRef(capability=Capability.FOOTAGE, name=NAME, version=VERSION, lane=Lane.IO)

    def find(self, brief: FootageBrief, out: Path, progress: Progress) -> tuple[Plate, ...]:
        """See :class:`~activities.footage.base.FootageEngine`."""
        with self._provider.job():
            return Library(self._provider, LICENCE, self._search).find(brief, out, progress)

    def _search(self, words: str, _: FootageBrief) -> tuple[Candidate, ...]:
        asked = {"key": self._key, "q": words, "video_type": "film", "safesearch": "true", "per_page": _PER_PAGE}
        try:
            answer = self._provider.ask("GET", "/api/videos/", params=asked)
        except ProviderFault as fault:
            # Pixabay says of a wrong key that the request is: status 400 and a line of text.
            if "400" in fault.message and "api key" in fault.message.lower():
                raise EngineUnavailable(
                    "Pixabay refuses the key.",
                    field="PIXABAY_API_KEY",
                    action="Put a valid key into PIXABAY_API_KEY.",
                ) from fault
            raise
        if not isinstance(answer.get("hits"), list):
            raise self._provider.fault("answered a search without hits", "wrong_answer")
        return tuple(_candidate(hit) for hit in records(answer["hits"]))


def _candidate(hit: dict[str, Any]) -> Candidate:
    videos = hit.get("videos")
    files = [videos[size] for size in _SIZES if isinstance(videos, dict) and isinstance(videos.get(size), dict)]
    return Candidate(
        clip=whole(hit.get("id")),
        author=text(hit.get("user"), 80) or "unnamed",
        page=link(hit.get("pageURL")),
        seconds=whole(hit.get("duration")),
        renditions=tuple(
            # A size that a clip does not come in has no address.
            Rendition(link(file.get("url")), whole(file.get("width")), whole(file.get("height")))
            for file in files
            if link(file.get("url")) and whole(file.get("height"))
        ),
    )
