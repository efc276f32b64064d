"""An artist's debut: all that is decided before it has a voice, and what is needed to give it one."""

from models.approval import Principal
from models.artifacts import Artifact
from models.artist import Equipment, Pacing
from models.base import Contract, Slug
from models.birth import Draft
from models.identity import Identity
from models.lifecycle import LifePolicy


class DebutRequest(Contract):
    """An artist to be born."""

    tenant: Slug = "house"
    artist: Slug
    created_by: Principal
    draft: Draft
    policy: LifePolicy = LifePolicy()
    pacing: Pacing = Pacing()
    autopilot: bool = False
    equipment: Equipment


class VoiceQuery(Contract):
    """Which voices does this house have?"""

    tenant: Slug


class HouseVoices(Contract):
    """JSON :class:`~models.song_stages.VoicePrints`."""

    prints: Artifact


class ArtistToEnter(Contract):
    """An artist with a voice (``print``: JSON :class:`~models.song_stages.VoicePrint`), to be known from now on."""

    tenant: Slug
    identity: Identity
    print: Artifact


class Entered(Contract):
    """Whether the artist is known now. It is not when another voice as near came first: then another is cast."""

    entered: bool


class DebutProgress(Contract):
    """Where a debut stands."""

    detail: str
    identity: Identity | None = None
