"""Federation's entities: representations of one type, resolved together by any of its keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from ports.errors import BadInputError
from resolvers import node, shipment
from resolvers.context import Context
from resolvers.ids import key_of
from resolvers.loading import Found
from resolvers.together import together

MOST_REPRESENTATIONS = 1000

NATURAL_KEYS: Mapping[str, str] = {
    "Product": "sku",
    "Category": "code",
    "Customer": "number",
    "Order": "number",
    "Invoice": "number",
    "Return": "number",
    "Shipment": "trackingNumber",
}
"""The key field of each entity beside `id`."""


async def entities(
    representations: Sequence[Mapping[str, Any]], *, ctx: Context
) -> list[Found[Any]]:
    """A value per representation, in order; unknown keys give None.

    One port call per type, all types at the same time. Raises BadInputError for too many of them,
    for an unknown type, or for one without a key.
    """
    if len(representations) > MOST_REPRESENTATIONS:
        raise BadInputError(f"At most {MOST_REPRESENTATIONS} representations can be resolved.")
    places: dict[str, list[int]] = {}
    for place, one in enumerate(representations):
        places.setdefault(str(one.get("__typename")), []).append(place)
    # All are read before any system is asked.
    keys = [_keys(kind, [representations[at] for at in them]) for kind, them in places.items()]
    answers = await together(
        [_of_kind(kind, told, ctx) for kind, told in zip(places, keys, strict=True)]
    )
    found: list[Found[Any]] = [None] * len(representations)
    for them, values in zip(places.values(), answers, strict=True):
        for place, value in zip(them, values, strict=True):
            found[place] = value
    return found


_Keys = tuple[Sequence[str | None], Sequence[str | None]]
"""Of each representation its natural key, else what its id says."""


def _keys(kind: str, representations: Sequence[Mapping[str, Any]]) -> _Keys:
    if kind not in NATURAL_KEYS:
        raise BadInputError("A representation names a type that is no entity here.")
    name = NATURAL_KEYS[kind]
    natural = [_text(one.get(name)) for one in representations]
    by_id = [
        None if key else _from_id(kind, one)
        for key, one in zip(natural, representations, strict=True)
    ]
    return natural, by_id


async def _of_kind(kind: str, keys: _Keys, ctx: Context) -> list[Found[Any]]:
    natural, ids = keys
    if kind != "Shipment":
        either = [key or other for key, other in zip(natural, ids, strict=True)]
        return await node.by_kind(kind, either, ctx=ctx)
    by_number = await shipment.by_tracking_number(natural, ctx=ctx)
    by_id = await node.by_kind(kind, ids, ctx=ctx)
    return [
        first if first is not None else second
        for first, second in zip(by_number, by_id, strict=True)
    ]


def _from_id(kind: str, representation: Mapping[str, Any]) -> str | None:
    """None for an id that cannot be ours: an unknown key, as Federation sees it."""
    if (text := _text(representation.get("id"))) is None:
        raise BadInputError(f"A representation of {kind} holds none of its keys.")
    try:
        return key_of(kind, text)
    except BadInputError:
        return None


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
