"""What is noted of an operation while it runs, and for whom its answer is."""

from typing import Any

import pytest
from graphql import parse

from gateway.execution.audience import Audience, audience
from gateway.execution.provenance import NotedContext, Provenance, mentioned
from ports.caller import Call, Caller, CallerKind
from ports.errors import ForbiddenError
from resolvers.context import Ports
from upstream.uses import Use

JO = Caller("jo", CallerKind.USER, "A", frozenset({"A"}), frozenset({"catalog:read"}))


def context(caller: Caller = JO) -> NotedContext:
    return NotedContext(Call(caller, "en", 0.0), Ports(), lambda code: code, list)


def public(**changes: Any) -> Provenance:
    """Of an operation that looked at nothing of its caller."""
    made = Provenance(scopes={"catalog:read"})
    made.note(Use("pim", "catalog.products", ("language",), live=1))
    for name, value in changes.items():
        setattr(made, name, value)
    return made


class Read:
    """Stands for an operation that ran."""

    def __init__(self, text: str) -> None:
        self.document = self
        self.node = parse(text)


@pytest.fixture
def made() -> Provenance:
    return public(operation=Read("{ product { name } }"))


def test_who_looks_at_the_caller_makes_the_answer_its_own() -> None:
    ctx = context()
    ctx.require("catalog:read")
    assert (ctx.made.is_personal, ctx.made.scopes) == (False, {"catalog:read"})

    assert ctx.caller is JO
    assert ctx.made.is_personal


def test_what_is_refused_is_the_callers_own() -> None:
    ctx = context()
    with pytest.raises(ForbiddenError):
        ctx.require("stock:read")

    assert ctx.made.is_personal


def test_single_fields_are_noted_with_the_operation() -> None:
    ctx = context()
    ctx.fresh = {("a",): _fresh()}
    inner = ctx.at(("a", "b"))
    inner.require("catalog:read")

    assert inner is not ctx
    assert isinstance(inner, NotedContext)
    assert inner.made is ctx.made


def _fresh() -> Any:
    from resolvers.context import Fresh

    return Fresh(0)


def test_what_is_the_same_for_all_is_for_all_with_its_scopes(made: Provenance) -> None:
    assert audience(made, JO) == Audience(None, frozenset({"catalog:read"}))


@pytest.mark.parametrize(
    "more",
    [
        Use("erp", "orders.orders", (), live=1),
        Use("erp", "tracking.track", ("language",), live=1),
        Use("erp", "stock.availability", ("customer",), live=1),
        Use("erp", "stock.availability", ("language", "caller"), live=1),
        Use("erp", "unheard.of", (), live=1),
        "no use at all",
    ],
    ids=str,
)
def test_one_part_that_is_not_public_makes_it_private(made: Provenance, more: object) -> None:
    made.note(more)

    assert audience(made, JO) == Audience(JO)


@pytest.mark.parametrize(
    "changes",
    [{"is_personal": True}, {"scopes": {"orders:read"}}, {"operation": None}],
    ids=str,
)
def test_what_is_not_known_to_be_public_is_private(
    made: Provenance, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        setattr(made, name, value)

    assert audience(made, JO) == Audience(JO)


def test_acting_for_a_company_is_private(made: Provenance) -> None:
    made.operation = Read('query @inContext(customer: "A") { product { name } }')  # type: ignore[assignment]
    assert audience(made, JO) == Audience(JO)
    made.operation = Read('query @inContext(language: "fr") { product { name } }')  # type: ignore[assignment]
    assert audience(made, JO).caller is None


def test_names_of_all_parts_of_a_document_are_seen() -> None:
    document = parse("""query($l: Boolean!) { a { ...F ... on X { b: c @include(if: $l) } } }
        fragment F on X { d { age } }""")

    assert mentioned(document) == {"a", "c", "d", "age", "@include(if)"}
