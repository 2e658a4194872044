"""Who belongs to which customer, where a caller's token does not say it."""

from typing import Protocol

from ports.caller import Call
from ports.operation import single


class Directory(Protocol):
    """The system that knows people: a CRM's contacts, an LDAP directory, a table of its own."""

    @single(varies_on=(), max_age=60, stale_if_error=0)
    async def customers_of(
        self, subject: str, email: str | None, /, *, call: Call
    ) -> tuple[str, ...]:
        """Numbers of the customers that this person acts for, the usual one first; none: ().

        `subject` is the issuer's own name of the person. `email` is None where nobody vouches
        that the address is the person's.
        """
        ...
