"""What an engine gives back, and what an engine is."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Protocol

import msgspec
import orjson

from gateway.operations.request import GraphQLRequest, Method, RequestError
from resolvers.context import Context


class Encoded(Mapping[str, object]):
    """The data of an answer as JSON already; who looks into it has it decoded."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._decoded: dict[str, object] | None = None

    def __getitem__(self, key: str) -> object:
        return self._whole()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def __len__(self) -> int:
        return len(self._whole())

    def _whole(self) -> dict[str, object]:
        if self._decoded is None:
            decoded: dict[str, object] = orjson.loads(self.body)
            self._decoded = decoded
        return self._decoded


class Answer(msgspec.Struct, frozen=True):
    """A GraphQL response before it is encoded.

    `errors` are ready entries. A `request_error` means that nothing was executed: there is no
    `data` then, as opposed to `data` that is null because errors reached the root; and a `status`,
    for clients that do not expect 200. `headers` go out with it.
    """

    data: Mapping[str, object] | None
    errors: list[dict[str, object]]
    extensions: Mapping[str, object] | None = None
    request_error: bool = False
    status: int = 400
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def encodable(self) -> object:
        """The data as orjson takes it."""
        return orjson.Fragment(self.data.body) if isinstance(self.data, Encoded) else self.data


class Engine(Protocol):
    """Executes one operation.

    Reads from `context`: `call.request_id` or `request_id` (told in errors), and `deadline`
    (seconds of the event loop's clock, or None). Raises RequestError where HTTP itself forbids
    the operation.
    """

    def execute(
        self, request: GraphQLRequest, *, context: object, method: Method
    ) -> Coroutine[Any, Any, Answer]: ...


Over = Callable[[Context, float, Answer | None, RequestError | None], object]
"""Told of each operation when it is over, with the seconds that it took: of its answer, or how HTTP
refused it. Must be quick, and never raises."""
