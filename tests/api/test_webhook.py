"""The bot behind a webhook, as the process it is: only who knows the secret is heard, and nothing that was pressed is
lost."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from deploy.local.state import find_port
from models.render import RenderState
from tests.api.conftest import Tenant, problem
from tests.api.test_telegram import asked
from tests.telegram.server import Refused, TelegramServer

Start = Callable[..., "subprocess.Popen[str]"]
SECRET = "telegram-only_17"
PATH = "/telegram/updates"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
UPDATE = {"update_id": 1, "message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, "text": "Hi"}}


def started(process: Start, port: int, **changes: str) -> "subprocess.Popen[str]":
    """The bot, with a public address that a proxy would pass on to ``port``."""
    settings = {
        "TELEGRAM_WEBHOOK_URL": f"https://bot.example.com{PATH}",
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_WEBHOOK_PORT": str(port),
    }
    return process("api.telegram", **settings | changes)


@dataclass
class Webhook:
    """The bot's listener."""

    address: str
    process: "subprocess.Popen[str]"

    def post(self, body: object, headers: dict[str, str], path: str = PATH) -> httpx.Response:
        return httpx.post(self.address + path, json=body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def webhook(process: Start, telegram: TelegramServer) -> Webhook:
    telegram.webhook = {}
    port = find_port(set())
    running = started(process, port)
    telegram.wait(lambda: telegram.webhook, seconds=120)
    return Webhook(f"http://127.0.0.1:{port}", running)


def test_a_press_that_telegram_delivers_decides(tenant: Tenant, telegram: TelegramServer, webhook: Webhook) -> None:
    assert telegram.webhook["url"] == f"https://bot.example.com{PATH}"
    assert telegram.webhook["allowed_updates"] == ["message", "callback_query"]
    render_id, message = asked(tenant)
    press = telegram.press(message, "Approve")
    assert telegram.push(webhook.address) == [204]
    assert telegram.answer_to(press) == "Approved."
    view = tenant.until(render_id, RenderState.COMPLETE)
    assert [given["verdict_id"] for given in view["progress"]["verdicts"]] == [f"telegram-{press}"]


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}, {HEADER: "telegram-only_18"}, {HEADER: SECRET.upper()}])
def test_whoever_does_not_know_the_secret_is_refused_and_decides_nothing(
    telegram: TelegramServer, webhook: Webhook, headers: dict[str, str]
) -> None:
    answered = dict(telegram.answers)
    response = webhook.post(UPDATE, headers)
    refused = problem(response, 403, "telegram.secret")
    assert refused["field"] == HEADER
    assert SECRET not in response.text
    assert telegram.answers == answered


def test_what_is_no_update_is_refused_in_words(webhook: Webhook) -> None:
    known = {HEADER: SECRET}
    for body in ([], "text", 7, {"message": "Hi"}, {"update_id": 1, "callback_query": {"id": 1}}):
        problem(webhook.post(body, known), 422, "telegram.update")
    problem(httpx.post(webhook.address + PATH, content=b"\xff{", headers=known), 422, "telegram.update")
    problem(webhook.post(UPDATE, known, path="/elsewhere"), 404, "route.unknown")
    problem(httpx.get(webhook.address + PATH), 405, "route.method")
    problem(webhook.post("x" * 3_000_000, known), 413, "input.too_large")
    assert webhook.process.poll() is None


def test_an_address_that_telegram_refuses_is_named(process: Start, telegram: TelegramServer) -> None:
    telegram.refuse["setwebhook"] = Refused(400, "Bad Request: bad webhook: IP address is reserved")
    try:
        running = started(process, find_port(set()))
        output, _ = running.communicate(timeout=120)
    finally:
        telegram.refuse.clear()
    assert running.returncode == 1
    assert "ip address is reserved" in output.lower()
    assert "TELEGRAM_WEBHOOK_URL" in output
    assert "Traceback" not in output
