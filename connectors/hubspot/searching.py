"""A search of the gateway as HubSpot's search takes it, and the positions of its pages."""

import re
from collections.abc import Mapping, Sequence

from ports.common import PageRequest
from ports.errors import BadInputError

# HubSpot's own bounds: records that a search reaches, filters of one group.
MOST_REACHABLE = 10_000
_MOST_WORDS = 5
_MOST_CHARACTERS = 200


def is_number(text: str) -> bool:
    """Whether this can be a customer number at all: HubSpot refuses a batch for one that cannot."""
    return bool(text.strip()) and len(text) <= _MOST_CHARACTERS and text.isprintable()


def is_text(text: str | None) -> bool:
    """Whether this can be searched for: halves of characters cannot be sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text or "")


def position(page: PageRequest) -> int:
    """How many records lie before the page. Raises BadInputError."""
    if page.after is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,5}", page.after):
        raise BadInputError("The cursor is not one that this listing gave.")
    start = int(page.after)
    if start >= MOST_REACHABLE:
        raise BadInputError(
            f"The CRM lists {MOST_REACHABLE} companies of a search and no more; "
            "search for something narrower."
        )
    return start


def question(
    number_property: str,
    properties: Sequence[str],
    text: str | None,
    numbers: tuple[str, ...] | None,
    page: PageRequest,
) -> dict[str, object]:
    """The body of the search. Raises BadInputError for a cursor that cannot be meant."""
    start = position(page)
    body: dict[str, object] = {
        "filterGroups": _groups(number_property, text, numbers),
        "sorts": [{"propertyName": "name", "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": min(page.first, MOST_REACHABLE - start),
    }
    if start:
        body["after"] = str(start)
    return body


def _groups(
    number_property: str, text: str | None, numbers: tuple[str, ...] | None
) -> list[Mapping[str, object]]:
    """Any of the groups must hold, and of it all filters.

    Companies without a number are no customers. HubSpot wants the values of IN in lower case.
    """
    among: dict[str, object] = {"propertyName": number_property, "operator": "HAS_PROPERTY"}
    if numbers is not None:
        values = [number.lower() for number in numbers]
        among = {"propertyName": number_property, "operator": "IN", "values": values}
    wanted = (text or "").strip()[:_MOST_CHARACTERS]
    if not wanted:
        return [{"filters": [among]}]
    words = re.findall(r"\w+", wanted)[:_MOST_WORDS]
    groups = [[among, _filter(number_property, "EQ", wanted)]]
    if words:
        groups.append([among, *(_filter("name", "CONTAINS_TOKEN", f"{word}*") for word in words)])
    if len(words) == 1:
        groups.append([among, _filter(number_property, "CONTAINS_TOKEN", f"{words[0]}*")])
    return [{"filters": filters} for filters in groups]


def _filter(name: str, operator: str, value: str) -> dict[str, object]:
    return {"propertyName": name, "operator": operator, "value": value}
