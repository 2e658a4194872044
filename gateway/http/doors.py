"""On which terms a request is let in: who asks, in which language, within how many seconds.

Found once a request, before anything of it is looked up or run.
"""

import msgspec
from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.access.rates import Header
from gateway.access.watch import Observed, watched_as
from gateway.access.wiring import Access, Admitted
from gateway.http import deadline
from gateway.http.head import head_of
from gateway.http.incoming import Incoming
from gateway.http.language import preferred
from ports.caller import CallerKind

_ADMISSION = "admission"
_TIMEOUT = deadline.HEADER.lower().encode()
_LANGUAGES_KEPT = 1_000


class Admission(msgspec.Struct, frozen=True):
    admitted: Admitted
    language: str
    seconds: float


class Doors:
    """`seconds` is the longest time of an operation, `language` that of who asks for none."""

    def __init__(self, access: Access, seconds: float, language: str) -> None:
        self._access = access
        self._seconds = seconds
        self._default = language
        self._languages: dict[bytes, str] = {}

    async def admission(self, incoming: Incoming) -> Admission:
        """Raises AccessError or RequestError for who may not ask at all, TransientError."""
        scope = incoming.scope
        state: dict[str, Admission] = scope.setdefault("state", {})
        known = state.get(_ADMISSION)
        if known is None:
            headers, seconds, sent = incoming.headers, self._seconds, head_of(scope).first
            if _TIMEOUT in sent:
                seconds = deadline.deadline_seconds(headers, seconds)
            admitted = await self._access.admit(headers, scope)
            language = self.language(sent.get(b"accept-language"))
            known = state[_ADMISSION] = Admission(admitted, language, seconds)
        return known

    def language(self, sent: bytes | None) -> str:
        """The one that a client asks for by `Accept-Language`."""
        if sent is None:
            return self._default
        known = self._languages.get(sent)
        if known is None:
            known = preferred(sent.decode("latin-1"), self._default)
            if len(self._languages) >= _LANGUAGES_KEPT:
                self._languages.clear()
            self._languages[sent] = known
        return known

    async def again(
        self, admission: Admission, cost: int, observed: Observed | None
    ) -> tuple[Header, ...]:
        """Charges for what was worked out before; what tells the caller how much is left.

        Raises RateLimitedError.
        """
        admitted = admission.admitted
        quota = await self._access.charge(admitted, cost)
        self._observe(admitted, observed)
        return quota

    def admitted_now(self, headers: Headers, scope: Scope) -> Admitted | None:
        """As `admission`; None for whom it would have to wait for, or would refuse."""
        return self._access.admit_now(headers, scope)

    def again_now(
        self, admitted: Admitted, cost: int, observed: Observed | None
    ) -> tuple[Header, ...] | None:
        """As `again`; None where it would wait or refuse, and then nothing was charged."""
        quota = self._access.charge_now(admitted, cost)
        if quota is not None:
            self._observe(admitted, observed)
        return quota

    def _observe(self, admitted: Admitted, observed: Observed | None) -> None:
        # Anybody else has been observed already, when it was worked out for them.
        if observed is not None and admitted.caller.kind is CallerKind.ANONYMOUS:
            name = watched_as(admitted.caller, admitted.address)
            self._access.watch.observe(name, observed)
