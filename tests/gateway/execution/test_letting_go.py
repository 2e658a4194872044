"""Errors that were told hold nothing any more."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from graphql import GraphQLError

from gateway.execution.letting_go import let_go


class Held:
    pass


def failed() -> tuple[Exception, weakref.ref[Held]]:
    """An error whose frame has it, and something else, in its hands."""
    held, kept = Held(), []
    try:
        int("x")
    except ValueError as error:
        kept.append(error)
    return kept[0], weakref.ref(held)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_what_its_frames_held_is_free_at_once() -> None:
    error, held = failed()
    assert held() is not None

    let_go(error)
    del error

    assert held() is None


def test_so_it_is_with_all_that_it_was_raised_over() -> None:
    cause, context, original, grouped = (failed()[0] for _ in range(4))
    top = GraphQLError("x", original_error=original)
    top.__cause__, top.__context__ = cause, context
    context.__context__ = ExceptionGroup("x", [grouped])
    cause.__cause__ = top  # a circle

    let_go(top)

    assert [one.__traceback__ for one in (cause, context, original, grouped)] == [None] * 4
