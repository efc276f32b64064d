"""The one place where errors become Temporal failures and back.

Passing faults (store, provider, stall) are retried for as long as they last; an engine's failure or an unforeseen
exception a few times; everything else at once becomes a failure that names who has to act.
"""

import errno
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from models.errors import Audience, FailureDetails, StorageFull, StudioError

ATTEMPTS = 3
"""How often an unforeseen failure is tried before it waits for a person."""


def to_failure(error: StudioError) -> ApplicationError:
    """``error`` as Temporal carries it: type is its code, the only detail its :class:`FailureDetails`."""
    return ApplicationError(
        error.message, error.details().model_dump(mode="json"), type=error.code, non_retryable=not error.retryable
    )


def from_failure(failure: BaseException) -> FailureDetails:
    """What a person can act on, out of any failure: the first application error in its chain of causes."""
    found: BaseException | None = failure
    while found is not None:
        if isinstance(found, ApplicationError) and found.details:
            return FailureDetails.model_validate(found.details[0])
        if found.__cause__ is None:
            break
        found = found.__cause__
    return StudioError(str(found) or type(found).__name__).details()


class ErrorTranslation(Interceptor):
    """Wraps every activity of a worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - temporalio calls it by this name
        """See temporalio."""
        return _Translate(next)


class _Translate(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as above
        try:
            return await super().execute_activity(input)
        except FailureError:
            raise
        except StudioError as error:
            raise to_failure(error) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                full = StorageFull(f"no space left: {error.filename or 'scratch space'}")
                raise to_failure(full) from error
            raise _unforeseen(error) from error
        except Exception as error:
            raise _unforeseen(error) from error


def _unforeseen(error: Exception) -> ApplicationError:
    details = FailureDetails(
        code="studio.unforeseen",
        message=f"{type(error).__name__}: {error}"[:1_000],
        audience=Audience.OPERATOR,
        action="Look at the worker's log at this time, mend the cause, then resume the render.",
        retryable=activity.info().attempt < ATTEMPTS,
    )
    return ApplicationError(
        details.message, details.model_dump(mode="json"), type=details.code, non_retryable=not details.retryable
    )
