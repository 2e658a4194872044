"""An entry's read asked once more, of the system itself, and what is different now."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from gateway.app import Wiring
from gateway.settings import Settings
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.journal.masking import MASK, Masking
from gateway.telemetry.journal.record import KEPT_ARGUMENTS, Entry
from gateway.telemetry.journal.writer import Journal, JournalRules
from ports.caller import Call, Caller, CallerKind
from ports.errors import PortError
from ports.operation import operations
from upstream.reference import own_call
from upstream.roles import ROLES

_LINES = 60


class ReplayError(Exception):
    """The entry cannot be repeated; the text says why."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """`entries` are the tries of now; `outcome` is what the port's caller got."""

    before: Entry
    entries: tuple[Entry, ...]
    outcome: str

    @property
    def now(self) -> Entry | None:
        """The last try of the same request, or of the same operation."""
        alike = [one for one in self.entries if one.call == self.before.call]
        same = [one for one in alike if one.path == self.before.path]
        found = same or alike
        return found[-1] if found else None

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """What differs, before and now. How long it took always does, and is left out."""
        now = self.now
        if now is None:
            yield "call", self.before.call, "not called"
            return
        for name in ("status", "error", "detail", "method", "path", "received"):
            old, new = getattr(self.before, name), getattr(now, name)
            if old != new:
                yield name, _told(old), _told(new)

    def body_difference(self) -> list[str]:
        """Lines of a unified diff; none where the body was not kept, or is the same."""
        now = self.now
        if now is None or self.before.response is None or now.response is None:
            return []
        old, new = (_pretty(one).splitlines() for one in (self.before.response, now.response))
        return list(difflib.unified_diff(old, new, "then", "now", lineterm="", n=1))[:_LINES]


async def replay(settings: Settings, entry: Entry) -> Replayed:
    """Asks the entry's upstream by the entry's port operation. Raises ReplayError.

    No cache is asked and none is filled; the journal's file is not written.
    """
    role, method = _port_of(entry)
    journal = Journal(JournalRules(Path()), Masking(settings.journal.mask))
    journal.capturing = frozenset({entry.upstream})
    wiring = Wiring(settings, instruments=Instruments.with_journal(journal))
    try:
        connection = wiring.connections.get(entry.upstream)
        if connection is None:
            raise ReplayError(f"there is no upstream {entry.upstream!r} any more")
        ports = connection.connector.ports()
        if role not in ports:
            raise ReplayError(f"{entry.upstream} does not serve {role}")
        port = Instruments.with_journal(journal).port(role, ROLES[role], ports[role])
        arguments = _arguments(entry, role, method)
        call = _call(settings, entry)
        outcome = await _outcome(getattr(port, method), arguments, call)
    finally:
        await wiring.aclose()
    return Replayed(entry, tuple(journal.taken()), outcome)


def _port_of(entry: Entry) -> tuple[str, str]:
    if entry.asked is None:
        raise ReplayError("nobody's request caused this call: it was the gateway's own")
    if not entry.is_read:
        raise ReplayError("this call may have written; only reads are repeated")
    role, _, method = entry.asked.partition(".")
    if role not in ROLES or method not in operations(ROLES[role]):
        raise ReplayError(f"there is no operation {entry.asked} any more")
    return role, method


def _arguments(entry: Entry, role: str, method: str) -> tuple[Any, ...]:
    told = entry.arguments or ""
    if len(told) >= KEPT_ARGUMENTS:
        raise ReplayError("its arguments are too long to have been kept whole")
    if MASK in told:
        raise ReplayError("its arguments hold personal data, which is not kept")
    function = getattr(ROLES[role], method)
    hints = get_type_hints(function)
    own = [
        hints.get(name, Any)
        for name, one in signature(function).parameters.items()
        if name != "self" and one.kind is not Parameter.KEYWORD_ONLY
    ]
    try:
        found: tuple[Any, ...] = msgspec.json.decode(told, type=tuple[tuple(own)])  # type: ignore[misc]
    except (msgspec.DecodeError, TypeError) as problem:
        raise ReplayError(f"its arguments are of another version: {problem}") from problem
    return found


def _call(settings: Settings, entry: Entry) -> Call:
    language = entry.language or settings.graphql.default_language
    caller = Caller(
        subject="passerelle",
        kind=CallerKind.APPLICATION,
        customer=entry.customer,
        customers=None,
    )
    call = own_call(language, settings.graphql.deadline_seconds)
    return msgspec.structs.replace(call, caller=caller, operation="replay")


async def _outcome(method: Any, arguments: tuple[Any, ...], call: Call) -> str:
    try:
        answer = await method(*arguments, call=call)
    except (PortError, TimeoutError) as error:
        return getattr(error, "code", type(error).__name__)
    if isinstance(answer, dict):
        failed = sum(isinstance(one, PortError) for one in answer.values())
        return f"{len(answer)} of {len(arguments[0])} keys found, {failed} failed"
    return "answered"


def _told(value: object) -> str:
    return "-" if value is None else str(value)


def _pretty(body: str) -> str:
    try:
        return msgspec.json.format(body, indent=2)
    except msgspec.DecodeError:
        return body
