"""Whether the process lives and whether it can work: the only routes without a token."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.services import Studio
from models.base import Contract
from models.errors import StudioError

router = APIRouter(tags=["health"])


class Health(Contract):
    """The process answers."""

    ok: Annotated[bool, Field(examples=[True])]


class Part(Contract):
    """One server the API needs. ``why`` says what is wrong."""

    ok: Annotated[bool, Field(examples=[True])]
    why: Annotated[str, Field(examples=[""])] = ""


class Readiness(Contract):
    """Whether every server the API needs answers."""

    ok: Annotated[bool, Field(examples=[True])]
    temporal: Part
    postgres: Part
    s3: Part


@router.get("/healthz")
@router.get("/health", include_in_schema=False)
async def healthz() -> Health:
    """Whether the process lives, whatever its servers do."""
    return Health(ok=True)


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Something it needs does not answer."}})
async def readyz(studio: Studio, response: Response) -> Readiness:
    """Whether Temporal, Postgres and S3 answer."""
    temporal, postgres, s3 = await asyncio.gather(
        _part(studio.renders.check()), _part(studio.store.check()), _part(studio.blobs.check())
    )
    ok = temporal.ok and postgres.ok and s3.ok
    response.status_code = 200 if ok else 503
    return Readiness(ok=ok, temporal=temporal, postgres=postgres, s3=s3)


async def _part(check: Awaitable[None]) -> Part:
    try:
        await asyncio.wait_for(check, timeout=5)
    except StudioError as error:
        return Part(ok=False, why=error.message)
    except TimeoutError:
        return Part(ok=False, why="no answer within 5 s")
    return Part(ok=True)
