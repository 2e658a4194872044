"""What one operation carries from field to field."""

import time

import pytest

from ports.caller import Call
from resolvers.context import Context, Fresh, Ports, TooLateError
from tests.resolvers.shop import OURS


def context(seconds: float = 5) -> Context:
    return Context(Call(OURS, "en", time.monotonic() + seconds), Ports(), str, list)


def test_work_past_the_deadline_is_given_up() -> None:
    context(5).in_time()

    with pytest.raises(TooLateError):
        context(-5).in_time()


def test_a_field_has_the_terms_of_the_nearest_field_around_it_that_has_any() -> None:
    plain, told = context(), context()
    told.fresh = {("a",): Fresh(9), ("a", "b", "c"): Fresh(3, 1)}

    assert plain.at(("a", "b")) is plain
    assert told.at(("z", "b")) is told
    assert told.at(("a", "b")).call.max_age == 9
    deep = told.at(("a", "b", "c", "d")).call
    assert (deep.max_age, deep.stale_if_error) == (3, 1)
