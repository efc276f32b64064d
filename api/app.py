"""The HTTP application: routes, limits, request log, and what lives as long as the process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.auth import Verifier, Viewer
from api.dispatch import sweep
from api.problems import Problem
from api.routes import (
    approvals,
    artists,
    assets,
    brands,
    experiments,
    health,
    incidents,
    personas,
    plates,
    releases,
    renders,
    reviewers,
    scripts,
    tracks,
    trends,
    voices,
)
from api.services import Services
from deploy.settings import Settings
from models.errors import TooLarge

log = structlog.get_logger()

MAX_JSON_BYTES = 2 * 2**20
"""Larger than any body a route takes: a script at its bounds, escaped, with its pronunciations."""


def create_app(settings: Settings) -> FastAPI:
    """The application. It starts while its servers are down, says so, and recovers by itself.

    Raises SettingsError when there is no usable key to verify tokens with.
    """
    verifier = Verifier(settings.jwt)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        studio = await Services.open(settings)
        app.state.services = studio
        background = asyncio.create_task(sweep(studio))
        try:
            yield
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)
            await studio.close()

    app = FastAPI(
        title="Greenroom",
        summary="A durable studio for consented synthetic performers.",
        version="1",
        lifespan=lifespan,
        # Served below, to callers with a token; the interactive page would load scripts from elsewhere.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.verifier = verifier
    for routes in (
        health,
        personas,
        voices,
        brands,
        plates,
        scripts,
        assets,
        renders,
        approvals,
        reviewers,
        artists,
        tracks,
        releases,
        trends,
        experiments,
        incidents,
    ):
        app.include_router(routes.router)

    @app.get("/openapi.json", tags=["meta"], responses=problems.responses(401))
    async def openapi(_: Viewer) -> dict[str, Any]:
        """This document."""
        return schema(app)

    problems.install(app)
    app.add_middleware(Limits)
    app.add_middleware(RequestLog)
    return app


def schema(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the problem document that every route refers to."""
    document = app.openapi()
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = problem.pop("$defs", {})
    document["components"]["schemas"] |= {"Problem": problem, **definitions}
    return document


class Limits:
    """Refuses bodies beyond what any route takes, by what is announced or by what comes. Uploads have their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"] == "/assets":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if max(size, int(announced) if announced.isdigit() else 0) > MAX_JSON_BYTES:
                raise TooLarge(
                    f"the body is larger than the {MAX_JSON_BYTES // 2**20} MB that are taken",
                    field="body",
                    action="Send less at once; files go to /assets.",
                )
            return message

        await self._app(scope, counted, send)


class RequestLog:
    """One event for each request: who asked for which route, and how it went."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            # Health is asked for every few seconds by whatever supervises the process.
            if not scope["path"].startswith(("/health", "/readyz")):
                log.info(
                    "http.request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round((time.perf_counter() - began) * 1000, 1),
                    caller=scope.get("state", {}).get("caller", ""),
                )
