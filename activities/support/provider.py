"""The HTTP side of every hosted engine: asking with each way to fail named, waiting for a job, taking its file, and
leaving a provider alone that keeps failing. Apart, so that an engine's own file holds nothing but what its provider
wants to be asked and answers."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import httpx
from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage

from activities.support.engine import Progress
from models.errors import PROVIDER_RESTS, Audience, EngineUnavailable, ProviderFault

_LARGEST_ANSWER: Final = 50_000_000
_LARGEST_FILE: Final = 200_000_000
_OUR_FAULT: Final = frozenset({400, 404, 405, 413, 415, 422})
"""Statuses that say that the question is wrong: it stays wrong however often it is asked."""


@dataclass(frozen=True)
class Patience:
    """How long a provider is waited for, in seconds: for one answer, between two looks at a job, for the whole job.
    When ``failures`` jobs in a row have failed, it is left alone for ``rest`` seconds."""

    answer: float = 60.0
    poll: float = 3.0
    job: float = 900.0
    rest: float = 300.0
    failures: int = 3


class Rest:
    """A circuit breaker. Thread-safe.

    pybreaker counts and times; its own ``call`` would hold its lock for as long as a job takes, minutes, with everybody
    else waiting. So it is told of each job's end instead, and the one trial after a rest is kept here.
    """

    def __init__(self, name: str, failures: int, seconds: float) -> None:
        self._name = name
        self._stored = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            failures, seconds, state_storage=self._stored, name=name, throw_new_error_on_trip=False
        )
        self._seconds = seconds
        self._lock = threading.Lock()
        self._trial: int | None = None
        self._last = ""

    @contextmanager
    def job(self) -> Iterator[None]:
        """One job. Passing faults count, and so does success; what is wrong with the question or the key tells nothing
        of the provider.

        Raises ProviderFault (``provider.resting``) at once while the provider rests or is on trial.
        """
        self._admit()
        try:
            yield
        except ProviderFault as fault:
            if fault.retryable:
                self._failed(fault)
            raise
        else:
            self._tell(lambda: None)
        finally:
            with self._lock:
                if self._trial == threading.get_ident():
                    self._trial = None

    @property
    def resting(self) -> bool:
        """Whether it has failed so often that it rests or is yet to be tried again."""
        return self._stored.state != STATE_CLOSED

    def _admit(self) -> None:
        with self._lock:
            if self._stored.state == STATE_CLOSED or self._stored.opened_at is None:
                return
            until = self._stored.opened_at + timedelta(seconds=self._seconds)
            if datetime.now(UTC) < until:
                self._refuse(f"rests until {until:%H:%M:%S} UTC")
            if self._trial is not None:
                self._refuse("is being tried again after a rest")
            self._trial = threading.get_ident()

    def _refuse(self, what: str) -> NoReturn:
        raise ProviderFault(
            f"{self._name} {what}: {self._last}",
            code=PROVIDER_RESTS,
            action="Nothing: it is asked again when it has rested.",
        )

    def _failed(self, fault: ProviderFault) -> None:
        def fail() -> NoReturn:
            raise fault

        with self._lock:
            self._last = fault.message
        self._tell(fail)

    def _tell(self, ended: Callable[[], None]) -> None:
        # One that began before the rest tells nothing new.
        with suppress(CircuitBreakerError, ProviderFault):
            self._breaker.call(ended)


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
        self._rest = Rest(name, patience.failures, patience.rest)

    def job(self) -> AbstractContextManager[None]:
        """All that is asked for one result; see :meth:`Rest.job`."""
        return self._rest.job()

    def check_key(self) -> None:
        """Raises EngineUnavailable without a key."""
        if not self._key:
            raise EngineUnavailable(
                f"{self.name} needs a key.", field=self._setting, action=f"Set {self._setting} on the worker."
            )

    def ask(self, method: str, path: str, **arguments: Any) -> Mapping[str, Any]:
        """The JSON object that ``path`` (or a whole URL of the provider's) answers with.

        Raises ProviderFault that names how it failed, EngineUnavailable for a key that is refused.
        """
        url = path if path.startswith("http") else f"{self._base_url}{path}"
        if not url.startswith(f"{self._base_url}/"):
            raise self.fault("names an address that is not its own", "address")
        kind, body = self._sent(method, url, headers=self._headers, **arguments)
        with suppress(ValueError, RecursionError):
            answer = json.loads(body)
            if isinstance(answer, dict):
                return answer
        raise self.fault(f"answered with {kind}, not a JSON object", "not_json")

    def _sent(self, method: str, url: str, **arguments: Any) -> tuple[str, bytes]:
        """Type and bytes of a good answer."""
        try:
            with httpx.stream(method, url, timeout=self._patience.answer, **arguments) as response:
                body = self._body(response)
        except httpx.TimeoutException as error:
            raise self._late() from error
        except httpx.RemoteProtocolError as error:
            raise self.fault(f"broke off its answer: {error}", "truncated") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.fault(f"cannot be reached: {error}", "unreachable") from error
        if response.is_success:
            return response.headers.get("content-type", "no type"), body
        raise self._refused(response, body.decode(errors="replace")[:200])

    def _body(self, response: httpx.Response) -> bytes:
        # The client's time-out is for each read: a server that sends byte after byte would never reach it.
        deadline, body = time.monotonic() + self._patience.answer, bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > _LARGEST_ANSWER:
                raise self.fault("sends an answer without an end", "too_long")
            if time.monotonic() > deadline:
                raise self._late()
        return bytes(body)

    def _late(self) -> ProviderFault:
        return self.fault(f"did not answer within {self._patience.answer:g} s", "timeout")

    def _refused(self, response: httpx.Response, said: str) -> EngineUnavailable | ProviderFault:
        if response.status_code in {401, 403}:
            return EngineUnavailable(
                f"{self.name} refuses the key (status {response.status_code}).",
                field=self._setting,
                action=f"Put a valid key into {self._setting}.",
            )
        if response.status_code == 429:
            after = response.headers.get("retry-after", "a while")
            return self.fault(f"asks for a pause: try again after {after[:40]} (seconds or date)", "busy")
        if response.status_code in _OUR_FAULT:
            return self.fault(f"refuses the request with status {response.status_code}: {said}", "refused", lasts=True)
        return self.fault(f"answered with status {response.status_code}: {said}", "status")

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
                    if file.tell() > _LARGEST_FILE:
                        raise self.fault("sends a file without an end", "too_long")
        except httpx.TimeoutException as error:
            raise self.fault("stopped sending its file", "timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.fault(f"broke off its file: {error}", "truncated") from error

    def fault(self, what: str, code: str, *, lasts: bool = False) -> ProviderFault:
        """The provider's failure, as an error. One that ``lasts`` is not tried again: another attempt fails alike."""
        fault = ProviderFault(f"{self.name} {what.rstrip('.')}.", code=f"provider.{code}", field=self._setting)
        if lasts:
            fault.retryable = False
            fault.audience, fault.action = Audience.OPERATOR, "Look at what the provider says, then resume."
        return fault
