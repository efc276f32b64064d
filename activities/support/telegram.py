"""How the studio speaks on Telegram, whatever it says: one bot, and which of its refusals may pass. Imported only where
a bot is configured: the library costs 30 MB."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from models.errors import ProviderFault

log = structlog.get_logger()


class TelegramDesk:
    """A bot that is introduced to Telegram at the first use."""

    def __init__(self, bot_token: str, api_url: str) -> None:
        request = HTTPXRequest(connect_timeout=10, read_timeout=60, write_timeout=60, media_write_timeout=600)
        self.bot = Bot(bot_token, base_url=f"{api_url.rstrip('/')}/bot", request=request)
        self._ready = False
        self._lock = asyncio.Lock()

    async def deliver(self, act: Callable[[], Awaitable[None]], **about: str) -> None:
        """Do something with the bot. Faults that may pass are raised as ProviderFault. A chat that cannot be reached is
        nobody's fault: it is logged with what it was ``about``, which stays open on every other channel."""
        try:
            await self._begin()
            await act()
        except RetryAfter as error:
            raise ProviderFault(f"Telegram asks to wait {error.retry_after} s", code="telegram.busy") from error
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                log.warning("telegram.refused", why=error.message, **about)
        except (Forbidden, InvalidToken) as error:
            log.error("telegram.unreachable", why=error.message, **about)
        except (TimedOut, NetworkError) as error:
            raise ProviderFault(f"Telegram does not answer: {error}", code="telegram.unavailable") from error
        except TelegramError as error:
            raise ProviderFault(f"Telegram refuses: {error}", code="telegram.failed") from error

    async def _begin(self) -> None:
        async with self._lock:
            if not self._ready:
                await self.bot.initialize()
                self._ready = True
