"""Nested tables as TOML, for the configuration that the demo leaves to be read and tried."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def toml_text(tables: Mapping[str, Any]) -> str:
    """Strings, numbers, booleans, lists of them, and tables of all these."""
    return "\n".join(_lines(tables, ())).strip() + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if values and path:
        yield f"\n[{'.'.join(path)}]"
    # A TOML basic string is written as a JSON one is; so are numbers, booleans and lists.
    yield from (f"{key} = {json.dumps(value)}" for key, value in values.items())
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))
