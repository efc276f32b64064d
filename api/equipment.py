"""What an artist's tracks are made with, as people choose it: engines by name, places by name, who decides."""

from typing import Annotated

from pydantic import Field

from api.planning import ApprovalChoices, approval_policy
from api.services import Services
from models.artist import Equipment
from models.base import Contract, Slug
from models.engines import check_delivery, resolve_track_plan
from models.identity import Delivery

Names = Annotated[tuple[Slug, ...], Field(max_length=4)]


class EquipmentChoices(Contract):
    """Engines and places. What is left out is the house's own."""

    music: Names = ()
    """Music engines in the order in which they are tried; the default ones without it."""
    lyrics: Names = ()
    """Lyrics engines in the order in which they are tried; the default one without it."""
    vocals: Slug | None = None
    """The vocal engine; the default one without it. ``elevenlabs`` needs ``delivery`` spoken."""
    footage: Names | None = None
    """Libraries of footage in the order in which they are asked; without it those the studio has a key for. With an
    empty list every picture is generated."""
    publishers: Names | None = None
    """Where releases go, all at once: ``store``, ``youtube``; the house's own without it. With an empty list they are
    kept and go nowhere."""
    approval: ApprovalChoices = ApprovalChoices()


async def equipment(studio: Services, tenant: str, choices: EquipmentChoices, delivery: Delivery) -> Equipment:
    """The equipment for ``choices``, and the words the house does not sing today.

    Raises UnknownReference for a name nobody has, InvalidInput where the vocal engine cannot deliver so.
    """
    settings = studio.settings
    footage = settings.engines.footage() if choices.footage is None else choices.footage
    publishers = settings.label.publishing() if choices.publishers is None else choices.publishers
    weights = await studio.store.weights()
    plan = resolve_track_plan(weights, choices.music, footage, publishers, lyrics=choices.lyrics, vocals=choices.vocals)
    check_delivery(plan, delivery)
    approval = await approval_policy(studio, tenant, choices.approval)
    return Equipment(plan=plan, approval=approval, banned=settings.label.banned_words())
