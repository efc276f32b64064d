"""A Bot API server for tests: real HTTP, so that bot and messenger use their real client, and people who press buttons
and write. It keeps what Telegram would show."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "42:test"
BOT = {"id": 42, "is_bot": True, "first_name": "Studio", "username": "studio_bot"}
PRESENT = {**BOT, "can_join_groups": False, "can_read_all_group_messages": False, "supports_inline_queries": False}

Message = dict[str, Any]


class Refused(Exception):
    """The Bot API says no."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description


@dataclass
class TelegramServer:
    """What was sent, and what people did. Thread-safe enough for tests: one loop serves, others read."""

    url: str = ""
    messages: dict[int, Message] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    """What a press was answered with, by its id."""
    calls: list[str] = field(default_factory=list)
    refuse: dict[str, Refused] = field(default_factory=dict)
    """Methods that are refused, until taken out."""
    webhook: dict[str, Any] = field(default_factory=dict)
    """What the bot asked for with setWebhook."""
    _updates: list[dict[str, Any]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # What people do

    def press(self, message: Message, words: str) -> str:
        """Press the button that says ``words``; the id of the press."""
        buttons = [button for row in buttons_of(message) for button in row]
        data = next(button["callback_data"] for button in buttons if button["text"] == words)
        return self.press_data(message, data)

    def press_data(self, message: Message, data: str) -> str:
        """Send a press as Telegram would, whatever the message's buttons are now."""
        press = str(next(self._ids))
        query = {"id": press, "from": _user(message["chat"]["id"]), "chat_instance": "1", "data": data}
        self._deliver({"callback_query": {**query, "message": message}})
        return press

    def write(self, chat: int, text: str, reply_to: Message | None = None) -> Message:
        """Write to the bot, in answer to a message if one is given."""
        message = self._message(chat, {"text": text}, sender=_user(chat))
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        if reply_to is not None:
            message["reply_to_message"] = {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        self.messages[message["message_id"]] = message
        self._deliver({"message": message})
        return message

    def _deliver(self, update: dict[str, Any]) -> None:
        with self._changed:
            self._updates.append({"update_id": next(self._ids), **update})

    def push(self, listener: str) -> list[int]:
        """Send what is pending to the webhook, which a proxy has at ``listener``; the statuses of the answers. What is
        not answered with success stays pending."""
        with self._changed:
            pending = list(self._updates)
        statuses = []
        for update in pending:
            headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret_token"]}
            address = listener + urlsplit(self.webhook["url"]).path
            statuses.append(httpx.post(address, json=update, headers=headers, timeout=60).status_code)
            if 200 <= statuses[-1] < 300:
                with self._changed:
                    self._updates.remove(update)
        return statuses

    # What tests look at

    def wait(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """The first truthy answer of ``what``, which is asked again whenever something was sent."""
        with self._changed:
            answer: Any = None

            def holds() -> bool:
                nonlocal answer
                answer = what()
                return bool(answer)

            if not self._changed.wait_for(holds, timeout=seconds):
                raise AssertionError(f"not within {seconds} s; messages: {json.dumps(list(self.messages.values()))}")
        return answer

    def answer_to(self, press: str) -> str:
        """What the bot answered a press with."""
        self.wait(lambda: press in self.answers)
        return self.answers[press]

    def said(self, chat: int, containing: str, seconds: float = 60) -> Message:
        """The newest message of the bot to ``chat`` with these words."""

        def find() -> Message | None:
            own = (m for m in reversed(self.messages.values()) if m["from"]["id"] == BOT["id"])
            return next((m for m in own if m["chat"]["id"] == chat and containing in text_of(m)), None)

        message: Message = self.wait(find, seconds)
        return message

    # The Bot API

    async def call(self, request: Request) -> Response:
        """One method."""
        method = request.path_params["method"].lower()
        arguments = await _arguments(request)
        try:
            if request.path_params["token"] != TOKEN:
                raise Refused(401, "Unauthorized")
            if method in self.refuse:
                raise self.refuse[method]
            result = await self._act(method, arguments)
        except Refused as error:
            body = {"ok": False, "error_code": error.status, "description": error.description}
            return JSONResponse(body, error.status)
        finally:
            with self._changed:
                self.calls.append(method)
                self._changed.notify_all()
        return JSONResponse({"ok": True, "result": result})

    async def _act(self, method: str, arguments: dict[str, Any]) -> Any:
        match method:
            case "getme":
                return PRESENT
            case "getupdates":
                return await self._pending(int(arguments.get("offset") or 0), float(arguments.get("timeout") or 0))
            case "setwebhook":
                if not arguments["url"].startswith("https://"):
                    raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
                self.webhook = arguments
                return True
            case "deletewebhook":
                return True
            case "answercallbackquery":
                self.answers[arguments["callback_query_id"]] = arguments.get("text", "")
                return True
            case "sendmessage":
                return self._send(arguments, {"text": arguments["text"]})
            case "sendvideo":
                return self._send(arguments, {"video": self._keep(arguments), **_captioned(arguments)})
            case "sendaudio":
                named = {name: arguments.get(name) for name in ("title", "performer", "duration")}
                named = {name: int(value) if name == "duration" else value for name, value in named.items() if value}
                audio = {**self._kept(arguments, "audio"), "duration": 1, **named}
                if "thumbnail" in arguments:
                    still = self._kept(arguments, "thumbnail")
                    audio["thumbnail"] = {**still, "width": 320, "height": 320}
                return self._send(arguments, {"audio": audio})
            case "editmessagetext" | "editmessagecaption" | "editmessagereplymarkup":
                return self._edit(method, arguments)
        raise Refused(404, "Not Found")

    def _send(self, arguments: dict[str, Any], content: dict[str, Any]) -> Message:
        message = self._message(int(arguments["chat_id"]), content, sender=BOT)
        # Telegram shows back inline buttons only, not the request for a reply.
        if "inline_keyboard" in (arguments.get("reply_markup") or {}):
            message["reply_markup"] = arguments["reply_markup"]
        replied = (arguments.get("reply_parameters") or {}).get("message_id")
        if replied in self.messages:
            original = self.messages[replied]
            message["reply_to_message"] = {k: v for k, v in original.items() if k != "reply_to_message"}
        self.messages[message["message_id"]] = message
        return _shown(message)

    def _edit(self, method: str, arguments: dict[str, Any]) -> Message:
        message = self.messages.get(int(arguments["message_id"]))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        changed = {name: arguments[name] for name in ("text", "caption") if name in arguments}
        changed["reply_markup"] = arguments.get("reply_markup")
        if all(message.get(name) == value for name, value in changed.items()):
            raise Refused(400, "Bad Request: message is not modified")
        message.update(changed)
        return _shown(message)

    def _message(self, chat: int, content: dict[str, Any], sender: dict[str, Any]) -> Message:
        kind = "private" if chat > 0 else "group"
        place = {"id": chat, "type": kind, "first_name": "Reviewer"}
        return {"message_id": next(self._ids), "date": int(time.time()), "chat": place, "from": sender, **content}

    def _keep(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {**self._kept(arguments, "video"), "width": 1920, "height": 1080, "duration": 1}

    def _kept(self, arguments: dict[str, Any], part: str) -> dict[str, Any]:
        sent = arguments[part]
        upload = arguments[sent.removeprefix("attach://")] if isinstance(sent, str) else sent
        if len(upload) > 50_000_000:
            raise Refused(413, "Request Entity Too Large")
        name = f"file-{next(self._ids)}"
        self.files[name] = upload
        return {"file_id": name, "file_unique_id": name, "file_size": len(upload)}

    async def _pending(self, offset: int, patience: float) -> list[dict[str, Any]]:
        until = time.monotonic() + patience
        while True:
            self._updates[:] = [update for update in self._updates if update["update_id"] >= offset]
            if self._updates or time.monotonic() > until:
                return list(self._updates)
            await asyncio.sleep(0.02)


def text_of(message: Message) -> str:
    """What a message says."""
    return str(message.get("text") or message.get("caption") or "")


def buttons_of(message: Message) -> list[list[dict[str, str]]]:
    """The rows of buttons under a message."""
    rows: list[list[dict[str, str]]] = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return rows


def _captioned(arguments: dict[str, Any]) -> dict[str, Any]:
    linked = {"caption_entities": arguments["caption_entities"]} if "caption_entities" in arguments else {}
    return {"caption": arguments.get("caption", ""), **linked}


def _user(chat: int) -> dict[str, Any]:
    return {"id": abs(chat), "is_bot": False, "first_name": "Reviewer"}


def _shown(message: Message) -> Message:
    return {name: value for name, value in message.items() if value is not None}


async def _arguments(request: Request) -> dict[str, Any]:
    """A method's arguments; those that are JSON in a form are read."""
    if "json" in request.headers.get("content-type", ""):
        return dict(await request.json())
    read: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                read[name] = await value.read()
            elif name in {"reply_markup", "reply_parameters", "allowed_updates", "caption_entities"}:
                read[name] = json.loads(value)
            else:
                read[name] = value
    return read


@contextmanager
def telegram_server() -> Iterator[TelegramServer]:
    """The server, on a free port of loopback."""
    telegram = TelegramServer()
    app = Starlette(routes=[Route("/bot{token}/{method}", telegram.call, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    telegram.url = f"http://127.0.0.1:{port}"
    try:
        yield telegram
    finally:
        server.should_exit = True
        thread.join()
