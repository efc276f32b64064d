"""Incidents on Telegram: a message to each reviewer's private chat, which is rewritten when the incident is over."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from activities.incidents.base import IncidentNotes
from activities.incidents.words import notice, over
from models.approval import Reviewer
from models.errors import ProviderFault
from models.incidents import OpenIncident

log = structlog.get_logger()

LIMIT = 4_000
_CHANNEL = "telegram:"


class TelegramHerald:
    """Implements :class:`activities.incidents.base.Herald`. What went out is noted, so a retry sends nothing twice; a
    message whose sender died before it was noted is sent again, for the Bot API has no key for sending once."""

    def __init__(self, bot_token: str, api_url: str, notes: IncidentNotes) -> None:
        request = HTTPXRequest(connect_timeout=10, read_timeout=60, write_timeout=60)
        self._bot = Bot(bot_token, base_url=f"{api_url.rstrip('/')}/bot", request=request)
        self._notes = notes
        self._ready = False
        self._lock = asyncio.Lock()

    def reaches(self, reviewer: Reviewer) -> bool:
        """Whether the reviewer has a chat with the bot."""
        return reviewer.telegram_chat is not None

    async def tell(self, incident: OpenIncident, reviewer: Reviewer) -> None:
        """Say what is wrong, once."""
        chat = reviewer.telegram_chat
        assert chat is not None, "callers ask reaches() first"
        channel, noted = f"{_CHANNEL}{chat}", await self._notes.incident_messages(incident.tenant, incident.incident_id)
        if channel in noted:
            return

        async def send() -> None:
            message = await self._bot.send_message(chat, notice(incident)[:LIMIT])
            sent = str(message.message_id)
            await self._notes.put_incident_message(incident.tenant, incident.incident_id, channel, sent)

        await self._deliver(incident, send)

    async def take_back(self, incident: OpenIncident) -> None:
        """Rewrite what was said. Twice is once: the second edit changes nothing."""
        for channel, sent in (await self._notes.incident_messages(incident.tenant, incident.incident_id)).items():
            if channel.startswith(_CHANNEL):
                chat = int(channel.removeprefix(_CHANNEL))
                await self._deliver(incident, lambda chat=chat, sent=sent: self._rewrite(incident, chat, sent))  # type: ignore[misc]

    async def _rewrite(self, incident: OpenIncident, chat: int, sent: str) -> None:
        await self._bot.edit_message_text(over(incident)[:LIMIT], chat, int(sent))

    async def _deliver(self, incident: OpenIncident, act: Callable[[], Awaitable[None]]) -> None:
        """Faults that may pass are raised as ProviderFault; a chat that cannot be reached is logged: the incident is
        listed over REST all the same."""
        try:
            async with self._lock:
                if not self._ready:
                    await self._bot.initialize()
                    self._ready = True
            await act()
        except RetryAfter as error:
            raise ProviderFault(f"Telegram asks to wait {error.retry_after} s", code="telegram.busy") from error
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                log.warning("telegram.refused", incident=incident.incident_id, why=error.message)
        except (Forbidden, InvalidToken) as error:
            log.error("telegram.unreachable", incident=incident.incident_id, why=error.message)
        except (TimedOut, NetworkError) as error:
            raise ProviderFault(f"Telegram does not answer: {error}", code="telegram.unavailable") from error
        except TelegramError as error:
            raise ProviderFault(f"Telegram refuses: {error}", code="telegram.failed") from error
