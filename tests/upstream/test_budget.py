"""How often and how soon an upstream is tried again."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ports.errors import ThrottledError, TransientError, UnavailableError
from upstream.budget import RetryBudget, pause
from upstream.limits import QueueFullError, QueueTimedOutError


def error(kind: type[TransientError], retry_after: float | None = None) -> TransientError:
    return kind(system="ERP", upstream="erp", operation="o", retry_after=retry_after)


def spent(budget: RetryBudget, calls: Iterable[int]) -> list[tuple[int, int]]:
    """Calls and tries again so far, after each call that would be tried again so often."""
    far, again = [], 0
    for called, wishes in enumerate(calls, 1):
        budget.called()
        again += sum(budget.spend() for _ in range(wishes))
        far.append((called, again))
    return far


@given(st.lists(st.integers(0, 4), max_size=600), st.integers(1, 5))
def test_the_reserve_is_lent_and_paid_back(wishes: list[int], reserve: int) -> None:
    for calls, again in spent(RetryBudget(0.1, reserve), wishes):
        assert again <= max(reserve + calls * 0.09, calls / 10)
        assert calls < reserve * 100 or again <= calls / 10


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_good_time_saves_up_no_more_than_the_reserve(good: int, bad: int) -> None:
    budget = RetryBudget(0.1, 10)
    spent(budget, [0] * good)
    _, again = spent(budget, [4] * bad)[-1]
    assert again <= 10 + bad / 10


def test_with_everything_down_a_tenth_more_is_asked() -> None:
    assert spent(RetryBudget(), [2] * 1000)[-1] == (1000, 99)


def test_one_failure_in_twenty_is_always_tried_again() -> None:
    wishes = [int(number % 20 == 0) for number in range(2000)]
    assert spent(RetryBudget(), wishes)[-1] == (2000, 100)


def test_an_unlucky_hundred_calls_after_the_start_find_their_tries() -> None:
    wishes = [int(number % 7 == 0) for number in range(100)]
    assert spent(RetryBudget(), wishes)[-1] == (100, 15)


def test_pauses_double_and_are_spread_over_all_of_it() -> None:
    limits = [pause(error(UnavailableError), tried, lambda _, most: most) for tried in range(1, 9)]
    assert limits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert pause(error(UnavailableError), 3, lambda least, _: least) == 0.0


def test_a_wish_for_a_pause_is_kept_to() -> None:
    assert pause(error(ThrottledError, 3.0), 1, lambda least, _: least) == 3.0
    assert pause(error(ThrottledError, 3.0), 1, lambda _, most: most) == 3.1


@pytest.mark.parametrize("kind", [QueueFullError, QueueTimedOutError])
def test_who_did_not_get_in_does_not_queue_again(kind: type[TransientError]) -> None:
    assert pause(error(kind), 1) is None
