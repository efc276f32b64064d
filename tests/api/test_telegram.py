"""Approval on Telegram, over a real Bot API connection, with the bot as the process it is."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from activities.approvals.telegram_card import REASONS
from models.render import RenderState
from tests.api.conftest import POOR, SmallFilms, Tenant
from tests.telegram.server import Message, Refused, TelegramServer, buttons_of, text_of

Start = Callable[..., "subprocess.Popen[str]"]
TITLE = "Third quarter"


class Bot:
    """The bot's process."""

    def __init__(self, process: Start, telegram: TelegramServer) -> None:
        self._process = process
        self._telegram = telegram
        self.start()

    def start(self) -> None:
        """Return when it listens."""
        self._telegram.calls.clear()
        self._running = self._process("api.telegram")
        self._telegram.wait(lambda: "getupdates" in self._telegram.calls, seconds=120)

    def kill(self) -> None:
        """kill -9."""
        self._running.kill()
        self._running.wait()


@pytest.fixture(scope="module")
def bot(process: Start, telegram: TelegramServer) -> Bot:
    return Bot(process, telegram)


def asked(tenant: Tenant, **changes: Any) -> tuple[str, Message]:
    """A render and the message that asks about it."""
    render_id = tenant.started(**changes)
    return render_id, asking(tenant, tenant.question(render_id))


def asking(tenant: Tenant, question: dict[str, Any]) -> Message:
    """The message that asks a question, once it can be pressed."""
    message: Message = tenant.house.telegram.wait(
        lambda: next(
            (
                m
                for m in tenant.house.telegram.messages.values()
                if m["chat"]["id"] == tenant.chat
                and any(question["question_id"] in b.get("callback_data", "") for row in buttons_of(m) for b in row)
            ),
            None,
        )
    )
    return message


def words_on(message: Message) -> list[str]:
    return [button["text"] for row in buttons_of(message) for button in row]


def test_the_film_its_figures_and_three_buttons_arrive_and_one_press_decides(
    tenant: Tenant, telegram: TelegramServer, bot: Bot
) -> None:
    render_id, message = asked(tenant)
    film = tenant.viewer.get("/approvals").json()["items"][0]
    assert message["video"]["file_size"] == len(telegram.files[message["video"]["file_id"]])
    assert telegram.files[message["video"]["file_id"]][4:8] == b"ftyp"
    assert TITLE in text_of(message)
    assert "✓ word_error_rate: 0.01 (<= 0.05)" in text_of(message)
    assert words_on(message) == ["Approve", "Reject", "Ask for changes"]
    assert all(len(b["callback_data"].encode()) <= 64 for row in buttons_of(message) for b in row)
    press = telegram.press(message, "Approve")
    assert telegram.answer_to(press) == "Approved."
    tenant.until(render_id, RenderState.COMPLETE)
    closed = telegram.said(tenant.chat, "Approved\nana: approve")
    assert closed["message_id"] == message["message_id"]
    assert words_on(closed) == []
    verdicts = tenant.viewer.get(f"/approvals/{film['question_id']}").json()["verdicts"]
    assert [(verdict["verdict_id"], verdict["reviewer"]) for verdict in verdicts] == [(f"telegram-{press}", "ana")]


def test_a_press_after_the_decision_is_told_so(tenant: Tenant, telegram: TelegramServer, bot: Bot) -> None:
    render_id, message = asked(tenant)
    data = buttons_of(message)[0][0]["callback_data"]
    question = tenant.question(render_id)
    tenant.decide(question, "reject", client=tenant.other_reviewer, reason="legal")
    tenant.until(render_id, RenderState.REJECTED)
    assert "closed: rejected" in telegram.answer_to(telegram.press_data(message, data))


def test_rejecting_takes_a_reason(tenant: Tenant, telegram: TelegramServer, bot: Bot) -> None:
    render_id, message = asked(tenant)
    telegram.press(message, "Reject")
    telegram.wait(lambda: words_on(message) == [*REASONS.values(), "Back"])
    telegram.press(message, "Back")
    telegram.wait(lambda: words_on(message) == ["Approve", "Reject", "Ask for changes"])
    telegram.press(message, "Reject")
    telegram.wait(lambda: "Off brand" in words_on(message))
    assert telegram.answer_to(telegram.press(message, "Off brand")) == "Rejected."
    assert tenant.until(render_id, RenderState.REJECTED)["progress"]["verdicts"][0]["reason"] == "off_brand"
    telegram.said(tenant.chat, "ana: reject (Off brand)")


def test_a_film_below_its_thresholds_needs_a_second_press(
    tenant: Tenant, telegram: TelegramServer, stages: SmallFilms, bot: Bot
) -> None:
    stages.figures = POOR
    render_id, message = asked(tenant)
    assert "Below its thresholds" in text_of(message)
    assert "✗ lip_correlation: 0.4 (>= 0.85)" in text_of(message)
    assert "below its thresholds" in telegram.answer_to(telegram.press(message, "Approve"))
    assert tenant.viewer.get(f"/renders/{render_id}").json()["state"] == "awaiting_approval"
    telegram.wait(lambda: "Approve below its thresholds" in words_on(message))
    assert telegram.answer_to(telegram.press(message, "Approve below its thresholds")) == "Approved."
    tenant.until(render_id, RenderState.COMPLETE)


def test_changes_are_written_as_lines_confirmed_and_made(tenant: Tenant, telegram: TelegramServer, bot: Bot) -> None:
    render_id, message = asked(tenant)
    telegram.press(message, "Ask for changes")
    listed = telegram.said(tenant.chat, "2. Revenue grew 12%.")
    misread = telegram.write(tenant.chat, "make it nicer", reply_to=listed)
    assert text_of(telegram.said(tenant.chat, "make it nicer")).startswith("Not understood")
    for wrong, why in {"9: slower": "no sentence 9", "1 = One. Two.": "2 sentences", "1 = …": "no words"}.items():
        telegram.write(tenant.chat, wrong, reply_to=listed)
        telegram.said(tenant.chat, why)
    telegram.write(tenant.chat, "1: warmer\n3 = Thanks, everybody.", reply_to=listed)
    summary = telegram.said(tenant.chat, "3 becomes: Thanks, everybody.")
    assert "1 is performed anew: warmer" in text_of(summary)
    edited = {**summary, "reply_to_message": {**summary["reply_to_message"], "text": "1: colder"}}
    assert "edited or deleted" in telegram.answer_to(telegram.press(edited, "Send these changes"))
    assert telegram.answer_to(telegram.press(summary, "Send these changes")).startswith("Understood")
    second = asking(tenant, tenant.question(render_id))
    assert "Round 2" in text_of(second)
    spoken = tenant.viewer.get(f"/renders/{render_id}/segments").json()["items"]
    assert [(item["text"], item["take"]) for item in spoken] == [
        ("Good morning.", 1),
        ("Revenue grew 12%.", 0),
        ("Thanks, everybody.", 0),
    ]
    assert telegram.answer_to(telegram.press(second, "Approve")) == "Approved."
    tenant.until(render_id, RenderState.COMPLETE)
    assert misread["message_id"] in telegram.messages


def test_a_stranger_and_a_group_are_told_so_and_nothing_else(
    tenant: Tenant, telegram: TelegramServer, bot: Bot
) -> None:
    render_id, message = asked(tenant)
    data = buttons_of(message)[0][0]["callback_data"]
    for chat in (tenant.chat + 1, -tenant.chat):
        elsewhere = {**message, "chat": {"id": chat, "type": "private" if chat > 0 else "group", "first_name": "Eve"}}
        assert "not a reviewer" in telegram.answer_to(telegram.press_data(elsewhere, data))
    telegram.write(tenant.chat + 1, "/start")
    assert text_of(telegram.said(tenant.chat + 1, "not a reviewer")).endswith(f"{tenant.chat + 1}.")
    assert tenant.viewer.get(f"/renders/{render_id}").json()["state"] == "awaiting_approval"
    assert telegram.answer_to(telegram.press(message, "Approve")) == "Approved."


def test_a_button_that_is_not_ours_or_about_other_bytes_decides_nothing(
    tenant: Tenant, telegram: TelegramServer, bot: Bot
) -> None:
    render_id, message = asked(tenant)
    action, detail, _, question = buttons_of(message)[0][0]["callback_data"].split("|")
    assert "no longer understood" in telegram.answer_to(telegram.press_data(message, "x"))
    stale = telegram.press_data(message, "|".join((action, detail, "00000000", question)))
    assert "other bytes" in telegram.answer_to(stale)
    unknown = telegram.press_data(message, "|".join((action, detail, "00000000", "nothing.1")))
    assert "No question" in telegram.answer_to(unknown)
    assert tenant.viewer.get(f"/renders/{render_id}").json()["state"] == "awaiting_approval"


def test_a_bot_that_dies_between_list_and_confirmation_loses_nothing(
    tenant: Tenant, telegram: TelegramServer, bot: Bot
) -> None:
    render_id, message = asked(tenant)
    telegram.press(message, "Ask for changes")
    listed = telegram.said(tenant.chat, "3. Thank you.")
    bot.kill()
    telegram.write(tenant.chat, "3: slower", reply_to=listed)
    bot.start()
    summary = telegram.said(tenant.chat, "3 is performed anew: slower")
    assert telegram.answer_to(telegram.press(summary, "Send these changes")).startswith("Understood")
    question = tenant.question(render_id)
    while question["round"] == 1:
        question = tenant.question(render_id)
    assert tenant.decide(question, "approve").json()["state"] == "approved"


def test_telegram_that_refuses_a_chat_leaves_the_question_open_over_rest(
    tenant: Tenant, telegram: TelegramServer
) -> None:
    telegram.refuse["sendvideo"] = Refused(403, "Forbidden: bot was blocked by the user")
    try:
        render_id = tenant.started()
        question = tenant.question(render_id)
        telegram.wait(lambda: "sendvideo" in telegram.calls)
    finally:
        telegram.refuse.clear()
    assert tenant.decide(question, "approve").json()["state"] == "approved"
    tenant.until(render_id, RenderState.COMPLETE)


def test_without_a_token_the_bot_says_which_setting_is_missing(process: Start) -> None:
    started = process("api.telegram", TELEGRAM_BOT_TOKEN="")
    output, _ = started.communicate(timeout=60)
    assert started.returncode == 2
    assert output.startswith("TELEGRAM_BOT_TOKEN is not set")
    assert "Traceback" not in output
