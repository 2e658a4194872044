"""Errors as Odoo's JSON-2 controller words them: status, and name/message/arguments/context/debug."""

import traceback
from collections.abc import Sequence
from http import HTTPStatus

Headers = tuple[tuple[str, str], ...]


class FaultError(Exception):
    """An answer other than 200. `name` is the class that the real server would have raised."""

    def __init__(self, status: int, name: str, message: str, arguments: Sequence[object]) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.arguments = list(arguments)
        self.headers: Headers = ()

    def with_header(self, name: str, value: str) -> "FaultError":
        self.headers = (*self.headers, (name, value))
        return self


def _werkzeug(status: HTTPStatus, name: str, message: str) -> FaultError:
    return FaultError(status, f"werkzeug.exceptions.{name}", message, (message, int(status)))


def bad_request(message: str) -> FaultError:
    return _werkzeug(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def unauthorized(message: str) -> FaultError:
    fault = _werkzeug(HTTPStatus.UNAUTHORIZED, "Unauthorized", message)
    return fault.with_header("WWW-Authenticate", "Bearer")


def not_found(message: str) -> FaultError:
    return _werkzeug(HTTPStatus.NOT_FOUND, "NotFound", message)


def unprocessable(message: str) -> FaultError:
    return _werkzeug(HTTPStatus.UNPROCESSABLE_ENTITY, "UnprocessableEntity", message)


def access_error(message: str) -> FaultError:
    return FaultError(HTTPStatus.FORBIDDEN, "odoo.exceptions.AccessError", message, (message,))


def user_error(message: str) -> FaultError:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return FaultError(status, "odoo.exceptions.UserError", message, (message,))


def missing_error(model: str, record_id: int) -> FaultError:
    message = (
        "Record does not exist or has been deleted.\n"
        f"(Record: {model}({record_id},), User: 2)"
    )  # fmt: skip
    status = HTTPStatus.NOT_FOUND
    return FaultError(status, "odoo.exceptions.MissingError", message, (message,))


def value_error(message: str) -> FaultError:
    """A mistake in a domain, field list or order: the real server lets it end as a 500."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return FaultError(status, "builtins.ValueError", message, (message,))


def as_fault(error: Exception) -> FaultError:
    """Any other exception: a 500 under its own name, as the real server answers."""
    if isinstance(error, FaultError):
        return error
    kind = type(error)
    name = f"{kind.__module__}.{kind.__name__}"
    fault = FaultError(HTTPStatus.INTERNAL_SERVER_ERROR, name, str(error), [str(error)])
    return fault.with_traceback(error.__traceback__)


def body(fault: FaultError) -> dict[str, object]:
    """`debug` is a real traceback with file paths: nobody may forward it."""
    return {
        "name": fault.name,
        "message": fault.message,
        "arguments": fault.arguments,
        "context": {},
        "debug": "".join(traceback.format_exception(fault)),
    }
