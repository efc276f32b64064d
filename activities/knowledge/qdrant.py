"""Songs in Qdrant: a server where there is one, else files of its local mode, which one process alone may open."""

import threading
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from activities.audition.likeness import DIMENSIONS, SongPrint
from activities.knowledge.base import KnownSong
from models.errors import EngineUnavailable, StorageUnavailable

COLLECTION = "songs"
_NAMESPACE = uuid.UUID("6f1d0b4e-3c5a-5d2e-9b7f-2a8c4e6d1f30")
"""Of the points' ids: any that nothing else derives ids from."""
_SAMPLED = 64
"""Shingles that are looked up; a hash is as good as any other, so the smallest are taken."""


class QdrantMemory:
    """Implements :class:`activities.knowledge.base.SongMemory`. Thread-safe; connects when first used.

    ``url`` is a server's address, with ``key`` where it wants one; without it ``path`` is the local mode's directory.
    """

    def __init__(self, url: str, key: str, path: Path) -> None:
        self._url = url
        self._key = key
        self._path = path
        self._lock = threading.Lock()
        self._client: Any = None

    def remember(self, tenant: str, song: KnownSong) -> None:
        """See the Protocol."""
        with self._lock:
            # First, because it says in words what is missing where the package is.
            self._call(lambda client: client)
        from qdrant_client import models  # noqa: PLC0415 - 80 MB that only artists need

        point = models.PointStruct(
            id=str(uuid.uuid5(_NAMESPACE, song.track_id)),
            vector=list(_sought(song.print)),
            payload={
                "tenant": tenant,
                "track": song.track_id,
                "title": song.title,
                "embedding": list(song.print.embedding),
                "music": list(song.print.music),
                "shingles": list(song.print.shingles),
                "looked_up": _smallest(song.print),
            },
        )
        with self._lock:
            self._call(lambda client: client.upsert(COLLECTION, [point], wait=True))

    def near(self, tenant: str, heard: SongPrint, *, but: str, limit: int) -> Sequence[KnownSong]:
        """See the Protocol."""
        with self._lock:
            self._call(lambda client: client)
            from qdrant_client import models  # noqa: PLC0415 - as above

            def matching(key: str, value: Any) -> Any:
                return models.FieldCondition(key=key, match=value)

            of_tenant = matching("tenant", models.MatchValue(value=tenant))
            other = matching("track", models.MatchValue(value=but))
            sound = models.Filter(must=[of_tenant], must_not=[other])
            found: list[Any] = []
            for recording in heard.recordings:
                query = list(recording)
                found += self._call(
                    lambda client, query=query: (
                        client.query_points(COLLECTION, query=query, query_filter=sound, limit=limit).points
                    )
                )
            if hashes := _smallest(heard):
                shared = matching("looked_up", models.MatchAny(any=hashes))
                words = models.Filter(must=[of_tenant, shared], must_not=[other])
                found += self._call(lambda client: client.scroll(COLLECTION, scroll_filter=words, limit=limit)[0])
        return _songs(point.payload for point in found)

    def _call(self, ask: Any) -> Any:
        """The answer of ``ask`` to a connected client."""
        if self._client is None:
            self._client = self._connected()
        try:
            return ask(self._client)
        except Exception as error:
            # The client lets its transports' errors through, of many kinds; without a server there is no transport.
            if not self._url:
                raise
            raise StorageUnavailable(f"Qdrant does not answer: {type(error).__name__}") from error

    def _connected(self) -> Any:
        try:
            from qdrant_client import QdrantClient, models  # noqa: PLC0415 - as above
        except ImportError as error:
            raise EngineUnavailable(
                "The package qdrant-client is not installed.", field="QDRANT_URL", action="Run make songs."
            ) from error
        try:
            client = (
                QdrantClient(url=self._url, api_key=self._key or None, timeout=10)
                if self._url
                else QdrantClient(path=str(self._path))
            )
            if not client.collection_exists(COLLECTION):
                vectors = models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE)
                client.create_collection(COLLECTION, vectors_config=vectors)
        except RuntimeError as error:
            raise EngineUnavailable(
                "Another process of this machine has the memory of songs open.",
                field="QDRANT_URL",
                action="Serve the knowledge lane once a machine, or point QDRANT_URL at a server.",
            ) from error
        except Exception as error:
            # As in _call: errors of whatever carries the request.
            raise StorageUnavailable(f"Qdrant does not answer: {type(error).__name__}") from error
        return client


def _sought(print_: SongPrint) -> tuple[float, ...]:
    """By what a song is found: its music where that is known alone, for a voice covers it."""
    return print_.recordings[-1]


def _smallest(heard: SongPrint) -> list[int]:
    return sorted(set(heard.shingles))[:_SAMPLED]


def _songs(payloads: Iterable[dict[str, Any]]) -> list[KnownSong]:
    found = {
        payload["track"]: KnownSong(
            payload["track"],
            payload["title"],
            SongPrint(
                embedding=tuple(payload["embedding"]),
                music=tuple(payload.get("music", ())),
                shingles=tuple(payload["shingles"]),
            ),
        )
        for payload in payloads
    }
    return list(found.values())
