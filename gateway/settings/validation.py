"""Tables to models, and what pydantic finds wrong to problems in our words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.annotations import is_secret, table_of
from gateway.settings.environment import Variable, typed
from gateway.settings.problems import Problem, suggestion

M = TypeVar("M", bound=BaseModel)

_HIDDEN = "***"
_TABLES = frozenset({"model_type", "dict_type", "mapping_type"})
_QUOTED = 4  # shorter ones occur in any text
_WORDS = (
    ("Input should be ", "must be "),
    ("Value error, ", ""),
    ("Assertion failed, ", ""),
    ("String should ", "must "),
)


def validated(
    model: type[M], table: Mapping[str, Any], path: str = ""
) -> tuple[M | None, list[Problem]]:
    """The model of what stands at `path`, or None and why not."""
    values, problems = typed(table, model, path)
    try:
        return model.model_validate(values), problems
    except ValidationError as error:
        return None, [*problems, *_problems(error, model, values, path)]


def no_table(value: object, path: str) -> Problem:
    return Problem(path, "must be a table" + _origin(value))


def _problems(
    error: ValidationError, model: type[BaseModel], table: Mapping[str, Any], path: str
) -> list[Problem]:
    """One a path: a union that accepts nothing of what is there has an error for each arm."""
    secrets = list(_secrets(model, table))
    texts: dict[str, list[str]] = {}
    origins: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=False):
        text = _text(detail, model, secrets)
        place = ".".join(filter(None, (path, *_steps(detail, table))))
        if text not in texts.setdefault(place, []):
            texts[place].append(text)
        origins[place] = _origin(detail["input"]) if detail["type"] != "missing" else ""
    return [Problem(place, "; or ".join(said) + origins[place]) for place, said in texts.items()]


def _steps(detail: ErrorDetails, table: Mapping[str, Any]) -> Iterable[str]:
    """The location, without the steps that name an arm of a union instead of a key."""
    value: Any = table
    for step in detail["loc"]:
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(step, int) and isinstance(value, Sequence) and step < len(value):
            value = value[step]
        elif detail["type"] != "missing":
            continue
        yield str(step)


def _text(detail: ErrorDetails, model: type[BaseModel], secrets: Iterable[str]) -> str:
    if detail["type"] == "missing":
        return "missing"
    if detail["type"] == "extra_forbidden":
        *above, name = detail["loc"]
        table = _table_at(model, above)
        return "unknown key" + suggestion(str(name), table.model_fields if table else ())
    if detail["type"] in _TABLES:
        return "must be a table"
    text = detail["msg"]
    for said, ours in _WORDS:
        text = text.replace(said, ours)
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _origin(value: object) -> str:
    """The variable that a wrong value is from, or that a wrong table has a value from."""
    if isinstance(value, Variable):
        return f" (from {value.variable})"
    if isinstance(value, Mapping):
        return next(filter(None, map(_origin, value.values())), "")
    return ""


def _table_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for step in location:
        field = found.model_fields.get(str(step)) if found else None
        found = table_of(field.annotation) if field else None
    return found


def _secrets(model: type[BaseModel], table: Mapping[str, Any]) -> Iterable[str]:
    """A validator's text may quote what it was given."""
    for name, value in table.items():
        field = model.model_fields.get(name)
        if field is None:
            continue
        if isinstance(value, str) and len(value) >= _QUOTED and is_secret(field.annotation):
            yield value
        inner = table_of(field.annotation)
        if inner is not None and isinstance(value, Mapping):
            yield from _secrets(inner, value)
