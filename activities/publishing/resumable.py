"""Google's resumable upload: a session, chunks, and after any trouble the server's own word on how much it has.
https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from activities.publishing.google import Google
from models.errors import ProviderFault

QUANTUM: Final = 256 * 1024
"""Chunks are multiples of it, the last one excepted."""
CHUNK: Final = 32 * QUANTUM
TROUBLES: Final = 6
"""How often in a row an upload may be troubled without getting any further before the attempt is given up."""
_RANGE: Final = re.compile(r"bytes=0-(\d+)")
_GONE: Final = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})


class SessionGone(Exception):
    """The server has forgotten the session: what was sent is lost, or became a video."""


@dataclass(frozen=True)
class Resumable:
    """Uploads one file. ``note(offset)`` is called whenever the server has more of it, and may raise to stop."""

    google: Google
    file: Path
    media_type: str
    chunk: int = CHUNK
    pause: float = 1.0

    def begin(self, url: str, parameters: Mapping[str, str], body: Mapping[str, Any]) -> str:
        """The address of a new session. Raises what a refusal means, ProviderFault for an address elsewhere."""
        headers = {
            "X-Upload-Content-Length": str(self.file.stat().st_size),
            "X-Upload-Content-Type": self.media_type,
        }
        response = self.google.send("POST", url, headers=headers, params=dict(parameters), json=dict(body))
        if not response.is_success:
            raise self.google.refusal(response)
        session = str(response.headers.get("location", ""))
        if urlsplit(session)[:2] != urlsplit(url)[:2]:
            # The token goes along with every chunk: only to where it was meant for.
            raise ProviderFault("The upload was sent to an address that is not its own.", code="provider.address")
        return session

    def finish(self, session: str, note: Callable[[int], None]) -> Mapping[str, Any]:
        """Send what the server has not; what it made of the file. Raises SessionGone, what a refusal means, and
        ProviderFault when it gets no further."""
        offset, troubles = self._asked(session), 0
        while not isinstance(offset, Mapping):
            note(offset)
            before = offset
            try:
                offset = self._sent(session, offset)
            except ProviderFault:
                troubles += 1
                if troubles > TROUBLES:
                    raise
                time.sleep(self.pause * 2 ** (troubles - 1))
                offset = self._asked(session, troubles)
            if isinstance(offset, Mapping) or offset > before:
                troubles = 0
        return offset

    def _asked(self, session: str, troubles: int = 0) -> int | Mapping[str, Any]:
        """How many bytes the server has, or what it made of all of them."""
        while True:
            try:
                return self._told(
                    self.google.send("PUT", session, headers={"Content-Range": f"bytes */{self._size}"}, content=b"")
                )
            except ProviderFault:
                troubles += 1
                if troubles > TROUBLES:
                    raise
                time.sleep(self.pause * 2 ** (troubles - 1))

    def _sent(self, session: str, offset: int) -> int | Mapping[str, Any]:
        with self.file.open("rb") as file:
            file.seek(offset)
            block = file.read(self.chunk)
        last = offset + len(block) - 1
        headers = {"Content-Type": self.media_type, "Content-Range": f"bytes {offset}-{last}/{self._size}"}
        return self._told(self.google.send("PUT", session, headers=headers, content=block))

    def _told(self, response: httpx.Response) -> int | Mapping[str, Any]:
        if response.is_success:
            return self.google.json(response)
        if response.status_code == httpx.codes.PERMANENT_REDIRECT:
            # 308 is Google's "Resume Incomplete"; without a Range it has nothing.
            has = _RANGE.fullmatch(response.headers.get("range", ""))
            return int(has[1]) + 1 if has else 0
        if response.status_code in _GONE:
            raise SessionGone
        raise self.google.refusal(response)

    @property
    def _size(self) -> int:
        return self.file.stat().st_size
