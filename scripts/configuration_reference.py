"""Writes the reference in docs/configuration.md from the settings themselves.

`python scripts/configuration_reference.py` puts it between the marks; a convention test compares.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors import registry
from gateway.settings.tree import Settings
from upstream.config import UpstreamConfig

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
BEGIN, END = "<!-- reference: begin -->\n", "<!-- reference: end -->\n"
# A longer table of defaults is counted, not listed.
LISTED = 4
WORDS = {
    str: "text",
    int: "integer",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    SecretStr: "secret",
    types.NoneType: "",
}


def reference() -> str:
    """The tables of all keys: those of the gateway, of every upstream, of each connector."""
    parts = [_section(f"`[{path}]`", model) for path, model in _tables("", Settings)]
    parts.append(_section("`[upstreams.<name>]`, whatever its kind", UpstreamConfig))
    for name, manifest in sorted(registry.manifests().items()):
        own = registry.find(name).config()
        skip = frozenset(UpstreamConfig.model_fields)
        parts.append(_section(f'`kind = "{name}"`: {manifest.title}', own, skip))
    return "\n".join(parts)


def with_reference(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{reference()}\n{END}{rest.partition(END)[2]}"


def _tables(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables below a model, by their path in the file."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            here = f"{path}.{name}" if path else name
            if any(not _is_table(one) for one in inner.model_fields.values()):
                yield here, inner
            yield from _tables(here, inner)


def _is_table(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _section(title: str, model: type[BaseModel], skip: frozenset[str] = frozenset()) -> str:
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_meaning(field)} |"
        for name, field in model.model_fields.items()
        if name not in skip and not _is_table(field)
    ]
    head = ("| key | type | default | meaning |", "|---|---|---|---|")
    return "\n".join((f"### {title}\n", *head, *rows, ""))


def _type(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(filter(None, dict.fromkeys(map(_type, inner))))
    if isinstance(origin, type):
        return _collection(origin, inner)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return WORDS.get(annotation, "text")


def _collection(origin: type, inner: tuple[Any, ...]) -> str:
    if issubclass(origin, Mapping):
        return f"table of {_type(inner[1])}"
    return f"list of {_type(inner[0])}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or value in ((), {}):
        return ""
    return f"`{_plain(value)}`"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        inside = ", ".join(f'{key} = "{_plain(one)}"' for key, one in value.items())
        return f"{{ {inside} }}" if len(value) <= LISTED else f"{len(value)} entries"
    if isinstance(value, tuple):
        return f"[{', '.join(str(_plain(one)) for one in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return value.value if isinstance(value, Enum) else value


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_reference(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
