"""What every implementation of the `customers` port promises."""

from dataclasses import dataclass

import msgspec
import pytest

from ports.caller import Call
from ports.common import Page, PageRequest, SystemName
from ports.customers import Contact, Customer, Customers
from ports.errors import BadInputError, UpstreamError
from tests.contracts.parts import assert_parts_are_as_in_the_whole
from tests.contracts.peers import FAILURES, Faults, call, call_for

STRANGE = ("nobody", "", " ", "%", "*", "\0", "\ud800", "x" * 5_000, "' OR 1=1 --", "a\nb")


@dataclass(frozen=True)
class CustomersFacts:
    """What the CRM behind the port is known to hold."""

    upstream: str
    customers: dict[str, Customer]
    "By number, in the order of their names; the records as they must come, references apart."
    contacts: dict[str, tuple[str, ...]]
    "Names of people by number of their company, at least one of which has none."
    representatives: dict[str, str]
    "Names by key."
    search: tuple[str, tuple[str, ...]]
    "A text of one word and the numbers of the companies whose names it finds, in order."


class CustomersContract:
    """Subclasses give the fixtures `port`, `facts` and `faults`."""

    async def test_known_companies_are_told_as_they_are(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        answers = await port.customers(tuple(facts.customers), call=call())

        assert {number: _bare(_customer(one)) for number, one in answers.items()} == facts.customers
        for number, one in answers.items():
            told = _customer(one)
            assert told.number == number
            assert {(at.system, at.upstream) for at in told.references} == {
                (SystemName.CRM, facts.upstream)
            }

    async def test_parts_of_a_company_are_as_in_the_whole(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        known = next(iter(facts.customers))

        async def read(call: Call) -> Customer | UpstreamError:
            return (await port.customers((known,), call=call))[known]

        await assert_parts_are_as_in_the_whole(read, call())

    async def test_unknown_numbers_are_absent(self, port: Customers, facts: CustomersFacts) -> None:
        known = next(iter(facts.customers))

        assert set(await port.customers((known, *STRANGE), call=call())) == {known}
        assert set(await port.contacts((*STRANGE, known), call=call())) == {known}
        assert await port.representatives(STRANGE, call=call()) == {}

    async def test_nothing_asked_is_nothing_told(self, port: Customers) -> None:
        assert await port.customers((), call=call()) == {}
        assert await port.contacts((), call=call()) == {}
        assert await port.representatives((), call=call()) == {}

    async def test_more_than_a_hundred_numbers_many_of_them_twice(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        asked = (*facts.customers, *(f"none-{at}" for at in range(150)), *facts.customers)

        assert set(await port.customers(asked, call=call())) == set(facts.customers)
        assert set(await port.contacts(asked, call=call())) == set(facts.customers)

    async def test_the_people_of_each_company(self, port: Customers, facts: CustomersFacts) -> None:
        answers = await port.contacts(tuple(facts.contacts), call=call())

        told = {number: tuple(p.name for p in _people(one)) for number, one in answers.items()}
        assert told == facts.contacts
        assert () in told.values()
        assert all(person.id for one in answers.values() for person in _people(one))

    async def test_representatives_by_key(self, port: Customers, facts: CustomersFacts) -> None:
        answers = await port.representatives((*facts.representatives, "0"), call=call())

        told = {key: one.name for key, one in answers.items() if isinstance(one, Contact)}
        assert told == facts.representatives

    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_lose_nothing_and_repeat_nothing(
        self, port: Customers, facts: CustomersFacts, first: int
    ) -> None:
        told = await _all(port, None, None, first)

        assert [one.number for one in told] == list(facts.customers)

    async def test_each_cursor_continues_behind_its_item(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        page = await port.search(None, None, PageRequest(5), call=call())

        for at, cursor in enumerate(page.cursors):
            rest = await port.search(None, None, PageRequest(2, cursor), call=call())
            assert [one.number for one in rest.items] == list(facts.customers)[at + 1 : at + 3]

    async def test_a_text_finds_names_in_their_order(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        text, numbers = facts.search

        for asked in (text, text.upper(), f"  {text} "):
            assert tuple(one.number for one in await _all(port, asked, None, 100)) == numbers

    async def test_a_text_finds_a_number(self, port: Customers, facts: CustomersFacts) -> None:
        number = next(iter(facts.customers))

        assert [one.number for one in await _all(port, number, None, 100)] == [number]

    @pytest.mark.parametrize("text", ["nobody", "\ud800", "x" * 5_000, "' OR 1=1 --"])
    async def test_a_text_of_nobody_finds_nobody(self, port: Customers, text: str) -> None:
        page = await port.search(text, None, PageRequest(10), call=call())

        assert (page.items, page.has_next) == ((), False)

    async def test_a_restriction_holds_with_and_without_text(
        self, port: Customers, facts: CustomersFacts
    ) -> None:
        text, numbers = facts.search
        stranger = next(number for number in facts.customers if number not in numbers)
        allowed = (numbers[0], stranger)

        within = await _all(port, None, allowed, 1)
        assert [one.number for one in within] == [one for one in facts.customers if one in allowed]
        assert [one.number for one in await _all(port, text, allowed, 10)] == [numbers[0]]
        assert await _all(port, None, (), 10) == []
        assert await _all(port, None, (numbers[0].swapcase(), "nobody"), 10) == []

    @pytest.mark.parametrize("cursor", ["", "nonsense", "-1", "99999", "1e3", "٣", "9" * 30, "\0"])
    async def test_a_cursor_of_elsewhere_is_bad_input(self, port: Customers, cursor: str) -> None:
        with pytest.raises(BadInputError):
            await port.search(None, None, PageRequest(10, cursor), call=call())

    @pytest.mark.parametrize("kind", FAILURES)
    @pytest.mark.parametrize("operation", ["customers", "contacts", "search"])
    async def test_a_failing_system_is_an_error(
        self,
        port: Customers,
        facts: CustomersFacts,
        faults: Faults,
        kind: str,
        operation: str,
    ) -> None:
        number = next(iter(facts.customers))
        await port.customers((number,), call=call())
        faults.fail(kind)

        terms = call_for(kind)
        asked = (None, None, PageRequest(5)) if operation == "search" else ((number,),)
        with pytest.raises(FAILURES[kind]) as caught:
            await getattr(port, operation)(*asked, call=terms)

        error = caught.value
        assert (error.system, error.upstream) == ("CRM", facts.upstream)
        assert error.operation.startswith("customers.")
        assert "secret" not in error.message

    async def test_it_recovers(
        self, port: Customers, facts: CustomersFacts, faults: Faults
    ) -> None:
        number = next(iter(facts.customers))
        faults.fail("500")
        with pytest.raises(UpstreamError):
            await port.customers((number,), call=call())
        faults.fail(None)

        assert set(await port.customers((number,), call=call())) == {number}


def _customer(answer: Customer | UpstreamError) -> Customer:
    assert isinstance(answer, Customer), getattr(answer, "detail", answer)
    return answer


def _people(answer: tuple[Contact, ...] | UpstreamError) -> tuple[Contact, ...]:
    assert isinstance(answer, tuple), getattr(answer, "detail", answer)
    return answer


def _bare(customer: Customer) -> Customer:
    """Without references, which hold keys that only the system knows."""
    return msgspec.structs.replace(customer, references=())


async def _all(
    port: Customers, text: str | None, numbers: tuple[str, ...] | None, first: int
) -> list[Customer]:
    """All pages of a search, one after the other."""
    told: list[Customer] = []
    page = Page[Customer]((), (), has_next=True)
    after = None
    while page.has_next:
        page = await port.search(text, numbers, PageRequest(first, after), call=call())
        assert len(page.cursors) == len(page.items) <= first
        assert page.items or not page.has_next
        assert page.total is None or page.total >= len(page.items)
        told += page.items
        after = page.cursors[-1] if page.cursors else None
    return told
