"""Questions on Telegram: sent to reviewers' private chats, reminded of, and closed.

What they press comes in through the bot process (``python -m api.telegram``)."""

from collections.abc import Awaitable, Callable

from telegram import InputFile, Message, MessageEntity

from activities.approvals.base import LARGEST, PREVIEW_SECONDS, Showing
from activities.approvals.telegram_card import caption, decisions, outcome
from activities.support.ledger import Notices
from activities.support.telegram import TelegramDesk
from models.approval import Question, QuestionState, Reviewer, Verdict

_FILM, _WORDS, _SONG = "film", "words", "song"
"""What kind of message went out: films carry captions, others are text, and each is edited its own way."""


class TelegramMessenger:
    """Implements :class:`activities.approvals.base.Messenger`. What went out is noted, so a retry sends nothing twice.

    The Bot API has no key for sending once: a message that Telegram took while its sender died before noting it is sent
    again. So messages go out without buttons and get them once they are noted, by an edit, which twice is once. Of two
    copies only the noted one can be pressed, and that one is taken back; the other is a film without buttons.
    """

    def __init__(self, bot_token: str, api_url: str, notices: Notices) -> None:
        self._desk = TelegramDesk(bot_token, api_url)
        self._notices = notices

    def reaches(self, reviewer: Reviewer) -> bool:
        """Whether the reviewer has a chat with the bot."""
        return reviewer.telegram_chat is not None

    async def ask(self, question: Question, reviewer: Reviewer, showing: Showing) -> None:
        """Send the song where there is one, then the film, its figures and the buttons; of a film beyond Telegram's
        limit its preview, with a link to all of it."""

        async def put() -> None:
            if showing.song is not None:
                song = f"{_channel(reviewer)}/song"
                await self._once(question, song, lambda: self._play(question, reviewer, showing))
            noted = await self._once(question, _channel(reviewer), lambda: self._send(question, reviewer, showing))
            await self._give_buttons(question, reviewer, noted)

        await self._deliver(question, reviewer, put)

    async def _play(self, question: Question, reviewer: Reviewer, showing: Showing) -> tuple[str, Message]:
        assert showing.song is not None, "it was asked before"
        artist, _, title = question.title.rpartition(" — ")
        length = question.audio.duration_ms if question.audio else None
        message = await self._desk.bot.send_audio(
            _chat(reviewer),
            InputFile(showing.song.read_bytes(), filename=f"{question.question_id}.mp3"),
            title=title,
            performer=artist or None,
            duration=(length or 0) // 1000,
            thumbnail=InputFile(showing.still.read_bytes(), filename="still.jpg") if showing.still else None,
        )
        return _SONG, message

    async def _send(self, question: Question, reviewer: Reviewer, showing: Showing) -> tuple[str, Message]:
        chat, words, whole = _chat(reviewer), caption(question), f"The film ({question.video.size / 1e6:.0f} MB)"
        if showing.video.stat().st_size > LARGEST:
            return _WORDS, await self._desk.bot.send_message(chat, f"{words}\n\n{whole}: {showing.link}")
        duration = (question.video.duration_ms or 0) // 1000
        links: tuple[MessageEntity, ...] = ()
        if not showing.whole:
            words, links = _linked(f"{words}\n\nThe first {PREVIEW_SECONDS} s. ", whole, showing.link)
            duration = min(duration, PREVIEW_SECONDS)
        with showing.video.open("rb") as file:
            film = InputFile(file, filename=f"{question.question_id}.mp4", read_file_handle=False)
            message = await self._desk.bot.send_video(
                chat, film, caption=words, caption_entities=links, duration=duration, supports_streaming=True
            )
        return _FILM, message

    async def remind(self, question: Question, reviewer: Reviewer, number: int) -> None:
        """Say, in answer to the question's message, that it is still open. Where that one could not be sent, this one
        stands for it."""
        text = f"Still waiting for your decision: {question.title}"

        async def put() -> None:
            reminder = f"{_channel(reviewer)}/reminder-{number}"
            asked = await self._notices.notice(question.question_id, _channel(reviewer))
            if asked is not None:
                answered = _message_id(asked)
                await self._once(question, reminder, lambda: self._say(reviewer, text, answered))
                return
            noted = await self._once(question, _channel(reviewer), lambda: self._say(reviewer, text))
            await self._notices.put_notice(question.question_id, reminder, noted)
            await self._give_buttons(question, reviewer, noted)

        await self._deliver(question, reviewer, put)

    async def _say(self, reviewer: Reviewer, text: str, answered: int | None = None) -> tuple[str, Message]:
        return _WORDS, await self._desk.bot.send_message(
            _chat(reviewer), text, reply_to_message_id=answered, allow_sending_without_reply=True
        )

    async def _once(self, question: Question, channel: str, send: Callable[[], Awaitable[tuple[str, Message]]]) -> str:
        """The note of the message on ``channel``, which is sent unless it is noted already."""
        noted = await self._notices.notice(question.question_id, channel)
        if noted is None:
            kind, message = await send()
            await self._notices.put_notice(question.question_id, channel, f"{kind}:{message.message_id}")
            # Another sender's note may have been first, and stands.
            noted = await self._notices.notice(question.question_id, channel)
            assert noted is not None, "it has just been put"
        return noted

    async def _give_buttons(self, question: Question, reviewer: Reviewer, noted: str) -> None:
        await self._desk.bot.edit_message_reply_markup(
            _chat(reviewer), _message_id(noted), reply_markup=decisions(question)
        )

    async def close(
        self, question: Question, reviewer: Reviewer, state: QuestionState, verdicts: tuple[Verdict, ...]
    ) -> None:
        """Take the buttons away and say how it ended. Twice is once: the second edit changes nothing."""
        asked = await self._notices.notice(question.question_id, _channel(reviewer))
        if asked is None:
            return
        words, chat = outcome(question, state, verdicts), _chat(reviewer)

        async def edit() -> None:
            if asked.startswith(_FILM):
                await self._desk.bot.edit_message_caption(chat, _message_id(asked), caption=words, reply_markup=None)
            else:
                await self._desk.bot.edit_message_text(words, chat, _message_id(asked), reply_markup=None)

        await self._deliver(question, reviewer, edit)

    async def _deliver(self, question: Question, reviewer: Reviewer, act: Callable[[], Awaitable[None]]) -> None:
        await self._desk.deliver(act, question=question.question_id, reviewer=reviewer.id)


def _linked(before: str, words: str, address: str) -> tuple[str, tuple[MessageEntity, ...]]:
    """``before`` and ``words``, which lead to ``address``: a signed link would take half of a caption's length.
    Telegram counts in UTF-16 code units."""
    at, length = (len(part.encode("utf-16-le")) // 2 for part in (before, words))
    return before + words, (MessageEntity(MessageEntity.TEXT_LINK, at, length, url=address),)


def _channel(reviewer: Reviewer) -> str:
    return f"telegram:{_chat(reviewer)}"


def _message_id(noted: str) -> int:
    return int(noted.partition(":")[2])


def _chat(reviewer: Reviewer) -> int:
    assert reviewer.telegram_chat is not None, "callers ask reaches() first"
    return reviewer.telegram_chat
