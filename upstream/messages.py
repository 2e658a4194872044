"""What passes the seam to a system: whom it asks, the request, the answer, and its reading."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from upstream.pauses import wished

ErrorType = type[UpstreamError]
Verdict = ErrorType | tuple[ErrorType, float]
"""What an unexpected answer means, and how many seconds to wait where no `Retry-After` tells it."""
Classify = Callable[["Response"], Verdict | None]
"""A vendor's own reading of an answer that was not expected; None leaves it to the default table."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is called: the configured upstream's name and the kind of system it is (`ERP`)."""

    upstream: str
    system: str


class Request(msgspec.Struct, frozen=True):
    """One HTTP call. `operation` names it for errors and the journal (`catalog.products`).

    `path` is joined to the base URL, or absolute (a vendor's own link; must be of the same host).
    `body` is sent as it is, `json` encoded. `expect` are the statuses that count as an answer.
    Only an `idempotent` request is tried again; all reads are, whatever their method.
    """

    operation: str
    path: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str] | None = None
    json: object = None
    body: bytes | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    expect: frozenset[int] = frozenset({200})
    idempotent: bool = True


class Headers(Mapping[str, str]):
    """An answer's headers, by name in any case; lines of one name are joined by commas.

    Made of lower-case names and values as they came; read when somebody looks into them.
    """

    __slots__ = ("_lines", "_table")

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        self._lines = lines
        self._table: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._read()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, str]:
        if self._table is None:
            table: dict[str, str] = {}
            for raw, value in self._lines:
                name, text = raw.decode("latin-1"), value.decode("latin-1")
                table[name] = f"{table[name]}, {text}" if name in table else text
            self._table = table
        return self._table


class Response(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds of `Retry-After`, a day at the most; None where there is none to be read."""
        return wished(self.headers.get("retry-after", ""), self.headers.get("date", ""))


def classify(response: Response) -> ErrorType:
    """The default reading of a status that is no answer (RFC 9110 §15)."""
    match response.status:
        case 408 | 504:
            return TimedOutError
        case 429:
            return ThrottledError
        case status if status >= 500:  # noqa: PLR2004
            return UnavailableError
        case status if 400 <= status < 500:  # noqa: PLR2004
            return RefusedError
        case _:
            return MalformedError
