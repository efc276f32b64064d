"""How errors leave the API: RFC 9457 problem documents that say what is wrong, where, and what to do."""

from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException

from models.base import Contract
from models.errors import Audience, FailureDetails, InvalidInput, StudioError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class Fault(Contract):
    """One of several things that are wrong with a request."""

    field: str
    message: str


class Problem(Contract):
    """An RFC 9457 problem document."""

    type: Annotated[str, Field(examples=["urn:greenroom:problem:reference.unknown"])]
    title: Annotated[str, Field(examples=["no persona is called 'avary'"])]
    status: Annotated[int, Field(examples=[404])]
    code: Annotated[str, Field(examples=["reference.unknown"])]
    field: Annotated[str, Field(examples=["persona"])] = ""
    action: Annotated[str, Field(examples=["List what exists and use one of those."])]
    """What to do."""
    instance: Annotated[str, Field(examples=["/renders"])]
    errors: tuple[Fault, ...] = ()


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems a route may answer with, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "What is wrong, and what to do.", "content": content} for status in statuses}


def answer(
    request: Request,
    failure: FailureDetails,
    *,
    headers: Mapping[str, str] | None = None,
    errors: tuple[Fault, ...] = (),
) -> JSONResponse:
    """``failure`` as a response."""
    problem = Problem(
        type=f"urn:greenroom:problem:{failure.code}",
        title=failure.message,
        status=failure.status,
        code=failure.code,
        field=failure.field,
        action=failure.action,
        instance=request.url.path,
        errors=errors,
    )
    sent = dict(headers or {})
    if failure.status == 401:
        sent["WWW-Authenticate"] = "Bearer"
    if failure.status == 503:
        sent["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return JSONResponse(
        problem.model_dump(mode="json", exclude_defaults=True), failure.status, sent, media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(StudioError, _studio)
    app.add_exception_handler(RequestValidationError, _request)
    app.add_exception_handler(ValidationError, _contract)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _studio(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StudioError)
    return answer(request, error.details())


async def _request(request: Request, error: Exception) -> JSONResponse:
    """The request does not fit its schema. Values are left out: they may be secrets, or a megabyte long."""
    assert isinstance(error, RequestValidationError)
    return _invalid(request, error.errors())


async def _contract(request: Request, error: Exception) -> JSONResponse:
    """Parts that fit alone and not together, such as a script too long for one render."""
    assert isinstance(error, ValidationError)
    return _invalid(request, error.errors(include_input=False, include_context=False, include_url=False))


def _invalid(request: Request, errors: Any) -> JSONResponse:
    faults = tuple(Fault(field=_place(error["loc"]), message=_words(error)) for error in errors[:20])
    first = faults[0] if faults else Fault(field="", message="the request is not what this route takes")
    where = f"{first.field}: " if first.field else ""
    details = InvalidInput(f"{where}{first.message}", field=first.field).details()
    return answer(request, details, errors=faults)


def _place(location: tuple[str | int, ...]) -> str:
    """``("body", "edits", 0, "text")`` as ``edits.0.text``."""
    inner = location[1:] if location and location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in inner)


def _words(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "the body is not JSON"
    return str(error["msg"]).removeprefix("Value error, ")[:500]


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, StudioError):
        # FastAPI turns whatever is raised while it reads a body into a 400.
        return answer(request, error.__cause__.details())
    code, action = {
        400: ("request.malformed", "Send well-formed JSON as UTF-8."),
        404: ("route.unknown", "Read /openapi.json for the routes there are."),
        405: ("route.method", "Use one of the methods in the Allow header."),
    }.get(error.status_code, ("request.refused", "Read /openapi.json for what this route takes."))
    failure = FailureDetails(
        code=code,
        message=str(error.detail)[:1_000],
        audience=Audience.REQUESTER,
        action=action,
        retryable=False,
        status=error.status_code,
    )
    return answer(request, failure, headers=error.headers)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("http.unforeseen", path=request.url.path, error=type(error).__name__, exc_info=error)
    failure = FailureDetails(
        code="studio.unforeseen",
        message="the studio made a mistake",
        audience=Audience.OPERATOR,
        action="Send the request again; if it repeats, look at the API's log at this time.",
        retryable=True,
        status=500,
    )
    return answer(request, failure)
