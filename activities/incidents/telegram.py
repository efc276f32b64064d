"""Incidents on Telegram: a message to each reviewer's private chat, which is rewritten when the incident is over."""

import functools

from activities.incidents.base import IncidentNotes
from activities.incidents.words import notice, over
from activities.support.telegram import TelegramDesk
from models.approval import Reviewer
from models.incidents import OpenIncident

LIMIT = 4_000
_CHANNEL = "telegram:"


class TelegramHerald:
    """Implements :class:`activities.incidents.base.Herald`. What went out is noted, so a retry sends nothing twice; a
    message whose sender died before it was noted is sent again, for the Bot API has no key for sending once."""

    def __init__(self, bot_token: str, api_url: str, notes: IncidentNotes) -> None:
        self._desk = TelegramDesk(bot_token, api_url)
        self._notes = notes

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
            message = await self._desk.bot.send_message(chat, notice(incident)[:LIMIT])
            sent = str(message.message_id)
            await self._notes.put_incident_message(incident.tenant, incident.incident_id, channel, sent)

        await self._desk.deliver(send, incident=incident.incident_id)

    async def take_back(self, incident: OpenIncident) -> None:
        """Rewrite what was said. Twice is once: the second edit changes nothing."""
        for channel, sent in (await self._notes.incident_messages(incident.tenant, incident.incident_id)).items():
            if channel.startswith(_CHANNEL):
                rewrite = functools.partial(self._rewrite, incident, int(channel.removeprefix(_CHANNEL)), int(sent))
                await self._desk.deliver(rewrite, incident=incident.incident_id)

    async def _rewrite(self, incident: OpenIncident, chat: int, sent: int) -> None:
        await self._desk.bot.edit_message_text(over(incident)[:LIMIT], chat, sent)
