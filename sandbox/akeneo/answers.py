"""How the PIM answers: JSON bodies, and refusals in its own words."""

from typing import Any

import orjson
from starlette.responses import Response

_DOCUMENTATION = "http://api.akeneo.com/api-reference-paas-70.html"


class Refusal(Exception):  # noqa: N818 - an answer of the PIM, no fault of ours
    """An answer that is an error: status, message, and headers where it has some."""

    def __init__(self, status: int, message: str, *, documented: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.documented = documented
        self.headers: dict[str, str] = {}

    def response(self) -> Response:
        body: dict[str, Any] = {"code": self.status, "message": self.message}
        if self.documented:
            body["_links"] = {"documentation": {"href": _DOCUMENTATION}}
        return answer(body, self.status, self.headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def missing(code: str) -> Refusal:
    return Refusal(404, f"Resource `{code}` does not exist.")


def unprocessable(message: str, *, documented: bool = False) -> Refusal:
    return Refusal(422, message, documented=documented)
