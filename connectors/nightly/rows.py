"""From the bytes of an export to its rows: text and numbers by the name of our field.

What is wrong is told by line and column, never with what the file says.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from connectors.nightly.config import NightlyConfig

Row: TypeAlias = Mapping[str, Any]
"By field: the text of a CSV file, or what JSON has. Empty and null ones are absent."

_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class UnreadableError(ValueError):
    """Why the whole file is of no use."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`columns` are those that the configuration names; other fields stand under their own name."""

    fields: tuple[str, ...]
    required: tuple[str, ...]
    columns: Mapping[Any, str]

    def column(self, field: str) -> str:
        return self.columns.get(field, field)


def rows(content: bytes, layout: Layout, config: NightlyConfig) -> Iterator[tuple[int, Row]]:
    """Each row with the number of its line. Raises UnreadableError, maybe not before its end."""
    try:
        text = content.decode(config.encoding)
    except UnicodeError as error:
        raise UnreadableError(f"is not {config.encoding}") from error
    if text and not text.endswith(("\n", "\r")) and not config.last_line_may_be_open:
        raise UnreadableError("is cut: its last line has no end (see last_line_may_be_open)")
    if config.format == "jsonl":
        yield from _objects(text, layout)
    else:
        yield from _records(text, layout, config.delimiter)


def _records(text: str, layout: Layout, delimiter: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header, layout)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise UnreadableError(
                    f"line {reader.line_num} has {len(cells)} columns, the header {len(header)}"
                )
            values = ((field, cells[place].strip()) for field, place in places)
            yield reader.line_num, {field: value for field, value in values if value}
    except csv.Error as error:
        raise UnreadableError(f"line {reader.line_num} is not CSV: {error}") from error


def _places(header: Sequence[str], layout: Layout) -> list[tuple[str, int]]:
    needed = dict.fromkeys((*layout.required, *layout.columns))
    missing = [layout.column(field) for field in needed if layout.column(field) not in header]
    if missing:
        raise UnreadableError(f"has no column {', '.join(missing)}")
    columns = ((field, layout.column(field)) for field in layout.fields)
    return [(field, header.index(column)) for field, column in columns if column in header]


def _objects(text: str, layout: Layout) -> Iterator[tuple[int, Row]]:
    columns = [(field, layout.column(field)) for field in layout.fields]
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            found = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise UnreadableError(f"line {number} is no JSON object") from error
        values = ((field, found.get(column)) for field, column in columns)
        yield number, {field: value for field, value in values if value not in (None, "")}
