"""Asking Google: access tokens from a refresh token (RFC 6749, section 6), and every refusal named by its reason."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx

from activities.support.provider import Provider
from models.errors import EngineFailed, EngineUnavailable, QuotaSpent, StudioError

_SPENT: Final = frozenset({"quotaExceeded", "dailyLimitExceeded", "uploadLimitExceeded", "videoRateLimitExceeded"})
_TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "backendError", "internalError"})


@dataclass(frozen=True)
class Credentials:
    """An OAuth 2 client, and the refresh token by which the channel's owner let it act."""

    client_id: str
    client_secret: str
    refresh_token: str
    token_url: str


class Google:
    """Requests with an access token that is renewed when it has expired. Thread-safe."""

    def __init__(self, provider: Provider, credentials: Credentials, prefix: str, patience: float) -> None:
        self._provider = provider
        self._credentials = credentials
        self._prefix = prefix
        self._patience = patience
        # One for all requests: chunks go over the connection that is there, and certificates are read once.
        self._http = httpx.Client(timeout=patience)
        self._lock = threading.Lock()
        self._token = ""

    def check(self) -> None:
        """Raises EngineUnavailable that names the first setting that is missing."""
        for name in ("client_id", "client_secret", "refresh_token"):
            if not getattr(self._credentials, name):
                setting = f"{self._prefix}_{name.upper()}"
                raise EngineUnavailable(
                    f"{self._provider.name} needs {setting}.", field=setting, action=f"Set {setting} on the worker."
                )

    def ask(self, method: str, url: str, **arguments: Any) -> Mapping[str, Any]:
        """The JSON object that ``url`` answers with; nothing where it answers with nothing.

        Raises what :meth:`refusal` tells, ProviderFault for an answer that is not JSON.
        """
        response = self.send(method, url, **arguments)
        if not response.is_success:
            raise self.refusal(response)
        return {} if response.status_code == httpx.codes.NO_CONTENT else self.json(response)

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """The answer of ``url``, whatever its status; an access token that has expired is renewed once."""
        token = self._access()
        response = self._exchange(method, url, headers=_bearing(token, headers), **more)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = self._access(instead_of=token)
            response = self._exchange(method, url, headers=_bearing(token, headers), **more)
        return response

    def _exchange(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **arguments)
        except httpx.TimeoutException as error:
            raise self._provider.fault(f"did not answer within {self._patience:g} s", "timeout") from error
        except httpx.HTTPError as error:
            raise self._provider.fault(f"cannot be reached: {error}", "unreachable") from error

    def json(self, response: httpx.Response) -> Mapping[str, Any]:
        """The object in an answer. Raises ProviderFault for anything else, such as a page of a proxy."""
        with suppress(ValueError):
            answer = response.json()
            if isinstance(answer, dict):
                return answer
        kind = response.headers.get("content-type", "no type")
        raise self._provider.fault(f"answered with {kind}, not JSON", "not_json")

    def refusal(self, response: httpx.Response) -> StudioError:
        """What an answer that is no success means: by its reason, as YouTube's list of errors tells them."""
        reason, message = _reason(response)
        status, told = response.status_code, f"{message or response.text[:200]} ({reason or response.status_code})"
        if reason in _SPENT:
            return QuotaSpent(f"{self._provider.name} takes no more today: {told}.")
        if status == httpx.codes.TOO_MANY_REQUESTS or reason in _TOO_FAST or response.is_server_error:
            return self._provider.fault(f"asks for patience: {told}", "busy")
        if not reason and status != httpx.codes.UNAUTHORIZED:
            # Not Google's own answer: a proxy's, or a front end's, which comes and goes.
            return self._provider.fault(f"answered with status {status}: {response.text[:200]}", "status")
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return self._refused(f"{self._provider.name} refuses: {told}.", "REFRESH_TOKEN")
        return EngineFailed(
            f"{self._provider.name} does not take it: {told}.",
            code="publication.refused",
            action="Change what it objects to, then resume; or skip this publication.",
        )

    def _access(self, instead_of: str = "") -> str:
        with self._lock:
            if not self._token or self._token == instead_of:
                self._token = self._renewed()
            return self._token

    def _renewed(self) -> str:
        self.check()
        asked = self._credentials
        response = self._exchange(
            "POST",
            asked.token_url,
            data={
                "grant_type": "refresh_token",
                "client_id": asked.client_id,
                "client_secret": asked.client_secret,
                "refresh_token": asked.refresh_token,
            },
        )
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise self._provider.fault(f"gives no access token: status {response.status_code}", "busy")
        answer = self.json(response)
        token = answer.get("access_token")
        if response.is_success and isinstance(token, str):
            return token
        error = str(answer.get("error", response.status_code))[:80]
        which = "CLIENT_SECRET" if error == "invalid_client" else "REFRESH_TOKEN"
        raise self._refused(f"{self._provider.name} gives no access token: {error}.", which)

    def _refused(self, message: str, name: str) -> EngineUnavailable:
        setting = f"{self._prefix}_{name}"
        return EngineUnavailable(
            message,
            field=setting,
            action=f"Have the channel's owner consent again, put the new token into {setting}, then resume.",
        )


def _bearing(token: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {**(headers or {}), "Authorization": f"Bearer {token}"}


def _reason(response: httpx.Response) -> tuple[str, str]:
    """The reason and message of Google's error object; empty where the answer is none."""
    with suppress(ValueError, AttributeError, IndexError, TypeError):
        error = response.json()["error"]
        return str(error["errors"][0].get("reason", ""))[:80], str(error.get("message", ""))[:200]
    return "", ""
