"""What HubSpot answers with: JSON, its error body, its moments."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

HTTP_OK = 200
HTTP_MULTI_STATUS = 207


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818 - a refusal is what the vendor answers, not a fault of ours
    """An answer other than success, in HubSpot's error shape."""

    status: int
    category: str
    message: str
    errors: list[dict[str, Any]] = field(default_factory=list)
    context: dict[str, list[str]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        optional = {"errors": self.errors, "context": self.context}
        return {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid4()),
            "category": self.category,
            **{name: value for name, value in optional.items() if value},
            **self.extra,
        }


def invalid(message: str, **context: list[str]) -> Refusal:
    return Refusal(400, "VALIDATION_ERROR", message, context=context)


def not_found(message: str, **context: list[str]) -> Refusal:
    return Refusal(404, "OBJECT_NOT_FOUND", message, context=context)


def answer(body: object, status: int = HTTP_OK) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json;charset=utf-8")


def batch(now: datetime, results: list[Any], errors: list[dict[str, Any]]) -> Response:
    """A batch answer: 207 with `errors` as soon as one input failed, whatever the others did."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": moment(now),
        "completedAt": moment(now),
    }
    if not errors:
        return answer(body)
    return answer(body | {"numErrors": len(errors), "errors": errors}, HTTP_MULTI_STATUS)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body; anything else is refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "VALIDATION_ERROR", "The body must be sent as application/json")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise invalid("Invalid input JSON: the body cannot be read") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is expected")
    return body


def read_inputs(body: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """`inputs` of a batch: one to `most` objects, each with an id."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise invalid("Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise invalid(f"A batch takes at most {most} inputs, {len(inputs)} were sent")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in inputs):
        raise invalid("Every input needs an id, a string")
    return inputs


def read_limit(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"limit must be between 1 and {most}", limit=[text])
    return int(text)


def names(value: object) -> list[str]:
    """A list of names as a body gives it (a list) or a query (commas, repeats)."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, list):
        return [name for part in value for name in names(part)]
    return []
