"""JSON-2 over ASGI: routes, database, content type, key, body, and errors as the real ones."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox.credentials import ODOO_API_KEY, ODOO_DATABASE
from sandbox.odoo import faults
from sandbox.odoo.methods import Call, called
from sandbox.odoo.store import Env, Store

Clock = Callable[[], datetime]
Headers = list[tuple[bytes, bytes]]

_JSON = b"application/json; charset=utf-8"
_HTML = b"text/html; charset=utf-8"
_BEARER = re.compile(r"(?i)bearer\s+(.+)")
_VERSION = {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Server:
    """One database behind one API key. `clock` decides which dated price rules apply."""

    def __init__(self, store: Store, clock: Clock = wall_clock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        status, headers, body = self._answer(scope, path, await _body(receive))
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Any, path: str, body: bytes) -> tuple[int, Headers, bytes]:
        headers = {key.decode().lower(): value.decode("latin-1") for key, value in scope["headers"]}
        if path == "/web/health":
            return _json(200, {"status": "pass"}, [(b"cache-control", b"no-store")])
        if path == "/web/version":
            return _json(200, _VERSION)
        wrong_database = headers.get("x-odoo-database", ODOO_DATABASE) != ODOO_DATABASE
        if wrong_database or not (path == "/json/2" or path.startswith("/json/2/")):
            return _page(404, "Not Found", "The requested URL was not found on the server.")
        if body and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _page(415, "Unsupported Media Type", _wrong_type(path))
        return self._json2(scope["method"], path, headers, body)

    def _json2(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        try:
            result = self._called(method, path, headers, body)
        except Exception as error:  # noqa: BLE001 - the real dispatcher answers any exception
            fault = faults.as_fault(error)
            extra = [(k.lower().encode(), v.encode()) for k, v in fault.headers]
            return _json(fault.status, faults.body(fault), extra)
        return _json(200, result)

    def _called(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        parts = path.removeprefix("/json/2").strip("/").split("/")
        if method != "POST" or len(parts) != 2:  # noqa: PLR2004 - model and method
            raise faults.not_found("Did you mean POST /json/2/<model>/<method>?")
        _authenticate(headers)
        arguments = _arguments(body)
        model, name = parts
        if model not in self._store:
            raise faults.not_found(f"the model {model!r} does not exist")
        ids = arguments.pop("ids", ())
        context = arguments.pop("context", None) or {}
        env = Env(self._store, context, self._clock())
        self._check_language(env)
        ids = ids if isinstance(ids, list | tuple) else [ids]
        return called(Call(env, self._store[model], ids), name, arguments)

    def _check_language(self, env: Env) -> None:
        if env.lang not in self._store["res.lang"].index("code"):
            raise faults.user_error(f"Invalid language code: {env.lang}")


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _authenticate(headers: dict[str, str]) -> None:
    match = _BEARER.fullmatch(headers.get("authorization", ""))
    if match is None:
        raise faults.unauthorized('User not authenticated, use the "Authorization" header')
    if match[1] != ODOO_API_KEY:
        raise faults.unauthorized("Invalid apikey")


def _arguments(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _slowly(body)
    if not isinstance(value, dict):
        raise faults.bad_request("could not parse the body, expecting a json object")
    return value


def _slowly(body: bytes) -> Any:
    """The standard decoder accepts a little more, and words its errors as the real server."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise faults.bad_request(f"could not parse the body as json: {error}") from error


def _json(status: int, value: Any, extra: Headers | None = None) -> tuple[int, Headers, bytes]:
    return status, [(b"content-type", _JSON), *(extra or [])], orjson.dumps(value)


def _page(status: int, title: str, text: str) -> tuple[int, Headers, bytes]:
    html = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{text}</p>\n"
    )
    return status, [(b"content-type", _HTML)], html.encode()


def _wrong_type(path: str) -> str:
    return (
        "Request inferred type is compatible with {'http'} but "
        f"'{path}' is type='json2'. Please verify the Content-Type request header and try again."
    )
