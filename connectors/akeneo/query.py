"""A shop's question for products in the PIM's search grammar.

The grammar joins criteria by AND alone, so a text is looked for in one place at a time. Several
words: each must stand in the name. One word: in the name, in the identifier, and as GTIN if it can
be one; what looks like an article number (a digit, a dash) in these first. `searches` gives the
attempts; the first that finds anything counts.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.akeneo.client import is_text, sendable
from connectors.akeneo.filters import Criteria, Place, attribute_criteria
from connectors.akeneo.structure import Structure, Tree
from ports.catalog import AttributeFilter, ProductQuery
from ports.errors import BadInputError

# Limits of the PIM's search: criteria of one search, identifiers in one list.
_MOST_CRITERIA = 20
_MOST_SKUS = 100
_MOST_WORDS = 8
_NUMBER = re.compile(r"[\d_/.-]")
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
SELECTS = frozenset({"pim_catalog_simpleselect", "pim_catalog_multiselect"})
TEXTS = frozenset({"pim_catalog_text", "pim_catalog_textarea", "pim_catalog_identifier"})


def filtered_selects(query: ProductQuery, structure: Structure, brand: str | None) -> set[str]:
    """The select attributes whose options must be known before the question can be put."""
    codes = {condition.code for condition in query.attributes}
    if query.brands is not None and brand:
        codes.add(brand)
    known = structure.attributes
    return {code for code in codes if code in known and known[code].type in SELECTS}


def searches(query: ProductQuery, place: Place, tree: Tree | None) -> tuple[Criteria, ...]:
    """Attempts in order, none when nothing can match. Raises BadInputError."""
    _check(query)
    fixed = [*_conditions(query, place), *_brands(query.brands, place)]
    for condition in query.attributes:
        fixed.extend(_attribute(condition, place))
    category = _category(query, tree)
    if category is None or any(criterion is None for _, criterion in fixed):
        return ()
    found = [(code, criterion) for code, criterion in (*fixed, *category) if criterion]
    attempts = _texts(query.search, place)
    return tuple(_joined((*found, *attempt)) for attempt in attempts)


Condition = tuple[str, dict[str, object] | None]
"A property and what it must be; None: a thing that no product can be."


def _check(query: ProductQuery) -> None:
    if query.skus is not None and len(query.skus) > _MOST_SKUS:
        raise BadInputError(f"A filter takes at most {_MOST_SKUS} skus.")


def _conditions(query: ProductQuery, place: Place) -> Iterable[Condition]:
    if query.enabled is not None:
        yield "enabled", {"operator": "=", "value": query.enabled}
    if query.updated_since is not None:
        since = _since(query.updated_since, place.config.time_zone)
        yield "updated", {"operator": ">", "value": since}
    if query.skus is not None:
        skus = sendable(query.skus)
        criterion: dict[str, object] = {"operator": "IN", "value": skus}
        yield place.config.identifier_attribute, criterion if skus else None


def _since(moment: datetime, time_zone: str) -> str:
    """The second before, since the PIM only knows `later than`, in the zone of its clock."""
    try:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        whole = aware.replace(microsecond=0)
        before = whole if aware.microsecond else whole - timedelta(seconds=1)
        local = before.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    except (OverflowError, ValueError) as far:
        raise BadInputError("updatedSince is not a moment that the PIM can know.") from far
    return local.isoformat(sep=" ", timespec="seconds")


def _category(query: ProductQuery, tree: Tree | None) -> list[Condition] | None:
    """None when the category is none of the shop's."""
    if query.category is None:
        return []
    if tree is None or query.category not in tree.categories:
        return None
    operator = "IN CHILDREN" if query.include_subcategories else "IN"
    return [("categories", {"operator": operator, "value": [query.category]})]


def _brands(brands: Sequence[str] | None, place: Place) -> list[Condition]:
    code = place.config.brand_attribute
    if brands is None:
        return []
    if code is None or code not in place.structure.attributes:
        raise BadInputError("Products cannot be filtered by brand: the PIM has no brand attribute.")
    return _attribute(AttributeFilter(code, one_of=tuple(brands)), place)


def _attribute(condition: AttributeFilter, place: Place) -> list[Condition]:
    attribute = place.structure.attributes.get(condition.code)
    if attribute is None:
        raise BadInputError(f"There is no attribute {condition.code!r}.")
    pairs = attribute_criteria(condition, attribute, place)
    return [(attribute.code, place.criterion(attribute, *pair) if pair else None) for pair in pairs]


def _texts(text: str | None, place: Place) -> list[list[Condition]]:
    words = (text or "").split()
    if not words or not is_text(text or ""):
        return [] if words else [[]]
    config, attributes = place.config, place.structure.attributes
    named: list[list[Condition]] = []
    name = attributes.get(config.name_attribute)
    if name and name.type in TEXTS:
        criteria = [place.criterion(name, "CONTAINS", word) for word in words[:_MOST_WORDS]]
        named.append([(name.code, criterion) for criterion in criteria])
    if len(words) > 1 and named:
        return named
    word = " ".join(words)
    numbered: list[list[Condition]] = [
        [(config.identifier_attribute, {"operator": "CONTAINS", "value": word})]
    ]
    gtin = attributes.get(config.gtin_attribute or "")
    if gtin and gtin.type in TEXTS and _is_gtin(word):
        numbered.append([(gtin.code, place.criterion(gtin, "=", word))])
    return [*numbered, *named] if _NUMBER.search(word) else [*named, *numbered]


def _is_gtin(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) in _GTIN_LENGTHS


def _joined(conditions: Sequence[Condition]) -> Criteria:
    if len(conditions) > _MOST_CRITERIA:
        raise BadInputError(f"The PIM takes at most {_MOST_CRITERIA} conditions in one search.")
    joined: dict[str, list[dict[str, object]]] = {}
    for code, criterion in conditions:
        if criterion is not None:
            joined.setdefault(code, []).append(criterion)
    return joined
