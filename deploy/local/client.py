"""The studio's REST API as a script calls it: the demo and the bench are clients like any other."""

import json
import mimetypes
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from models.errors import StudioError


class RequestRefused(StudioError):
    """The API refused a request; the message is the problem's own."""

    code = "client.refused"


class StudioClient:
    """Calls the API at ``base_url`` with a token for each role (``tokens``: role to JWT)."""

    def __init__(self, base_url: str, tokens: dict[str, str]) -> None:
        self._tokens = tokens
        self._http = httpx.Client(base_url=base_url, timeout=httpx.Timeout(30, read=120))

    def call(self, method: str, path: str, body: object = None, *, role: str = "producer", key: str = "") -> Any:
        """The JSON answer. Raises RequestRefused with what is wrong and what to do."""
        headers = {"Authorization": f"Bearer {self._tokens[role]}"}
        if key:
            headers["Idempotency-Key"] = key
        return self._answer(self._http.request(method, path, json=body, headers=headers))

    def upload(self, file: Path) -> dict[str, Any]:
        """Store a file as an asset."""
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with file.open("rb") as content:
            response = self._http.post(
                "/assets",
                params={"filename": file.name},
                content=content,
                headers={"Authorization": f"Bearer {self._tokens['producer']}", "Content-Type": media_type},
            )
        answer: dict[str, Any] = self._answer(response)
        return answer

    def render(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start a render under a key of its own."""
        started: dict[str, Any] = self.call("POST", "/renders", body, key=uuid.uuid4().hex)
        return started

    def watch(self, render_id: str) -> Iterator[dict[str, Any]]:
        """Each change of a render until it ends, from its server-sent events."""
        headers = {"Authorization": f"Bearer {self._tokens['viewer']}"}
        with self._http.stream("GET", f"/renders/{render_id}/events", headers=headers, timeout=None) as response:
            if response.is_error:
                response.read()
                self._answer(response)
            for line in response.iter_lines():
                if line.startswith("data:") and line[5:].lstrip().startswith("{"):
                    yield json.loads(line[5:])

    def approve(self, question: dict[str, Any], *, below_threshold: bool = False) -> None:
        """Approve an open question as the local reviewer."""
        body = {
            "sha256": question["video"]["sha256"],
            "decision": "approve",
            "comment": "approved from the command line",
            "accepts_below_threshold": below_threshold,
        }
        self.call("POST", f"/approvals/{question['question_id']}/verdict", body, role="reviewer")

    def download(self, url: str, file: Path) -> Path:
        """Fetch a signed URL into ``file``."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with httpx.stream("GET", url, timeout=120) as response, file.open("wb") as out:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                out.write(chunk)
        return file

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        if response.is_error:
            problem = response.json() if "json" in response.headers.get("content-type", "") else {}
            raise RequestRefused(
                f"{problem.get('detail') or problem.get('title') or response.text[:300]} ({response.status_code})",
                field=str(problem.get("field") or ""),
                action=str(problem.get("action") or "Look at the API's log."),
            )
        return response.json() if response.content else None
