"""A provider that keeps failing is left alone, tried again by one, and asked as before once it answers."""

import threading

import pytest

from activities.support.provider import Rest
from models.errors import PROVIDER_RESTS, EngineUnavailable, InvalidInput, ProviderFault, StudioError

HOUR, NONE = 3600.0, 0.0


def fail(rest: Rest, error: StudioError | None = None) -> StudioError:
    with pytest.raises(StudioError) as caught, rest.job():
        raise error or ProviderFault("Elsewhere did not answer.", code="provider.timeout")
    return caught.value


def succeed(rest: Rest) -> None:
    with rest.job():
        pass


def test_after_so_many_failures_in_a_row_it_answers_at_once_that_it_rests_and_why() -> None:
    rest = Rest("Elsewhere", 3, HOUR)
    assert [fail(rest).code for _ in range(3)] == ["provider.timeout"] * 3
    with pytest.raises(ProviderFault) as caught, rest.job():
        raise AssertionError("it was asked")
    assert caught.value.code == PROVIDER_RESTS
    assert caught.value.retryable
    assert "rests until" in caught.value.message and "did not answer" in caught.value.message


def test_a_success_between_failures_begins_the_count_anew() -> None:
    rest = Rest("Elsewhere", 2, HOUR)
    for _ in range(3):
        fail(rest)
        succeed(rest)


@pytest.mark.parametrize(
    "error",
    [InvalidInput("too long"), EngineUnavailable("no key", field="KEY"), KeyError("ours")],
)
def test_what_is_wrong_with_us_is_not_held_against_it(error: Exception) -> None:
    rest = Rest("Elsewhere", 1, HOUR)
    for _ in range(3):
        with pytest.raises(type(error)), rest.job():
            raise error
    succeed(rest)


def test_nor_is_a_fault_that_another_attempt_would_repeat() -> None:
    rest = Rest("Elsewhere", 1, HOUR)
    lasting = ProviderFault("refused")
    lasting.retryable = False
    fail(rest, lasting)
    succeed(rest)


def test_after_its_rest_one_success_opens_it_to_everybody_and_one_failure_sends_it_back() -> None:
    rest = Rest("Elsewhere", 2, NONE)
    fail(rest), fail(rest)
    succeed(rest)
    fail(rest)
    succeed(rest)

    rest = Rest("Elsewhere", 2, NONE)
    fail(rest), fail(rest)
    fail(rest)
    assert rest.resting


def test_only_one_tries_it_after_its_rest() -> None:
    rest = Rest("Elsewhere", 1, NONE)
    fail(rest)
    inside, release = threading.Event(), threading.Event()

    def trial() -> None:
        with rest.job():
            inside.set()
            release.wait(10)

    trying = threading.Thread(target=trial)
    trying.start()
    assert inside.wait(10)
    with pytest.raises(ProviderFault, match="being tried") as caught, rest.job():
        raise AssertionError("two at once")
    assert caught.value.code == PROVIDER_RESTS
    release.set()
    trying.join()
    succeed(rest)


def test_a_trial_that_was_stopped_leaves_the_next_one_to_try() -> None:
    rest = Rest("Elsewhere", 1, NONE)
    fail(rest)
    with pytest.raises(KeyboardInterrupt), rest.job():
        raise KeyboardInterrupt
    succeed(rest)
    assert not rest.resting


def test_jobs_run_side_by_side() -> None:
    rest = Rest("Elsewhere", 1, HOUR)
    both = threading.Barrier(2, timeout=10)

    def job() -> None:
        with rest.job():
            both.wait()

    others = [threading.Thread(target=job) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert not both.broken
