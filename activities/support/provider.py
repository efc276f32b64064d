"""The HTTP side of every hosted engine: asking with each way to fail named, waiting for a job, taking its file. Apart,
so that an engine's own file holds nothing but what its provider wants to be asked and answers."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from activities.support.engine import Progress
from models.errors import EngineUnavailable, ProviderFault

_LARGEST_BYTES: Final = 200_000_000


@dataclass(frozen=True)
class Patience:
    """How long a provider is waited for, in seconds: for one answer, between two looks at a job, for the whole job."""

    answer: float = 60.0
    poll: float = 3.0
    job: float = 900.0


class Provider:
    """A provider's HTTP side. ``name`` is what a person calls it; ``setting`` the setting that holds its key;
    ``headers`` what authorises a request where that is not the key as a bearer token."""

    def __init__(
        self,
        name: str,
        setting: str,
        base_url: str,
        key: str,
        patience: Patience,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._setting = setting
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._patience = patience
        self._headers = {"Authorization": f"Bearer {key}"} if headers is None else dict(headers)

    def check_key(self) -> None:
        """Raises EngineUnavailable without a key."""
        if not self._key:
            raise EngineUnavailable(
                f"{self.name} needs a key.", field=self._setting, action=f"Set {self._setting} on the worker."
            )

    def ask(self, method: str, path: str, **arguments: Any) -> Mapping[str, Any]:
        """The JSON object that ``path`` (or a whole URL of the provider's) answers with."""
        url = path if path.startswith("http") else f"{self._base_url}{path}"
        if not url.startswith(f"{self._base_url}/"):
            raise self.fault("names an address that is not its own", "address")
        response = self._sent(method, url, headers=self._headers, **arguments)
        with suppress(ValueError):
            answer = response.json()
            if isinstance(answer, dict):
                return answer
        raise self.fault(f"answered with {response.headers.get('content-type', 'no type')}, not JSON", "not_json")

    def _sent(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        try:
            response = httpx.request(method, url, timeout=self._patience.answer, **arguments)
        except httpx.TimeoutException as error:
            raise self.fault(f"did not answer within {self._patience.answer:g} s", "timeout") from error
        except httpx.HTTPError as error:
            raise self.fault(f"cannot be reached: {error}", "unreachable") from error
        if response.is_success:
            return response
        if response.status_code in {401, 403}:
            raise EngineUnavailable(
                f"{self.name} refuses the key (status {response.status_code}).",
                field=self._setting,
                action=f"Put a valid key into {self._setting}.",
            )
        if response.status_code == 429:
            after = response.headers.get("retry-after", "a while")
            raise self.fault(f"asks for a pause: try again after {after[:40]} (seconds or date)", "busy")
        raise self.fault(f"answered with status {response.status_code}: {response.text[:200]}", "status")

    def wait(self, look: Callable[[], str | None], progress: Progress) -> str:
        """The address of the finished file: ``look`` gives it, or None while the job runs."""
        rounds = max(1, round(self._patience.job / max(self._patience.poll, 0.001)))
        for done in range(rounds):
            progress(done, rounds)
            if address := look():
                return address
            time.sleep(self._patience.poll)
        raise self.fault(f"did not finish within {self._patience.job:g} s", "job_timeout")

    def download(self, url: str, out: Path) -> None:
        """The file at ``url``, as ``out``. Whatever authorises is not sent along: files lie with third parties.

        Raises ProviderFault for a file that is refused, breaks off or does not end; what came of it is left behind.
        """
        try:
            with (
                httpx.stream("GET", url, timeout=self._patience.answer, follow_redirects=True) as response,
                out.open("wb") as file,
            ):
                if not response.is_success:
                    raise self.fault(f"keeps its file from us: status {response.status_code}", "download")
                for block in response.iter_bytes():
                    file.write(block)
                    if file.tell() > _LARGEST_BYTES:
                        raise self.fault("sends a file without an end", "too_long")
        except httpx.TimeoutException as error:
            raise self.fault("stopped sending its file", "timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.fault(f"broke off its file: {error}", "truncated") from error

    def fault(self, what: str, code: str) -> ProviderFault:
        """The provider's failure, as an error."""
        return ProviderFault(f"{self.name} {what}.", code=f"provider.{code}", field=self._setting)
