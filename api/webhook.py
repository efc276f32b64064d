"""Telegram's updates over HTTP, for deployments that Telegram can reach. Apart from the bot, because long polling needs
none of it.

An update is answered when it has been dealt with, so that one whose bot was killed meanwhile is delivered again."""

import asyncio
import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from telegram import Update
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError
from telegram.ext import Application

from api import problems
from api.app import Limits
from deploy.settings import Settings
from models.errors import Forbidden, InvalidInput

log = structlog.get_logger()

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
AGAIN_SECONDS = 2.0

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


def create_webhook(application: AnyApplication, path: str, secret: str) -> FastAPI:
    """The HTTP application: one route, for whoever knows the secret that Telegram was given."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.post(path or "/", status_code=204)
    async def update(request: Request) -> Response:
        """One update. Telegram delivers what is not answered with success again."""
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            log.warning("telegram.webhook_refused", why="wrong secret" if given else "no secret")
            raise Forbidden(
                "this address is for Telegram alone",
                field=SECRET_HEADER,
                code="telegram.secret",
                action="Set TELEGRAM_WEBHOOK_SECRET to what Telegram was given; the bot gives it when it starts.",
            )
        await application.process_update(_update(await request.body(), application))
        return Response(status_code=204)

    problems.install(app)
    app.add_middleware(Limits)
    return app


def _update(body: bytes, application: AnyApplication) -> Update:
    try:
        return Update.de_json(json.loads(body), application.bot)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput("the body is no update of the Bot API", field="body", code="telegram.update") from error


async def listen(settings: Settings, application: AnyApplication, kinds: Sequence[str]) -> None:
    """Take updates until told to stop. Telegram being out of reach is waited for.

    Raises TelegramError for a token or an address that it refuses.
    """
    telegram = settings.telegram
    assert telegram.webhook_secret is not None, "settings refuse a webhook without"
    secret = telegram.webhook_secret.get_secret_value()
    await _reached(application.initialize)
    assert application.post_init is not None
    assert application.post_shutdown is not None
    await application.post_init(application)
    server = uvicorn.Server(
        uvicorn.Config(
            create_webhook(application, urlsplit(telegram.webhook_url).path, secret),
            host=settings.api.host,
            port=telegram.webhook_port,
            access_log=False,
            log_level="warning",
            server_header=False,
        )
    )

    async def register() -> None:
        try:
            await _reached(
                lambda: application.bot.set_webhook(telegram.webhook_url, secret_token=secret, allowed_updates=kinds)
            )
        except TelegramError:
            server.should_exit = True
            raise

    registering = asyncio.create_task(register())
    try:
        await server.serve()
        if registering.done():
            registering.result()
    finally:
        registering.cancel()
        with contextlib.suppress(asyncio.CancelledError, TelegramError):
            await registering
        await application.shutdown()
        await application.post_shutdown(application)


async def _reached(call: Callable[[], Awaitable[object]]) -> None:
    """Have ``call`` succeed, however long Telegram is out of reach. Raises TelegramError for what it refuses."""
    while True:
        try:
            await call()
        except BadRequest:
            # To the library it is a NetworkError too, and yet an answer.
            raise
        except (NetworkError, RetryAfter) as error:
            log.warning("telegram.waiting", why=str(error)[:300])
        else:
            return
        await asyncio.sleep(AGAIN_SECONDS)
