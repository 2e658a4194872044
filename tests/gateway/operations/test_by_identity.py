"""Results found again by which object they were made of."""

from graphql import DocumentNode, parse

from gateway.operations.by_identity import ByIdentity


def test_an_object_is_looked_at_once_and_an_equal_one_anew() -> None:
    seen: list[DocumentNode] = []
    first, second = parse("{ a }"), parse("{ a }")
    count: ByIdentity[DocumentNode, int] = ByIdentity(lambda one: _count(seen, one))

    found = [count(first), count(first), count(second)]

    assert found == [1, 1, 2]
    assert seen[0] is first
    assert seen[1] is second


def test_of_too_many_the_oldest_is_forgotten() -> None:
    made: list[DocumentNode] = []
    objects = [parse("{ a }") for _ in range(3)]
    count: ByIdentity[DocumentNode, int] = ByIdentity(lambda one: _count(made, one), kept=2)

    assert [count(one) for one in objects] == [1, 2, 3]
    assert count(objects[2]) == 3
    assert count(objects[0]) == 4


def _count(seen: list[DocumentNode], one: DocumentNode) -> int:
    seen.append(one)
    return len(seen)
