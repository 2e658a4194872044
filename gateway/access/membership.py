"""Customers of people whose tokens name none, asked from the directory and kept for a minute."""

import asyncio
import time

import msgspec
import structlog

from gateway.access.remembered import Clock, Collapse, Remembered
from ports.caller import Call, Caller
from ports.common import SystemName
from ports.directory import Directory
from ports.errors import PortError, TransientError, UnavailableError

_SECONDS = 60.0
_PEOPLE = 10_000
_DEADLINE_SECONDS = 5.0
_OPERATION = "directory.customers_of"

log = structlog.get_logger(__name__)


class Membership:
    """One for all issuers: callers have different subjects, whoever vouches for them."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._known: Remembered[tuple[str, str | None], tuple[str, ...]]
        self._known = Remembered(_PEOPLE, clock.steady)
        self._questions: Collapse[tuple[str, str | None], tuple[str, ...]] = Collapse()

    async def placed(self, caller: Caller, subject: str, email: str | None) -> Caller:
        """The caller with its customers. `subject` is the issuer's own name, `email` a proven one.

        Raises TransientError: who cannot be placed is not let in as somebody else.
        """
        person = (caller.subject, email)
        customers = self._known.get(person)
        if customers is None:
            customers = await self._questions.run(
                person, lambda: self._asked(caller, subject, email)
            )
        if not customers:
            return caller
        return msgspec.structs.replace(
            caller, customer=customers[0], customers=frozenset(customers)
        )

    async def aclose(self) -> None:
        await self._questions.aclose()

    async def _asked(self, caller: Caller, subject: str, email: str | None) -> tuple[str, ...]:
        call = Call(caller, "en", time.monotonic() + _DEADLINE_SECONDS)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                customers = await self._directory.customers_of(subject, email, call=call)
        except TransientError:
            raise
        except (PortError, TimeoutError) as problem:
            log.warning("directory failed", subject=caller.subject, reason=str(problem))
            raise UnavailableError(
                system=SystemName.DIRECTORY.value, upstream="directory", operation=_OPERATION
            ) from problem
        self._known.put((caller.subject, email), customers, _SECONDS)
        return customers
