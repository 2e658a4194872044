"""An issuer to test against: it signs, publishes, rotates, introspects, and can be out of order."""

import asyncio
import json
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access.assembly import Parts, authenticator, protected_resource
from gateway.access.authenticate import Authenticator
from gateway.access.remembered import Clock
from gateway.settings.access import TokenSettings
from ports.caller import Caller

ISSUER = "http://127.0.0.1:9/realms/people"
AUDIENCE = "https://api.example"
START = 1_800_000_000.0
CLIENT = ("gate:way", "s3cret/+ %")
"An id and a secret that are changed by form encoding."
SHARED_RSA = RSAKey.generate_key(2048, {"kid": "rsa"})


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: START + self.passed, steady=lambda: self.passed)


class FakeIssuer:
    """`documents` and `active` are what it answers; `asked` counts by path."""

    def __init__(self, name: str = ISSUER) -> None:
        self.name = name
        self.keys: list[Key] = [ECKey.generate_key("P-256", {"kid": "first"})]
        self.active: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.down = False
        self.replies: dict[str, Response] = {}
        self.gate: asyncio.Event | None = None
        self.metadata: dict[str, Any] = {
            "issuer": name,
            "jwks_uri": f"{name}/jwks",
            "introspection_endpoint": f"{name}/introspect",
        }

    def rotate(self, kid: str, *, keep: bool = True) -> None:
        fresh = ECKey.generate_key("P-256", {"kid": kid})
        self.keys = [fresh, *(self.keys if keep else ())]

    def publish(self, *keys: Key) -> None:
        self.keys = list(keys)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of a good token; one that is changed to None is absent."""
        good = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": int(START),
            "exp": int(START) + 3600,
            "client_id": "shop",
            "customer_number": "C-1",
            "scope": "orders:read catalog:read",
        }
        return {name: value for name, value in (good | changed).items() if value is not None}

    def token(self, *, key: Key | None = None, alg: str = "ES256", **claims: Any) -> str:
        key = key or self.keys[0]
        return signed({"alg": alg, "typ": "at+jwt", "kid": key.kid}, self.claims(**claims), key)

    def transport(self) -> httpx2.AsyncBaseTransport:
        return _Wire(self)

    async def answer(self, request: Request) -> Response:
        self.asked[request.url.path] += 1
        if self.gate is not None:
            await self.gate.wait()
        path = request.url.path.rpartition("/")[2]
        if path in self.replies:
            return self.replies[path]
        match path:
            case "openid-configuration":
                return JSONResponse(self.metadata)
            case "jwks":
                return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]})
            case "introspect":
                return await self._introspected(request)
            case _:
                return Response(status_code=404)

    async def _introspected(self, request: Request) -> Response:
        scheme, _, pair = request.headers["authorization"].partition(" ")
        sent = tuple(unquote_plus(part) for part in b64decode(pair).decode().split(":"))
        if scheme != "Basic" or sent != CLIENT:
            return Response(status_code=401)
        form = parse_qs((await request.body()).decode())
        known = self.active.get(form["token"][0])
        return JSONResponse({"active": False} if known is None else {"active": True, **known})


class _Wire(httpx2.AsyncBaseTransport):
    """The way to the issuer, which may be cut."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        app = Starlette(
            routes=[Route("/{path:path}", issuer.answer, methods=["GET", "POST"])],
        )
        self._served = httpx2.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._issuer.down:
            self._issuer.asked["down"] += 1
            raise httpx2.ConnectError("refused")
        return await self._served.handle_async_request(request)


class Noted:
    """A watch that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Mapping[str, object]]] = []

    def note(self, event: str, *, caller: str, **facts: object) -> None:
        self.events.append((event, caller, facts))


class Gate:
    """An authenticator before fake issuers, with the time in hand."""

    def __init__(
        self, *issuers: FakeIssuer, time: Time | None = None, keys: Any = None, **settings: Any
    ) -> None:
        self.time = time or Time()
        self.watch = Noted()
        directory = settings.pop("directory", None)
        told = TokenSettings.model_validate(settings)
        routes = {one.name: one.transport() for one in issuers}
        parts = Parts(
            self.watch,
            keys=keys,
            directory=directory,
            transport=_Switch(routes),
            clock=self.time.clock(),
        )
        resource = protected_resource(told, "https://gateway.example", ["orders:read"])
        self.authenticator: Authenticator = authenticator(told, resource, parts)

    async def bearer(self, token: str, scheme: str = "Bearer") -> Caller:
        return await self.sent(("Authorization", f"{scheme} {token}"))

    async def sent(self, *headers: tuple[str, str]) -> Caller:
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        return await self.authenticator.caller(Headers(raw=raw), "192.0.2.1")


class _Switch(httpx2.AsyncBaseTransport):
    def __init__(self, routes: Mapping[str, httpx2.AsyncBaseTransport]) -> None:
        self._routes = routes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        for name, transport in self._routes.items():
            if str(request.url).startswith(name.partition("/realms")[0]):
                return await transport.handle_async_request(request)
        raise httpx2.ConnectError("nobody there")


def settings(**changed: Any) -> dict[str, Any]:
    """A table of `[[access.issuers]]`."""
    return {"issuer": ISSUER, "audience": AUDIENCE, **changed}


def introspecting(**changed: Any) -> dict[str, Any]:
    asked = {"client_id": CLIENT[0], "client_secret": CLIENT[1], **changed}
    return settings(introspection=asked)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    """Whatever the header says, also what no library would write."""
    return signed_text(json.dumps(header), json.dumps(claims), key, header["alg"])


def signed_text(header: str, claims: str, key: Key, alg: str) -> str:
    begun = f"{packed(header)}.{packed(claims)}"
    signature = jws.JWSRegistry.algorithms[alg].sign(begun.encode(), key)
    return f"{begun}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def packed(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def many_keys() -> Sequence[tuple[str, Key]]:
    """A key for each algorithm that is accepted unless configured otherwise."""
    return (
        ("ES256", ECKey.generate_key("P-256", {"kid": "ec"})),
        ("RS256", SHARED_RSA),
        ("PS256", SHARED_RSA),
        ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
    )
