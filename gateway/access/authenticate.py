"""Who sends a request: the holder of an access token or of an API key, or nobody known.

A token seen before costs a hash and a look-up. A bad credential is never taken for none.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self

import structlog
from starlette.datastructures import Headers

from gateway.access import bearer
from gateway.access.errors import AccessError, Challenge, RefusedTokenError
from gateway.access.issuer import Accepted, Issuer
from gateway.access.remembered import Clock, Collapse, Remembered
from ports.caller import Caller
from ports.errors import TransientError

_TOKENS = 10_000
_REFUSED_SECONDS = 5.0
_API_KEY_PREFIX = "gw_"
_FAILURE = "login_failure"

log = structlog.get_logger(__name__)


class KeyVerifier(Protocol):
    async def verify(self, key: str, *, origin: str | None) -> Caller | None:
        """The caller whose key this is, None for one that is not accepted."""
        ...

    def verified_now(self, key: str, *, origin: str | None) -> Caller | None:
        """As `verify`, of what was read lately; None where that would wait or refuse."""
        ...


class Watch(Protocol):
    def note(self, event: str, *, caller: str, **facts: object) -> None:
        """Told of what may be an attack."""
        ...


class VerifiedTokens:
    """Tokens accepted, and opaque ones refused, by the SHA-256 of their text."""

    def __init__(self, clock: Clock) -> None:
        self.accepted: Remembered[bytes, Caller] = Remembered(_TOKENS, clock.steady)
        self.refused: Remembered[bytes, RefusedTokenError] = Remembered(_TOKENS, clock.steady)

    def clear(self) -> None:
        """Called when an issuer's keys have changed."""
        self.accepted.clear()


class Authenticator:
    """As a context it keeps the issuers' keys current in the background, and closes them.

    Without it keys are fetched when they are needed. An issuer that is down holds up nothing.
    """

    def __init__(  # noqa: PLR0913 - two of them have defaults that do
        self,
        issuers: Sequence[Issuer],
        keys: KeyVerifier | None,
        anonymous: Caller | None,
        watch: Watch,
        *,
        challenge: Challenge | None = None,
        verified: VerifiedTokens | None = None,
    ) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._introspecting = [issuer for issuer in issuers if issuer.introspects]
        self._api_keys = keys
        self._anonymous = anonymous
        self._watch = watch
        self._challenge = challenge or Challenge()
        self._verified = verified or VerifiedTokens(Clock())
        self._known = self._verified.accepted
        self._introspections: Collapse[bytes, Caller] = Collapse()
        self._tasks: list[asyncio.Task[None]] = []

    async def caller(self, headers: Headers, address: str = "unknown") -> Caller:
        """Raises AccessError 400 or 401; TransientError where nobody can tell just now.

        `address` is the client's, by which failures are counted.
        """
        authorization, api_key = self._credentials(headers.raw)
        if authorization is not None:
            scheme, _, rest = authorization.strip().partition(b" ")
            if scheme.lower() != b"bearer":
                raise self._challenge.unknown_scheme()
            token = rest.strip(b" \t")
            digest = hashlib.sha256(token).digest()
            return self._known.get(digest) or await self._by_token(token, digest, address)
        if api_key is not None:
            return await self._by_key(api_key, headers.get("origin"), address)
        if self._anonymous is None:
            raise self._challenge.nothing_sent()
        return self._anonymous

    def caller_now(self, headers: Headers) -> Caller | None:
        """As `caller`, of what was accepted lately; None for whom that would wait or refuse."""
        try:
            authorization, api_key = self._credentials(headers.raw)
        except AccessError:
            return None
        if authorization is not None:
            scheme, _, rest = authorization.strip().partition(b" ")
            if scheme.lower() != b"bearer":
                return None
            return self._known.get(hashlib.sha256(rest.strip(b" \t")).digest())
        if api_key is None:
            return self._anonymous
        if self._api_keys is None:
            return None
        key = api_key.decode("latin-1").strip()
        return self._api_keys.verified_now(key, origin=headers.get("origin"))

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(one.keep_fresh()) for one in self._issuers.values()]
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _raised: object, _trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._introspections.aclose()
        for issuer in self._issuers.values():
            await issuer.aclose()

    def _note_failure(self, credential: bytes, address: str, why: str) -> None:
        """One credential sent again and again is a broken client, and counts once."""
        value = hashlib.sha256(credential).hexdigest()
        self._watch.note(_FAILURE, caller=address, value=value, why=why)

    def _credentials(
        self, headers: Iterable[tuple[bytes, bytes]]
    ) -> tuple[bytes | None, bytes | None]:
        """`Authorization` and `X-API-Key`, of which only one may be there, and once."""
        authorization = api_key = None
        for name, value in headers:
            if name == b"authorization":
                if authorization is not None:
                    raise self._challenge.ambiguous("Send one `Authorization` header only.")
                authorization = value
            elif name == b"x-api-key":
                if api_key is not None:
                    raise self._challenge.ambiguous("Send one `X-API-Key` header only.")
                api_key = value
        if authorization is not None and api_key is not None:
            raise self._challenge.ambiguous("Send an access token or an API key, not both.")
        return authorization, api_key

    async def _by_key(self, key: bytes, origin: str | None, address: str) -> Caller:
        if self._api_keys is not None:
            caller = await self._api_keys.verify(key.decode("latin-1").strip(), origin=origin)
            if caller is not None:
                return caller
        self._note_failure(key, address, "api key")
        raise self._challenge.refused_key()

    async def _by_token(self, token: bytes, digest: bytes, address: str) -> Caller:
        try:
            text = _text(token)
            if bearer.looks_signed(text):
                return await self._by_signature(text, digest)
            return await self._by_introspection(text, digest)
        except RefusedTokenError as refused:
            log.info("token refused", reason=refused.reason, address=address)
            if refused.told != "expired":  # which was signed, and only shows a slow client
                self._note_failure(token, address, refused.reason)
            raise self._challenge.refused_token(refused.told) from None

    async def _by_signature(self, text: str, digest: bytes) -> Caller:
        token = bearer.read(text)
        name = token.claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise RefusedTokenError("is of an issuer that is not configured")
        generation = self._known.generation
        return self._remembered(await issuer.accept(token), digest, generation)

    async def _by_introspection(self, text: str, digest: bytes) -> Caller:
        if not self._introspecting:
            raise RefusedTokenError("is opaque, and no issuer can be asked")
        refused = self._verified.refused.get(digest)
        if refused is not None:
            raise RefusedTokenError(refused.reason, refused.told)
        return await self._introspections.run(digest, lambda: self._introspected(text, digest))

    async def _introspected(self, text: str, digest: bytes) -> Caller:
        generation = self._known.generation
        try:
            accepted = await self._asked(text)
        except RefusedTokenError as refused:
            self._verified.refused.put(digest, refused, _REFUSED_SECONDS)
            raise
        return self._remembered(accepted, digest, generation)

    async def _asked(self, text: str) -> Accepted:
        """Of the first issuer that knows the token; one that is down may have been it."""
        down: TransientError | None = None
        for issuer in self._introspecting:
            try:
                accepted = await issuer.accept_opaque(text)
            except TransientError as error:
                down = error
                continue
            if accepted is not None:
                return accepted
        raise down or RefusedTokenError("is not active")

    def _remembered(self, accepted: Accepted, digest: bytes, generation: int) -> Caller:
        self._known.put(digest, accepted.caller, accepted.seconds, generation)
        return accepted.caller


def _text(token: bytes) -> str:
    """The token, if it may be one; what is none is neither read nor sent to an issuer."""
    text = token.decode("latin-1")
    if len(text) > bearer.MAX_BYTES:
        raise RefusedTokenError("is too long")
    if not bearer.is_token(text):
        raise RefusedTokenError("has characters that no token has")
    if text.startswith(_API_KEY_PREFIX):
        raise RefusedTokenError("is an API key, which belongs into X-API-Key")
    return text
