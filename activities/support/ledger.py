"""What stages and records need from the tables, as Protocols: ``models.store`` implements them, workers wire them in.
Kept apart so that activities never import a table."""

from datetime import timedelta
from typing import Any, Protocol

from models.approval import Question, QuestionState, Verdict
from models.plan import EngineRef
from models.render import RenderProgress
from models.stages import Claim
from models.upkeep import AssetOutcome, VoiceOutcome

__all__ = ["AssetRecords", "Claim", "EngineRegistry", "Notices", "RenderRecords", "StageLedger", "VoiceRecords"]


class StageLedger(Protocol):
    """The stage cache's table. One owner makes a key at a time; a lease that is not renewed can be taken over."""

    async def claim_stage(self, key: str, stage: str, engine: EngineRef, owner: str, lease: timedelta) -> Claim:
        """Return the finished result, or grant a lease to ``owner`` if nobody holds a live one, atomically."""
        ...

    async def renew_stage(self, key: str, owner: str, lease: timedelta) -> bool:
        """Extend the lease. False when it was lost to another owner."""
        ...

    async def finish_stage(
        self,
        key: str,
        owner: str,
        result: dict[str, Any],
        *,
        seconds: float,
        cpu_seconds: float,
        size: int,
        device: str,
    ) -> dict[str, Any]:
        """Store the result unless one is stored already; return the one that stands (the first wins)."""
        ...

    async def release_stage(self, key: str, owner: str) -> None:
        """Give the lease back unfinished. Never touches a finished result or somebody else's lease."""
        ...

    async def forget_stage(self, key: str) -> None:
        """Drop a finished result whose bytes are gone from the object store."""
        ...


class RenderRecords(Protocol):
    """The projection of renders, for lists and for people. Idempotent; an older snapshot than the stored is ignored."""

    async def project(self, progress: RenderProgress, sequence: int) -> None:
        """Store where a render stands. ``sequence`` grows by one with each snapshot of a render."""
        ...

    async def put_question(self, question: Question, state: QuestionState, verdicts: tuple[Verdict, ...]) -> None:
        """Store a question, its state and the verdicts so far (once per verdict id)."""
        ...


class VoiceRecords(Protocol):
    """Voices that are being learnt."""

    async def settle_voice(self, outcome: VoiceOutcome) -> None:
        """Store how an enrolment ended, unless the voice was replaced meanwhile. Idempotent."""
        ...


class AssetRecords(Protocol):
    """Uploads that are being inspected."""

    async def settle_asset(self, outcome: AssetOutcome) -> None:
        """Store how an inspection ended, unless one ended before. Idempotent."""
        ...


class Notices(Protocol):
    """Which messages went out, so that a retry does not send them again."""

    async def notice(self, question_id: str, channel: str) -> str | None:
        """The message id sent for that question to that channel (e.g. ``telegram:123``), or None."""
        ...

    async def put_notice(self, question_id: str, channel: str, message_id: str) -> None:
        """Remember a sent message."""
        ...


class EngineRegistry(Protocol):
    """What running workers announce."""

    async def announce(self, worker: str, engines: tuple[EngineRef, ...]) -> None:
        """Say that ``worker`` (lane and host) serves these engines with these weights."""
        ...
