"""Conditions on what every product has: status, family, categories, parent, dates, completeness."""

from collections.abc import Callable

from sandbox.akeneo import moments, settings
from sandbox.akeneo.answers import Refusal, unprocessable
from sandbox.akeneo.catalog import Catalog, Entity, completenesses, scores
from sandbox.akeneo.grammar import Condition, Predicate, negated

_Builder = Callable[[Condition, Catalog], Predicate]


def predicate(condition: Condition, catalog: Catalog) -> Predicate | None:
    """None: the condition's name is no property (so it must be an attribute)."""
    build = _PROPERTIES.get(condition.name)
    return build(condition, catalog) if build else None


def _existing(condition: Condition, codes: list[str], known: object, kind: str) -> list[str]:
    for code in codes:
        if code not in known:  # type: ignore[operator]
            raise _unknown(condition, kind, code)
    return codes


def _unknown(condition: Condition, kind: str, code: str) -> Refusal:
    return unprocessable(
        f'Property "{condition.name}" expects a valid {kind} code. The {kind} does not exist,'
        f' "{code}" given.'
    )


def _key(condition: Condition, _: Catalog) -> Predicate:
    if condition.operator not in {"IN", "NOT IN"}:
        raise condition.unsupported()
    wanted = frozenset(condition.strings())
    return negated(lambda row: row.key in wanted, when=condition.operator == "NOT IN")


def _enabled(condition: Condition, _: Catalog) -> Predicate:
    if condition.operator not in {"=", "!="}:
        raise condition.unsupported()
    wanted = condition.boolean() is (condition.operator == "=")
    return lambda row: row.enabled is wanted


def _family(condition: Condition, catalog: Catalog) -> Predicate:
    if condition.operator in {"EMPTY", "NOT EMPTY"}:
        return lambda row: bool(row.family) is (condition.operator == "NOT EMPTY")
    if condition.operator not in {"IN", "NOT IN"}:
        raise condition.unsupported()
    wanted = frozenset(_existing(condition, condition.strings(), catalog.families, "family"))
    return negated(lambda row: row.family in wanted, when=condition.operator == "NOT IN")


def _groups(condition: Condition, _: Catalog) -> Predicate:
    """This PIM has no groups."""
    if condition.operator in {"NOT EMPTY", "EMPTY"}:
        return lambda _: condition.operator == "EMPTY"
    if condition.operator not in {"IN", "NOT IN"}:
        raise condition.unsupported()
    raise _unknown(condition, "group", "".join(condition.strings()[:1]))


def _categories(condition: Condition, catalog: Catalog) -> Predicate:
    operator = condition.operator
    if operator == "UNCLASSIFIED":
        return lambda row: not row.categories
    codes = _existing(condition, condition.strings(), catalog.children, "category")
    if operator in {"IN CHILDREN", "NOT IN CHILDREN"}:
        wanted = catalog.descendants(codes)
    elif operator in {"IN", "NOT IN", "IN OR UNCLASSIFIED"}:
        wanted = set(codes)
    else:
        raise condition.unsupported()
    if operator == "IN OR UNCLASSIFIED":
        return lambda row: not row.categories or not wanted.isdisjoint(row.categories)
    outside = operator.startswith("NOT")
    return lambda row: wanted.isdisjoint(row.categories) is outside


def _parent(condition: Condition, catalog: Catalog) -> Predicate:
    operator = condition.operator
    if operator in {"EMPTY", "NOT EMPTY"}:
        return lambda row: (row.parent is None) is (operator == "EMPTY")
    known = catalog.models_by_code
    if operator == "=":
        code = condition.string()
        _existing(condition, [code], known, "product model")
        return lambda row: code in row.ancestors
    if operator == "IN":
        codes = frozenset(_existing(condition, condition.strings(), known, "product model"))
        return lambda row: row.parent in codes
    raise condition.unsupported()


def _dates(condition: Condition, catalog: Catalog) -> Predicate:
    holds = moments.predicate(condition, catalog.now)
    if condition.name == "created":
        return lambda row: holds(row.created)
    return lambda row: holds(row.updated)


_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": lambda held, wanted: held < wanted,
    "<=": lambda held, wanted: held <= wanted,
    "=": lambda held, wanted: held == wanted,
    "!=": lambda held, wanted: held != wanted,
    ">=": lambda held, wanted: held >= wanted,
    ">": lambda held, wanted: held > wanted,
}
_ALL_LOCALES = {
    "GREATER THAN ON ALL LOCALES": ">",
    "GREATER OR EQUALS THAN ON ALL LOCALES": ">=",
    "LOWER THAN ON ALL LOCALES": "<",
    "LOWER OR EQUALS THAN ON ALL LOCALES": "<=",
}


def _completeness(condition: Condition, _: Catalog) -> Predicate:
    if condition.scope not in settings.CHANNELS:
        raise unprocessable('Property "completeness" expects a valid scope.')
    everywhere = condition.operator in _ALL_LOCALES
    holds = _COMPARISONS.get(_ALL_LOCALES.get(condition.operator, condition.operator))
    if holds is None:
        raise condition.unsupported()
    if not isinstance(condition.value, int):
        raise condition.wants("a numeric")
    chosen, join = set(condition.locales), all if everywhere else any

    def predicate_(row: Entity) -> bool:
        return join(
            holds(int(str(each["data"])), condition.value)
            for each in completenesses(row)
            if each["scope"] == condition.scope and (not chosen or each["locale"] in chosen)
        )

    return predicate_


def _quality(condition: Condition, _: Catalog) -> Predicate:
    if condition.operator != "IN" or not condition.scope or not condition.locale:
        raise condition.unsupported()
    wanted, place = condition.strings(), (condition.scope, condition.locale)
    return lambda row: any(
        each["data"] in wanted and (each["scope"], each["locale"]) == place for each in scores(row)
    )


_PROPERTIES: dict[str, _Builder] = {
    "uuid": _key,
    "code": _key,
    "enabled": _enabled,
    "family": _family,
    "groups": _groups,
    "categories": _categories,
    "parent": _parent,
    "created": _dates,
    "updated": _dates,
    "completeness": _completeness,
    "quality_score": _quality,
}
