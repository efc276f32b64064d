"""Named execution policies: how long, how often, where. Values only; a change of value never breaks a replay.

``heartbeat_timeout`` finds a dead worker; the stage's own no-progress budget finds a stall; ``start_to_close`` is the
backstop that nobody tunes.
"""

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

from models.errors import PROVIDER_RESTS
from models.lanes import Lane
from models.lanes import Priority as Urgency
from models.plan import EngineRef


def stage(
    engine: EngineRef, tenant: str, summary: str, priority: Urgency = Urgency.NORMAL, *, attempts: int = 0
) -> ActivityConfig:
    """A stage on its engine's lane, by its priority, fair between tenants. ``attempts`` are as many as are made before
    another engine is asked; 0: for as long as it takes."""
    return ActivityConfig(
        task_queue=engine.lane.value,
        summary=summary[:200],
        start_to_close_timeout=timedelta(hours=12),
        heartbeat_timeout=timedelta(seconds=15),
        # Which failures are worth another attempt is decided where errors are translated; here is only the pace.
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1),
            maximum_interval=timedelta(seconds=30),
            maximum_attempts=attempts,
            # Where there is another engine, nobody waits for this one's rest to end.
            non_retryable_error_types=[PROVIDER_RESTS] if attempts else None,
        ),
        # What is cancelled is over when its engines have stopped, not before.
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        priority=Priority(priority_key=int(priority), fairness_key=tenant),
    )


def upkeep(summary: str) -> ActivityConfig:
    """Records on the io lane: retried for as long as the database is away."""
    return ActivityConfig(
        task_queue=Lane.IO.value,
        summary=summary[:200],
        start_to_close_timeout=timedelta(minutes=5),
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=20)),
    )


def publishing(summary: str) -> ActivityConfig:
    """A release on its way to or from a publisher, on the io lane: tried again for as long as that is away."""
    return ActivityConfig(
        task_queue=Lane.IO.value,
        summary=summary[:200],
        start_to_close_timeout=timedelta(hours=12),
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
        # Only when nothing is sent any more is it certain whether there is something to take back.
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def knowledge(summary: str) -> ActivityConfig:
    """The house's memory: asked for as long as it is away."""
    config = upkeep(summary)
    config["task_queue"] = Lane.KNOWLEDGE.value
    return config


TAKE_BACK = timedelta(days=1)
"""How long a question that is closed is tried to be taken back from reviewers. After that its buttons go when they are
pressed: the bot answers that the question is closed."""


def message(summary: str, give_up_after: timedelta | None = None) -> ActivityConfig:
    """A message to people, on the io lane: tried again for as long as the messenger is away."""
    return ActivityConfig(
        task_queue=Lane.IO.value,
        summary=summary[:200],
        schedule_to_close_timeout=give_up_after,
        # Uploads of films to many reviewers take their time; the beat says that somebody is at it.
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
        # Only when no message can go out any more is it certain what there is to take back.
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
