"""``python -m api.telegram``: what reviewers press and write on Telegram becomes verdicts.

The bot keeps no state: buttons carry what they are about, and changes under way are read back from the messages they
were written in. So it may be killed at any moment, and an update that Telegram delivers twice is one verdict.
"""

import asyncio
import contextlib
import hashlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from telegram import CallbackQuery, ForceReply, InlineKeyboardMarkup, Message, Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

from activities.approvals.telegram_card import (
    SHA_DIGITS,
    Action,
    Press,
    below_threshold,
    changes,
    decisions,
    reasons,
)
from api.__main__ import write_events
from api.planning import standing_request
from api.services import Services
from api.telegram_artists import ArtistDesk
from api.verdicts import Change, Work, changes_of, give, question_of
from api.webhook import listen
from deploy.settings import Settings, load_settings
from models.approval import Decision, Question, QuestionState, Verdict
from models.errors import Conflict, InvalidInput, StudioError, UnknownReference
from models.tables import ApprovalQuestion, Render, ReviewerRecord

log = structlog.get_logger()

REQUIRED = ("TEMPORAL_ADDRESS", "DATABASE_URL", "TELEGRAM_BOT_TOKEN")
STRANGER = "You are not a reviewer of this studio. Your chat is {chat}."
OUT_OF_REACH = "The studio cannot be reached. Nothing was recorded: please press again in a moment."
MESSAGE_LIMIT = 4_000
"""Characters of a message (Bot API: 4096), less what is put around a list."""
ALERT_LIMIT = 200
"""Characters of an answer to a press (Bot API, answerCallbackQuery)."""
DIGEST_DIGITS = 6
MAX_CHANGES = 40
MAX_WORDS = 2_000
"""The bounds of a verdict's changes (``models.approval``)."""

HOW_TO = (
    "Reply to this message, one line for each sentence:\n"
    "3: slower, please (performed anew)\n"
    "5 = The sentence as it should be. (replaced)\n\n"
)
HOW_TO_PARTS = "Reply to this message, one line for each part to be made again:\n2: softer, please\n\n"
_ABOUT = re.compile(r"question (\S+) · ([0-9a-f]{8})$")
_LINE = re.compile(r"\s*(\d{1,3})\s*([:=])\s*(\S.*)")

SAID = {
    QuestionState.OPEN: "Counted. Others are still to decide.",
    QuestionState.APPROVED: "Approved.",
    QuestionState.REJECTED: "Rejected.",
    QuestionState.CHANGES: "Understood: the changes are being made.",
}


class Desk:
    """Where presses and replies arrive."""

    def __init__(self, studio: Services) -> None:
        self._studio = studio
        self.artists = ArtistDesk(studio)

    async def pressed(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A button."""
        query = update.callback_query
        if query is None or not isinstance(query.message, Message):
            return
        try:
            reviewer = await self._reviewer(query.message)
            if reviewer is None:
                await _answer(query, STRANGER.format(chat=query.message.chat.id))
                return
            press = Press.read(query.data or "")
            if press is None:
                raise InvalidInput("this button is no longer understood")
            await self._act(query, query.message, reviewer, press)
        except StudioError as error:
            log.info("telegram.refused", code=error.details().code)
            await _answer(query, _words(error))

    async def _act(self, query: CallbackQuery, message: Message, reviewer: ReviewerRecord, press: Press) -> None:
        row, work = await question_of(self._studio, reviewer.tenant, press.question_id)
        question = row.question
        if row.state is not QuestionState.OPEN:
            await _buttons(message, None)
            raise Conflict(f"this question is closed: {row.state.value}")
        if question.video.sha256[:SHA_DIGITS] != press.sha:
            await _buttons(message, None)
            raise Conflict("this button is about other bytes than those asked about")
        match press.action:
            case Action.APPROVE if not question.passed:
                await _buttons(message, below_threshold(question))
                await _answer(query, "The film is below its thresholds. Approve it all the same?", alert=False)
            case Action.APPROVE | Action.APPROVE_BELOW:
                below = press.action is Action.APPROVE_BELOW
                verdict = _verdict(query, reviewer, question, Decision.APPROVE, accepts_below_threshold=below)
                await self._give(query, message, work, verdict)
            case Action.REJECT if not press.detail:
                await _buttons(message, reasons(question))
                await _answer(query, "Why?", alert=False)
            case Action.REJECT:
                verdict = _verdict(query, reviewer, question, Decision.REJECT, reason=press.detail)
                await self._give(query, message, work, verdict)
            case Action.CHANGES:
                await self._list_sentences(message, question, work)
                await _answer(query, "Reply to the list of sentences.", alert=False)
            case Action.SEND:
                asked = await changes_of(self._studio, work, await self._written(message, press, question))
                verdict = _verdict(query, reviewer, question, Decision.CHANGES, changes=asked)
                await self._give(query, message, work, verdict)
            case Action.BACK:
                await _buttons(message, decisions(question))
                await _answer(query, "", alert=False)
            case Action.LEAVE:
                await _buttons(message, None)
                await _answer(query, "Left. Nothing was recorded.", alert=False)

    async def _give(self, query: CallbackQuery, message: Message, work: Work, verdict: Verdict) -> None:
        state = await give(self._studio, work, verdict)
        log.info("telegram.verdict", question=verdict.question_id, reviewer=verdict.reviewer, state=state.value)
        await _answer(query, SAID.get(state, state.value))
        await _buttons(message, None)

    async def _list_sentences(self, message: Message, question: Question, work: Work) -> None:
        """The sentences, or the parts of a song, numbered as people count, in as many messages as they need; the last
        one asks for a reply."""
        how_to, listed = HOW_TO_PARTS, list(question.parts)
        if isinstance(work, Render):
            request = await standing_request(self._studio, work)
            how_to, listed = HOW_TO, [segment.utterance.text.strip()[:600] for segment in request.segments]
        about = f"question {question.question_id} · {question.video.sha256[:SHA_DIGITS]}"
        blocks = [""]
        for number, text in enumerate(listed, start=1):
            line = f"{number}. {text}\n"
            if len(blocks[-1]) + len(line) > MESSAGE_LIMIT - len(how_to) - len(about):
                blocks.append("")
            blocks[-1] += line
        for block in blocks[:-1]:
            await message.reply_text(block)
        placeholder = "3: slower, please"
        await message.reply_text(
            f"{blocks[-1]}\n{how_to}{about}", reply_markup=ForceReply(input_field_placeholder=placeholder)
        )

    async def commanded(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A command about artists."""
        message = update.effective_message
        if message is None or not message.text:
            return
        try:
            reviewer = await self._reviewer(message)
            if reviewer is None:
                await message.reply_text(STRANGER.format(chat=message.chat.id))
                return
            await message.reply_text((await self.artists.answer(reviewer, message))[:MESSAGE_LIMIT])
        except StudioError as error:
            log.info("telegram.refused", code=error.details().code)
            await message.reply_text(_words(error))

    async def wrote(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A message: changes, if it answers a list of sentences."""
        message = update.effective_message
        if message is None or not message.text:
            return
        try:
            reviewer = await self._reviewer(message)
            if reviewer is None:
                await message.reply_text(STRANGER.format(chat=message.chat.id))
                return
            row, work = await self._meant(message, reviewer)
            asked = read_changes(message.text, row.question.segments)
            await changes_of(self._studio, work, asked)
            await message.reply_text(
                "\n".join(map(_shown, asked)),
                reply_markup=changes(row.question, _digest(message.text)),
                do_quote=True,
            )
        except StudioError as error:
            await message.reply_text(_words(error))

    async def _meant(self, message: Message, reviewer: ReviewerRecord) -> tuple[ApprovalQuestion, Work]:
        """The open question a message is about: the one its list named, or the only one there is."""
        listed = message.reply_to_message
        about = _ABOUT.search(listed.text or "") if listed else None
        if about:
            row, work = await question_of(self._studio, reviewer.tenant, about[1])
            if row.state is not QuestionState.OPEN:
                raise Conflict(f"this question is closed: {row.state.value}")
            return row, work
        rows = await self._studio.store.questions(reviewer.tenant, limit=2)
        if not rows:
            raise UnknownReference("no question is open")
        if len(rows) > 1:
            raise InvalidInput("several questions are open: reply to the list of sentences you mean")
        return await question_of(self._studio, reviewer.tenant, rows[0].id)

    async def _written(self, message: Message, press: Press, question: Question) -> tuple[Change, ...]:
        """The changes a summary is about, read back from the message it answers."""
        written = message.reply_to_message
        if written is None or not written.text or _digest(written.text) != press.detail:
            raise Conflict("the message with these changes was edited or deleted: write them again")
        return read_changes(written.text, question.segments)

    async def _reviewer(self, message: Message) -> ReviewerRecord | None:
        """Who writes. Only private chats count: elsewhere anybody could press."""
        if message.chat.type != "private":
            return None
        return await self._studio.store.reviewer_in_chat(message.chat.id)


def _verdict(
    query: CallbackQuery, reviewer: ReviewerRecord, question: Question, decision: Decision, **rest: Any
) -> Verdict:
    """The verdict of a press; Telegram's id of the press is its id, so that delivered twice it counts once."""
    return Verdict(
        verdict_id=f"telegram-{query.id}",
        question_id=question.question_id,
        sha256=question.video.sha256,
        reviewer=reviewer.id,
        decision=decision,
        **rest,
    )


def read_changes(text: str, segments: int) -> tuple[Change, ...]:
    """The changes in ``text``, one a line: ``3: a note`` or ``3 = a sentence``.

    Raises InvalidInput that quotes the line it does not understand.
    """
    found: dict[int, Change] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise InvalidInput(f"not understood: “{line[:80]}”. Write “3: a note” or “3 = the sentence.”")
        number = int(parts[1])
        if not 1 <= number <= segments:
            raise InvalidInput(f"there is no sentence {number}: they are 1 to {segments}")
        if number in found:
            raise InvalidInput(f"sentence {number} is named twice")
        words = parts[3].strip()
        if len(words) > MAX_WORDS:
            raise InvalidInput(f"sentence {number} has more than {MAX_WORDS} characters")
        note, sentence = (words, "") if parts[2] == ":" else ("", words)
        found[number] = Change(segment=number - 1, note=note, text=sentence)
    if len(found) > MAX_CHANGES:
        raise InvalidInput(f"at most {MAX_CHANGES} sentences at once")
    if not found:
        raise InvalidInput("no sentence is named. Write “3: a note” or “3 = the sentence.”")
    return tuple(found[number] for number in sorted(found))


def _shown(change: Change) -> str:
    number = change.segment + 1
    return f"{number} becomes: {change.text}" if change.text else f"{number} is performed anew: {change.note}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


def _words(error: StudioError) -> str:
    details = error.details()
    return OUT_OF_REACH if details.retryable else details.message[:1].upper() + details.message[1:]


async def _answer(query: CallbackQuery, words: str, *, alert: bool = True) -> None:
    # A press that waited out an outage is too old to be answered; what it asked for was done all the same.
    with contextlib.suppress(BadRequest):
        await query.answer(words[:ALERT_LIMIT], show_alert=alert)


async def _buttons(message: Message, buttons: InlineKeyboardMarkup | None) -> None:
    # Pressed twice, or edited by the messenger meanwhile: the buttons are as they should be already.
    with contextlib.suppress(BadRequest):
        await message.edit_reply_markup(buttons)


def build(settings: Settings) -> "Application[Any, Any, Any, Any, Any, Any]":
    """The bot, not yet running. Its servers may be down."""
    token = settings.telegram.bot_token
    assert token is not None, "load_settings requires it"
    base = settings.telegram.api_url.rstrip("/")

    async def open_studio(application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        studio = await Services.open(settings)
        desk = Desk(studio)
        application.bot_data["studio"] = studio
        application.add_handler(CallbackQueryHandler(desk.pressed))
        application.add_handler(CommandHandler(desk.artists.names, desk.commanded))
        application.add_handler(MessageHandler(filters.TEXT, desk.wrote))
        # The menu is a convenience: Telegram being out of reach keeps nobody from typing.
        with contextlib.suppress(TelegramError):
            await application.bot.set_my_commands(desk.artists.menu)

    async def close_studio(application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        await application.bot_data["studio"].close()

    async def failed(_: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        log.error("telegram.unforeseen", error=type(context.error).__name__, exc_info=context.error)

    application = (
        Application.builder()
        .token(token.get_secret_value())
        .base_url(f"{base}/bot")
        .base_file_url(f"{base}/file/bot")
        # One reviewer's press must not wait for another's while Temporal is slow.
        .concurrent_updates(True)
        .post_init(open_studio)
        .post_shutdown(close_studio)
        .build()
    )
    application.add_error_handler(failed)
    return application


def main() -> int:
    """Run until told to stop."""
    try:
        settings = load_settings(*REQUIRED)
    except StudioError as error:
        sys.stderr.write(f"{error.message}\n{error.action}\n")
        return 2
    write_events(settings)
    application = build(settings)
    kinds: Sequence[str] = (Update.MESSAGE, Update.CALLBACK_QUERY)
    try:
        if settings.telegram.webhook_url:
            asyncio.run(listen(settings, application, kinds))
        else:
            # Endless start-up retries: Telegram being out of reach is no reason to die.
            application.run_polling(allowed_updates=list(kinds), bootstrap_retries=-1)
    except TelegramError as error:
        sys.stderr.write(f"Telegram refuses the bot: {error}\nLook at TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_URL.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
