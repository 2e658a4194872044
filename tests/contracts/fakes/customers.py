"""A CRM from memory: correct, small, and failing when told to."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.customers import Contact, Customer, Customers
from ports.errors import BadInputError, UpstreamError


class FakeCustomers:
    """Finds a company by words that its name's words begin with. `calls` are what was asked."""

    def __init__(
        self,
        customers: Iterable[Customer],
        contacts: Mapping[str, tuple[Contact, ...]] | None = None,
        representatives: Mapping[str, Contact] | None = None,
    ) -> None:
        ordered = sorted(customers, key=lambda one: (one.name.lower(), one.number))
        self._customers = {one.number: one for one in ordered}
        self._contacts = dict(contacts or {})
        self._representatives = dict(representatives or {})
        self._error: UpstreamError | None = None
        self.calls: list[tuple[str, object]] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        """From now on every operation raises this; None ends it."""
        self._error = error

    async def customers(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Customer]:
        self._asked("customers", tuple(numbers))
        return {one: self._customers[one] for one in numbers if one in self._customers}

    async def contacts(
        self, numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Contact, ...]]:
        self._asked("contacts", tuple(numbers))
        return {one: self._contacts.get(one, ()) for one in numbers if one in self._customers}

    async def representatives(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Contact]:
        self._asked("representatives", tuple(keys))
        return {key: self._representatives[key] for key in keys if key in self._representatives}

    async def search(
        self, text: str | None, numbers: tuple[str, ...] | None, page: PageRequest, /, *, call: Call
    ) -> Page[Customer]:
        self._asked("search", (text, numbers, page))
        found = [
            one
            for one in self._customers.values()
            if (numbers is None or one.number in numbers) and _matches(one, (text or "").strip())
        ]
        start = _position(page.after)
        items = found[start : start + page.first]
        cursors = [str(start + at + 1) for at in range(len(items))]
        more = start + len(items) < len(found)
        return Page(tuple(items), tuple(cursors), has_next=more, total=len(found))

    def _asked(self, operation: str, what: object) -> None:
        self.calls.append((operation, what))
        if self._error is not None:
            raise self._error


def _matches(one: Customer, text: str) -> bool:
    if not text or text.lower() == one.number.lower():
        return True
    words, own = re.findall(r"\w+", text.lower()), re.findall(r"\w+", one.name.lower())
    return bool(words) and all(any(name.startswith(word) for name in own) for word in words)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not re.fullmatch("[0-9]{1,4}", cursor):
        raise BadInputError("The cursor is not one that this listing gave.")
    return int(cursor)


_port: type[Customers] = FakeCustomers
