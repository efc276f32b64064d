"""What reviewers can ask of artists on Telegram: who there is, how they are, to rest, to go on, who decides, what
waits. Every command is carried out once: Telegram's number of the message is its id."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram import BotCommand, Message

from activities.incidents.words import notice
from api.routes.artists import view
from api.services import Services
from models.artist import Command, Pause, Recovered, Resume, SetAutopilot
from models.errors import InvalidInput, UnknownReference
from models.incidents import IncidentState
from models.tables import Artist, ReviewerRecord

MOST = 30
"""Artists or questions in one answer."""


@dataclass(frozen=True)
class Wish:
    """A command as it was written."""

    reviewer: ReviewerRecord
    command_id: str
    words: tuple[str, ...]


class ArtistDesk:
    """Answers commands; each answer is a message."""

    def __init__(self, studio: Services) -> None:
        self._studio = studio
        self._answers: dict[str, tuple[str, Callable[[Wish], Awaitable[str]]]] = {
            "artists": ("all artists", self._artists),
            "artist": ("NAME: one artist", self._artist),
            "pause": ("NAME: rest until told otherwise", self._pause),
            "resume": ("NAME: go on", self._resume),
            "recovered": ("NAME: what was away works again", self._recovered),
            "incidents": ("what keeps artists from their songs", self._incidents),
            "autopilot": ("NAME on|off: who decides", self._autopilot),
            "queue": ("what waits for a decision", self._queue),
        }

    @property
    def menu(self) -> tuple[BotCommand, ...]:
        """What Telegram shows in its menu."""
        return tuple(BotCommand(name, words) for name, (words, _) in self._answers.items())

    @property
    def names(self) -> tuple[str, ...]:
        """The commands there are."""
        return tuple(self._answers)

    async def answer(self, reviewer: ReviewerRecord, message: Message) -> str:
        """The answer to a command. Raises what the artist refuses it with."""
        name, *words = (message.text or "").split()
        _, carry_out = self._answers[name.lstrip("/").partition("@")[0].lower()]
        number = f"telegram-{message.chat.id}-{message.message_id}"
        return await carry_out(Wish(reviewer, number, tuple(words)))

    async def _artists(self, wish: Wish) -> str:
        rows = await self._studio.store.page(Artist, wish.reviewer.tenant, limit=MOST)
        if not rows:
            return "There are no artists yet."
        return "\n".join(
            f"{row.name} ({row.id}): {row.state}, {row.life.releases if row.life else 0} out" for row in rows
        )

    async def _artist(self, wish: Wish) -> str:
        row = await self._named(wish)
        life = (await view(self._studio, row.tenant, row.id)).life
        if life is None:
            return f"{row.name} is about to begin."
        lines = [f"{life.name} is {life.state.value}: {life.standing.reason}", life.identity.biography]
        lines.append(f"{life.releases} releases · autopilot {'on' if life.autopilot else 'off'}")
        if life.running:
            lines.append(f"Track {life.running.number} is being made.")
        if life.next_track_at:
            lines.append(f"The next track begins {life.next_track_at:%Y-%m-%d %H:%M} UTC.")
        if life.incident:
            lines.append(f"Somebody has to look: {life.incident.failure.message}")
        return "\n".join(lines)

    async def _pause(self, wish: Wish) -> str:
        return await self._told(wish, "pause", Pause(command_id=wish.command_id, who=wish.reviewer.id))

    async def _resume(self, wish: Wish) -> str:
        return await self._told(wish, "resume", Resume(command_id=wish.command_id, who=wish.reviewer.id))

    async def _recovered(self, wish: Wish) -> str:
        return await self._told(wish, "recovered", Recovered(command_id=wish.command_id, who=wish.reviewer.id))

    async def _incidents(self, wish: Wish) -> str:
        rows = await self._studio.store.incidents(wish.reviewer.tenant, state=IncidentState.OPEN, limit=MOST)
        if not rows:
            return "Nothing keeps anybody from their songs."
        return "\n\n".join(notice(row.incident) for row in rows)

    async def _autopilot(self, wish: Wish) -> str:
        *_, last = wish.words or ("",)
        if last.lower() not in ("on", "off"):
            raise InvalidInput("write: /autopilot NAME on, or off", field="autopilot")
        named = Wish(wish.reviewer, wish.command_id, wish.words[:-1])
        on = last.lower() == "on"
        command = SetAutopilot(command_id=wish.command_id, who=wish.reviewer.id, on=on)
        return f"{await self._told(named, 'set_autopilot', command)} Autopilot {last.lower()}."

    async def _queue(self, wish: Wish) -> str:
        rows = await self._studio.store.questions(wish.reviewer.tenant, limit=MOST)
        if not rows:
            return "Nothing waits for a decision."
        return "\n".join(f"{row.question.title}, asked {row.created_at:%Y-%m-%d %H:%M} UTC" for row in rows)

    async def _told(self, wish: Wish, update: str, command: Command) -> str:
        row = await self._named(wish)
        taken = await self._studio.label.tell(row.tenant, row.id, update, command)
        return f"{row.name} is {taken.state.value}."

    async def _named(self, wish: Wish) -> Artist:
        """By id, or by the whole name or its beginning. Raises UnknownReference, InvalidInput where several fit."""
        asked = " ".join(wish.words).casefold()
        if not asked:
            raise InvalidInput("which artist? Write the name after the command", field="artist")
        rows = await self._studio.store.page(Artist, wish.reviewer.tenant, limit=10_000)
        exact = [row for row in rows if asked in (row.id, row.name.casefold())]
        fitting = exact or [row for row in rows if row.name.casefold().startswith(asked)]
        if not fitting:
            raise UnknownReference(f"no artist is called {asked[:60]!r}", field="artist")
        if len(fitting) > 1:
            raise InvalidInput(f"several fit: {', '.join(row.id for row in fitting[:5])}", field="artist")
        return fitting[0]
