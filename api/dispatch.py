"""Between the tables and Temporal: what is asked for is kept first and started second; who dies in between loses
nothing."""

import asyncio
import contextlib
import time
from datetime import timedelta

import structlog

from api.inspection import start_inspection
from api.services import Services
from models.errors import StudioError
from models.tables import Render, ReviewerRecord

log = structlog.get_logger()

SWEEP_SECONDS = 15.0
FORGOTTEN_AFTER = timedelta(seconds=10)
"""Older than any request that may still be about to start its render."""
LEFTOVER_AFTER = timedelta(days=1)
"""Longer than any upload takes."""
TENANT = "house"


async def dispatch(studio: Services, render: Render) -> None:
    """Start a kept render's workflow, once. Raises TemporalUnavailable; the sweep then starts it later."""
    if render.dispatched_at is None:
        await studio.renders.start(render.request)
        await studio.store.dispatched(render.id)


async def start_forgotten(studio: Services, older_than: timedelta) -> list[str]:
    """Start renders that were kept so long ago and never started; their ids."""
    forgotten = await studio.store.undispatched(older_than)
    for render in forgotten:
        await dispatch(studio, render)
        log.info("render.dispatched_late", render=render.id)
    return [render.id for render in forgotten]


async def inspect_forgotten(studio: Services, older_than: timedelta) -> list[str]:
    """Start inspections of uploads that were kept so long ago and never inspected; their ids."""
    forgotten = await studio.store.uninspected(older_than)
    for asset in forgotten:
        await start_inspection(studio, asset)
        log.info("asset.dispatched_late", asset=asset.id)
    return [asset.id for asset in forgotten]


async def sweep(studio: Services) -> None:
    """Until cancelled: list the reviewers that the settings name, start what was kept and never started (renders, and
    inspections of uploads), and once a day drop what broken uploads left."""
    listed, tidied = False, float("-inf")
    while True:
        # An outage here is one the next turn may find over; requests report it to those who wait.
        with contextlib.suppress(StudioError):
            if not listed:
                await _list_reviewers(studio)
                listed = True
            await start_forgotten(studio, FORGOTTEN_AFTER)
            await inspect_forgotten(studio, FORGOTTEN_AFTER)
        with contextlib.suppress(StudioError):
            if time.monotonic() - tidied > LEFTOVER_AFTER.total_seconds():
                dropped = await studio.blobs.drop_leftovers(LEFTOVER_AFTER)
                tidied = time.monotonic()
                log.info("uploads.tidied", dropped=dropped)
        await asyncio.sleep(SWEEP_SECONDS)


async def _list_reviewers(studio: Services) -> None:
    for chat, name in studio.settings.telegram.reviewers.items():
        await studio.admit(TENANT)
        if await studio.store.reviewer_in_chat(chat) is None:
            await studio.store.put(ReviewerRecord(tenant=TENANT, id=name, name=name, telegram_chat=chat))
