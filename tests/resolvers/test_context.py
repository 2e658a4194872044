"""What one operation carries from field to field."""

import asyncio
import time

import pytest

from ports.caller import Call
from ports.catalog import ProductQuery
from resolvers.context import Context, Fresh, Ports, TooLateError
from tests.resolvers.shop import OURS, Shop


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


async def test_single_questions_that_come_together_are_asked_at_the_same_time() -> None:
    """Each once, and one that fails costs the others nothing."""
    found = context()
    found.ports = Shop().ports()

    answers = await asyncio.gather(
        *(found.once("catalog", "count", ProductQuery(category=one)) for one in ("a", "b", "a"))
    )
    await found.aclose()

    assert answers[0] == answers[2]
    assert len(answers) == 3


async def test_what_was_asked_is_told_of_all_terms() -> None:
    found = context()
    found.ports, found.fresh = Shop().ports(), {("p",): Fresh(3)}

    await found.loader("catalog", "products").one("BOLT")
    await found.at(("p",)).loader("catalog", "products").one("NUT")

    assert set(found.asked("catalog", "products")) == {"BOLT", "NUT"}
    assert sorted(found.asked_for("catalog", "products")) == ["BOLT", "NUT"]
    await found.aclose()
