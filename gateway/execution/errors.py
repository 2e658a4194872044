"""Errors as a client reads them: GraphQL errors and port errors become entries of `errors`.

Nothing that a system or Python said gets out: what is not ours to tell is masked and logged.
"""

import math
from collections.abc import Iterable, Iterator

import structlog
from graphql import FieldNode, GraphQLError, Node
from strawberry.exceptions import StrawberryInputCoercionError

from gateway.operations.rules import BAD_USER_INPUT
from ports.errors import PortError

INTERNAL = "INTERNAL"
INTERNAL_MESSAGE = "Internal error."
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"

# Messages of the GraphQL library quote what was sent; a client needs the beginning only.
MAX_MESSAGE_CHARACTERS = 500
# What the library writes before it quotes the exception of a scalar.
QUOTED_EXCEPTION = ", but encountered error"
# What it puts before names that are like the one that was sent.
_SUGGESTION = " Did you mean "

Entry = dict[str, object]

log = structlog.get_logger(__name__)


def plain_entry(message: str, code: str, request_id: str, *, retryable: bool = False) -> Entry:
    """An error that belongs to no field."""
    return {
        "message": message,
        "extensions": {"code": code, "retryable": retryable, "requestId": request_id},
    }


def port_entry(error: PortError, request_id: str) -> Entry:
    """A port's error that belongs to no field, as when the caller cannot be established."""
    return {"message": error.message, "extensions": _port_extensions(error, request_id)}


def whole_seconds(retry_after: float | None) -> int | None:
    """Rounded up, as `Retry-After` wants it; None where no time can be told."""
    if retry_after is None or not math.isfinite(retry_after):
        return None
    return max(0, math.ceil(retry_after))


def request_entries(errors: Iterable[GraphQLError], code: str, request_id: str) -> list[Entry]:
    """Entries of errors found before execution; an error's own code wins over `code`."""
    return [
        _located(error, _request_message(error), _extensions(_own_code(error) or code, request_id))
        for error in errors
    ]


def without_suggestions(entries: Iterable[Entry]) -> list[Entry]:
    """The entries without what else the schema has."""
    return [
        {**entry, "message": str(entry["message"]).partition(_SUGGESTION)[0]} for entry in entries
    ]


def execution_entries(errors: Iterable[GraphQLError], request_id: str) -> list[Entry]:
    """Entries of errors raised by fields, in their order. Each masked exception is logged once."""
    entries: list[Entry] = []
    logged: set[int] = set()
    for error in errors:
        cause = _cause(error)
        if isinstance(cause, PortError):
            message, extensions = cause.message, _port_extensions(cause, request_id)
        elif code := _client_code(error, cause):
            message, extensions = error.message, _extensions(code, request_id)
        else:
            message, extensions = INTERNAL_MESSAGE, _extensions(INTERNAL, request_id)
            if id(cause) not in logged:
                logged.add(id(cause))
                log.error(
                    "field failed", request_id=request_id, path=error.path, exc_info=cause or error
                )
        entries.append(_located(error, message, extensions))
    return entries


def _cause(error: GraphQLError) -> BaseException | None:
    """The exception that a resolver raised; of a group, the first port error in it."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, BaseExceptionGroup):
        return next(_port_errors(cause), cause)
    return cause


def _port_errors(group: BaseExceptionGroup[BaseException]) -> Iterator[PortError]:
    for error in group.exceptions:
        if isinstance(error, PortError):
            yield error
        elif isinstance(error, BaseExceptionGroup):
            yield from _port_errors(error)


def _client_code(error: GraphQLError, cause: BaseException | None) -> str | None:
    """The code of a GraphQL error that may be shown; None for one to be masked.

    Shown are errors with a code of their own and errors about an argument's value. The library
    also raises GraphQLError for results that do not fit their type; those are our fault.
    """
    if code := _own_code(error):
        return code
    if isinstance(cause, StrawberryInputCoercionError):
        return BAD_USER_INPUT
    if cause is not None and not isinstance(cause, GraphQLError):
        return None
    nodes: Iterable[Node] = error.nodes or ()
    return BAD_USER_INPUT if any(not isinstance(node, FieldNode) for node in nodes) else None


def _own_code(error: GraphQLError) -> str | None:
    source: BaseException | None = error
    while isinstance(source, GraphQLError):
        code = (source.extensions or {}).get("code")
        if isinstance(code, str):
            return code
        source = source.original_error
    return None


def _request_message(error: GraphQLError) -> str:
    if isinstance(error.original_error, PortError | GraphQLError):
        return error.message
    before, quoted, _ = error.message.partition(QUOTED_EXCEPTION)
    return f"{before}." if quoted else before


def _extensions(code: str, request_id: str) -> Entry:
    return {"code": code, "retryable": False, "requestId": request_id}


def _port_extensions(error: PortError, request_id: str) -> Entry:
    extensions: Entry = {"code": error.code}
    if error.system is not None:
        extensions["system"] = error.system
    if error.upstream is not None:
        extensions["upstream"] = error.upstream
    extensions["retryable"] = error.retryable
    seconds = whole_seconds(error.retry_after)
    if seconds is not None:
        extensions["retryAfter"] = seconds
    extensions["requestId"] = request_id
    return extensions


def _located(error: GraphQLError, message: str, extensions: Entry) -> Entry:
    if len(message) > MAX_MESSAGE_CHARACTERS:
        message = f"{message[:MAX_MESSAGE_CHARACTERS]}…"
    entry: Entry = {"message": message}
    if error.locations:
        entry["locations"] = [
            {"line": location.line, "column": location.column} for location in error.locations
        ]
    if error.path is not None:
        entry["path"] = error.path
    entry["extensions"] = extensions
    return entry
