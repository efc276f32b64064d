"""What can go wrong, who has to act, and whether trying again helps.

StudioError
├── InvalidInput            the request is wrong; its sender mends it
│   ├── ScriptRejected      a script that cannot be spoken as written
│   ├── MediaRejected       an upload that is not what it must be
│   ├── TooLarge            more bytes than are taken
│   └── UnknownReference    a name or id that does not exist
├── Conflict                the request is fine, the state is not (decided already, key reused, stale bytes)
├── Unauthenticated         nobody knows who is calling
├── Forbidden               the caller may not do this
├── EngineUnavailable       a program, weight or key the plan needs is absent; the operator supplies it
├── EngineFailed            an engine ran and gave no usable result
├── StageStalled            no unit of work was finished within the stage's no-progress budget
├── StorageUnavailable      database or object store out of reach
├── TemporalUnavailable     the Temporal frontend, or every worker of the studio lane, out of reach
├── StorageFull             no space left where results are written
├── ArtifactLost            bytes that a result refers to are gone or changed
└── ProviderFault           somebody else's service failed
    └── QuotaSpent          it gives no more today

Every error crosses Temporal as ``ApplicationError`` with a :class:`FailureDetails`; ``activities.support.errors`` is
the only place that translates.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from models.base import Contract


class Audience(StrEnum):
    """Who has to act before the work can go on."""

    REQUESTER = "requester"
    OPERATOR = "operator"
    NOBODY = "nobody"
    """A passing fault: the studio tries again by itself."""


class FailureDetails(Contract):
    """A failure a person can act on: what, where, who, and the next step."""

    code: Annotated[str, Field(max_length=80)]
    message: Annotated[str, Field(max_length=1_000)]
    field: Annotated[str, Field(max_length=200)] = ""
    audience: Audience
    action: Annotated[str, Field(max_length=500)]
    retryable: bool
    status: Annotated[int, Field(ge=400, le=599)] = 500
    """Its HTTP status, so that an error which crossed Temporal is the same over REST as one that did not."""


class StudioError(Exception):
    """Base of all typed errors. Subclasses set the class attributes; instances may narrow ``code`` and ``action``."""

    code: str = "studio.error"
    status: ClassVar[int] = 500
    retryable: bool = False
    audience: Audience = Audience.OPERATOR
    action: str = "Look at the worker's log for this render and report it."

    def __init__(self, message: str, *, field: str = "", code: str | None = None, action: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or type(self).code
        self.action = action or type(self).action

    def details(self) -> FailureDetails:
        """The wire form, clipped to the contract's bounds."""
        return FailureDetails(
            code=self.code[:80],
            message=self.message[:1_000],
            field=self.field[:200],
            audience=self.audience,
            action=self.action[:500],
            retryable=self.retryable,
            status=self.status,
        )


class InvalidInput(StudioError):
    """The request is wrong. ``field`` names the part."""

    code = "input.invalid"
    status = 422
    audience = Audience.REQUESTER
    action = "Correct the named field and send the request again."


class ScriptRejected(InvalidInput):
    """The script cannot be spoken as written."""

    code = "script.rejected"
    action = "Change the script at the named place."


class MediaRejected(InvalidInput):
    """An uploaded or referenced file is not what it has to be."""

    code = "media.rejected"
    action = "Supply another file."


class TooLarge(InvalidInput):
    """More bytes than are taken."""

    code = "input.too_large"
    status = 413
    action = "Send less."


class UnknownReference(InvalidInput):
    """A name or id does not exist."""

    code = "reference.unknown"
    status = 404
    action = "List what exists and use one of those."


class Conflict(StudioError):
    """The state of the thing forbids the request."""

    code = "state.conflict"
    status = 409
    audience = Audience.REQUESTER
    action = "Read the current state and decide again."


class Unauthenticated(StudioError):
    """The token is absent, expired, or not one of ours."""

    code = "access.unauthenticated"
    status = 401
    audience = Audience.REQUESTER
    action = "Send a valid token as 'Authorization: Bearer ...'."


class Forbidden(StudioError):
    """The caller is known and may not do this."""

    code = "access.forbidden"
    status = 403
    audience = Audience.REQUESTER
    action = "Ask an administrator for the role."


class EngineUnavailable(StudioError):
    """Something an engine needs is absent: a program, a weight, a key. ``field`` is the setting that supplies it."""

    code = "engine.unavailable"
    status = 503
    action = "Supply what is named, then resume the render."


class EngineFailed(StudioError):
    """An engine ran and gave nothing usable."""

    code = "engine.failed"
    status = 502


class StageStalled(StudioError):
    """No unit of work finished in time: the attempt is given up and made again elsewhere."""

    code = "stage.stalled"
    retryable = True
    audience = Audience.NOBODY
    action = "Nothing: it is tried again. If it repeats, look at the worker's load."


class StorageUnavailable(StudioError):
    """Database or object store out of reach."""

    code = "storage.unavailable"
    status = 503
    retryable = True
    audience = Audience.NOBODY
    action = "Nothing: it is tried again. If it lasts, the operator checks the named server."


class TemporalUnavailable(StudioError):
    """The Temporal frontend does not answer, or no worker of the studio lane does."""

    code = "temporal.unavailable"
    status = 503
    retryable = True
    audience = Audience.NOBODY
    action = "Send the request again in a moment. If it lasts, the operator checks Temporal and the studio worker."


class StorageFull(StudioError):
    """No space left. Not retried: an operator frees space and resumes."""

    code = "storage.full"
    status = 507
    action = "Free space on the named volume, then resume the render."


class ArtifactLost(StudioError):
    """The object store does not hold what an artifact promises."""

    code = "storage.artifact_lost"
    action = "Resume the render: what is missing is made again."


class ProviderFault(StudioError):
    """Somebody else's service failed in a way that may pass."""

    code = "provider.fault"
    status = 502
    retryable = True
    audience = Audience.NOBODY
    action = "Nothing: it is tried again."


class QuotaSpent(ProviderFault):
    """What the service gives in a day is used up: asking again soon would only be refused again."""

    code = "provider.quota"
    retryable = False
    audience = Audience.OPERATOR
    action = "Nothing: it is tried again in a day. To go on sooner, have the quota raised and resume."


PROVIDER_RESTS = "provider.resting"
"""The code of a provider that is left alone for a while: asking it again at once is no use."""
