"""HubSpot's own shapes of answers, built with the models of its official client."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hubspot.crm.associations.v4 import models as links
from hubspot.crm.companies import ApiClient, models
from hubspot.crm.owners import models as people

from connectors.hubspot.connector import HubSpot
from ports.common import PageRequest
from ports.customers import Contact, Customer
from ports.errors import (
    BadInputError,
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from tests.connectors.hubspot.conftest import connector
from tests.contracts.peers import Scripted, call

READ = "/crm/v3/objects/companies/batch/read"
LINKS = "/crm/v4/associations/companies/contacts/batch/read"
PEOPLE = "/crm/v3/objects/contacts/batch/read"
OWNERS = "/crm/v3/owners"
SEARCH = "/crm/v3/objects/companies/search"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def wire(model: Any) -> Any:
    """A model as the official client would send it."""
    return ApiClient().sanitize_for_serialization(model)


def record(id_: str, **properties: Any) -> Any:
    return models.SimplePublicObject(
        id=id_, properties=properties, created_at=NOW, updated_at=NOW, archived=False
    )


def batch(*records: Any, errors: tuple[Any, ...] = ()) -> Any:
    told: dict[str, Any] = {
        "status": "COMPLETE", "results": list(records), "started_at": NOW, "completed_at": NOW,
    }  # fmt: skip
    if not errors:
        return wire(models.BatchResponseSimplePublicObject(**told))
    return 207, wire(
        models.BatchResponseSimplePublicObjectWithErrors(
            **told, errors=list(errors), num_errors=len(errors)
        )
    )


def error(category: str, **context: list[str]) -> Any:
    return models.StandardError(
        status="error", category=category, message="m", errors=[], context=context, links={}
    )


def linked(source: str, *targets: str, after: str | None = None) -> Any:
    return links.PublicAssociationMultiWithLabel(
        _from=links.PublicObjectId(id=source),
        to=[
            links.MultiAssociatedObjectWithLabel(
                to_object_id=target,
                association_types=[
                    links.AssociationSpecWithLabel(category="HUBSPOT_DEFINED", type_id=280)
                ],
            )
            for target in targets
        ],
        paging=links.Paging(next=links.NextPage(after=after)) if after else None,
    )


def links_batch(*results: Any) -> Any:
    return wire(
        links.BatchResponsePublicAssociationMultiWithLabel(
            status="COMPLETE", results=list(results), started_at=NOW, completed_at=NOW
        )
    )


def made(answers: dict[str, list[Any]], **settings: object) -> tuple[HubSpot, Scripted]:
    peer = Scripted(answers)
    return connector(peer, **{"preference_prefix": None, **settings}), peer


async def test_a_partial_answer_gives_what_it_has() -> None:
    missing = error("OBJECT_NOT_FOUND", ids=["C2"])
    broken = error("INTERNAL_ERROR", ids=["C3"])
    limited = error("RATE_LIMITS", ids=["C4"])
    found = record("1", customer_number="C1", name="Works")
    crm, _ = made({READ: [batch(found, errors=(missing, broken, limited))]})
    told = await crm.customers(("C1", "C2", "C3", "C4"), call=call())
    await crm.aclose()

    assert set(told) == {"C1", "C3", "C4"}
    assert isinstance(told["C1"], Customer)
    assert isinstance(told["C3"], UnavailableError)
    assert isinstance(told["C4"], ThrottledError)


async def test_an_error_that_names_nobody_is_everybodys_who_is_not_there() -> None:
    found = record("1", customer_number="C1", name="Works")
    crm, _ = made({READ: [batch(found, errors=(error("VALIDATION_ERROR"),))]})
    told = await crm.customers(("C1", "C2"), call=call())
    await crm.aclose()

    assert isinstance(told["C1"], Customer)
    assert isinstance(told["C2"], RefusedError)


async def test_a_property_of_another_type_costs_its_own_company() -> None:
    good = record("1", customer_number="C1", name="Works")
    bad = record("2", customer_number="C2", name=["not", "text"])
    crm, _ = made({READ: [batch(good, bad)]})
    told = await crm.customers(("C1", "C2"), call=call())
    await crm.aclose()

    assert isinstance(told["C1"], Customer)
    assert isinstance(told["C2"], MalformedError)


@pytest.mark.parametrize("operation", ["customers", "contacts"])
async def test_a_number_of_another_type_is_malformed(operation: str) -> None:
    crm, _ = made({READ: [batch(record("1", customer_number=7))]})
    with pytest.raises(MalformedError) as caught:
        await getattr(crm, operation)(("7",), call=call())
    await crm.aclose()

    assert caught.value.operation == f"customers.{operation}"


async def test_nothing_found_at_all_may_be_a_404() -> None:
    nothing = wire(error("OBJECT_NOT_FOUND", ids=["C1"]))
    crm, _ = made({READ: [(404, nothing)]})
    assert await crm.customers(("C1",), call=call()) == {}
    await crm.aclose()


async def test_a_404_of_a_path_is_no_empty_answer() -> None:
    crm, _ = made({READ: [(404, wire(error("OBJECT_NOT_FOUND")))]})
    with pytest.raises(RefusedError):
        await crm.customers(("C1",), call=call())
    await crm.aclose()


async def test_all_of_a_company() -> None:
    told = record(
        "9001",
        customer_number="C1",
        name=" Works ",
        domain="works.example",
        email="",
        phone=None,
        website="works.example/en",
        vat_number="FR1",
        segment="sme",
        preferred_language="de_at",
        hubspot_owner_id="61",
        pref_carrier="dhl",
        pref_edi=None,
        newsletter="no",
    )
    known = {"results": [{"name": "pref_carrier"}, {"name": "pref_edi"}, {"name": "name"}]}
    crm, _ = made(
        {READ: [batch(told)], "/crm/v3/properties/companies": [known]},
        preference_prefix="pref_",
        preference_properties=("newsletter",),
    )
    one = (await crm.customers(("C1",), call=call()))["C1"]
    await crm.aclose()

    assert isinstance(one, Customer)
    assert (one.name, one.email, one.phone, one.language) == ("Works", None, None, "de-AT")
    assert one.website == "https://works.example/en"
    assert (one.vat_number, one.segment, one.representative) == ("FR1", "sme", "61")
    assert [(wish.key, wish.value) for wish in one.preferences] == [
        ("newsletter", "no"),
        ("carrier", "dhl"),
    ]


async def test_a_portal_that_hides_its_properties_still_shows_companies() -> None:
    answers = {
        READ: [batch(record("1", customer_number="C1", newsletter="no"))],
        "/crm/v3/properties/companies": [(403, wire(error("MISSING_SCOPES")))],
    }
    crm, _ = made(answers, preference_prefix="pref_", preference_properties=("newsletter",))
    one = (await crm.customers(("C1",), call=call()))["C1"]
    await crm.aclose()

    assert isinstance(one, Customer)
    assert one.name == "C1"
    assert [wish.key for wish in one.preferences] == ["newsletter"]


async def test_people_of_a_long_list_are_gathered_from_all_its_pages() -> None:
    companies = batch(record("1", customer_number="C1"), record("2", customer_number="C2"))
    first = links_batch(linked("1", "10", "11", after="11"), linked("2", "20"))
    second = links_batch(linked("1", "12", "10"))
    names = [record(id_, firstname="P", lastname=id_) for id_ in ("20", "12", "10", "11")]
    crm, peer = made({READ: [companies], LINKS: [first, second], PEOPLE: [batch(*names)]})
    told = await crm.contacts(("C1", "C2"), call=call())
    await crm.aclose()

    lists = {number: some for number, some in told.items() if isinstance(some, tuple)}
    assert {number: [person.id for person in some] for number, some in lists.items()} == {
        "C1": ["10", "11", "12"],
        "C2": ["20"],
    }
    assert peer.asked[2].body == {"inputs": [{"id": "1", "after": "11"}]}


async def test_associations_that_never_end_are_malformed() -> None:
    again = links_batch(linked("1", "10", after="10"))
    crm, _ = made({READ: [batch(record("1", customer_number="C1"))], LINKS: [again]})
    with pytest.raises(MalformedError):
        await crm.contacts(("C1",), call=call())
    await crm.aclose()


async def test_contacts_fail_by_company() -> None:
    companies = [record(str(at), customer_number=f"C{at}") for at in range(1, 5)]
    none = error("OBJECT_NOT_FOUND", fromObjectId=["1"])
    broken = error("INTERNAL_ERROR", fromObjectId=["2"])
    some = wire(
        links.BatchResponsePublicAssociationMultiWithLabelWithErrors(
            status="COMPLETE",
            results=[linked("3", "30"), linked("4", "40", "41")],
            errors=[none, broken],
            num_errors=2,
            started_at=NOW,
            completed_at=NOW,
        )
    )
    people_told = batch(record("30", firstname=5), record("40", email="a@b.example"))
    crm, _ = made({READ: [batch(*companies)], LINKS: [(207, some)], PEOPLE: [people_told]})
    told = await crm.contacts(("C1", "C2", "C3", "C4", "C5"), call=call())
    await crm.aclose()

    assert told["C1"] == ()
    assert isinstance(told["C2"], UnavailableError)
    assert isinstance(told["C3"], MalformedError)
    assert told["C4"] == (Contact("40", "a@b.example", email="a@b.example"),)
    assert "C5" not in told


async def test_owners_of_several_pages() -> None:
    def page(*ids: str, after: str | None = None) -> Any:
        owners = [
            people.PublicOwner(
                id=id_, email=f"{id_}@x.example", type="PERSON", first_name="", last_name=None,
                created_at=NOW, updated_at=NOW, archived=False,
            )
            for id_ in ids
        ]  # fmt: skip
        paging = people.ForwardPaging(next=people.NextPage(after=after)) if after else None
        return wire(
            people.CollectionResponsePublicOwnerForwardPaging(results=owners, paging=paging)
        )

    crm, peer = made({OWNERS: [page("1", "2", after="2"), page("3")]})
    told = await crm.representatives(("3", "1", "9"), call=call())
    await crm.aclose()

    assert told["3"] == Contact("3", "3@x.example", email="3@x.example")
    assert set(told) == {"1", "3"}
    assert [one.query.get("after") for one in peer.asked] == [None, "2"]


async def test_owners_that_never_end_are_malformed() -> None:
    again = {"results": [], "paging": {"next": {"after": "1"}}}
    crm, _ = made({OWNERS: [again]})
    with pytest.raises(MalformedError):
        await crm.representatives(("1",), call=call())
    await crm.aclose()


@pytest.mark.parametrize(
    ("policy", "wait"),
    [("DAILY", 3_600.0), ("TEN_SECONDLY_ROLLING", 10.0), ("SECONDLY", 1.0), ("OTHER", 1.0)],
)
async def test_a_reached_limit_tells_how_long_to_wait(policy: str, wait: float) -> None:
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": policy, "message": "m"}
    crm, peer = made({READ: [(429, body)]}, tries=5)
    with pytest.raises(ThrottledError) as caught:
        await crm.customers(("C1",), call=call(seconds=0.9))
    await crm.aclose()

    assert caught.value.retry_after == wait
    assert len(peer.asked) == 1


async def test_a_limit_told_without_json_is_still_one() -> None:
    crm, _ = made({READ: [(429, b"slow down")]})
    with pytest.raises(ThrottledError) as caught:
        await crm.customers(("C1",), call=call())
    await crm.aclose()

    assert caught.value.retry_after is None


async def test_a_search_page() -> None:
    found = models.CollectionResponseWithTotalSimplePublicObjectForwardPaging(
        total=3,
        results=[record("1", customer_number="C1", name="A"), record("2", name="No customer")],
        paging=models.ForwardPaging(next=models.NextPage(after="2")),
    )
    crm, _ = made({SEARCH: [wire(found)]})
    page = await crm.search(None, None, PageRequest(2), call=call())
    await crm.aclose()

    assert [one.number for one in page.items] == ["C1"]
    assert (page.cursors, page.has_next, page.total) == (("1",), True, 3)


async def test_a_search_with_a_bad_record_is_malformed() -> None:
    crm, _ = made(
        {SEARCH: [{"total": 1, "results": [wire(record("1", customer_number="C", name=1))]}]}
    )
    with pytest.raises(MalformedError):
        await crm.search(None, None, PageRequest(2), call=call())
    await crm.aclose()


async def test_a_search_ends_at_ten_thousand() -> None:
    crm, peer = made({SEARCH: [{"total": 20_000, "results": []}]})
    with pytest.raises(BadInputError):
        await crm.search(None, None, PageRequest(10, "10000"), call=call())
    await crm.search(None, None, PageRequest(10, "9995"), call=call())
    await crm.aclose()

    assert [one.body["limit"] for one in peer.asked] == [5]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ((404, {}), RefusedError),
        ({"name": "customer_number", "hasUniqueValue": False}, RefusedError),
        ((401, {}), RefusedError),
        ({"label": "x"}, MalformedError),
        ({"name": "customer_number", "hasUniqueValue": True}, None),
    ],
)
async def test_the_check_tells_what_is_wrong(
    answer: object, raised: type[Exception] | None
) -> None:
    found = {"total": 0, "results": []}
    crm, peer = made({"/crm/v3/properties/companies/customer_number": [answer], SEARCH: [found]})
    if raised is None:
        await crm.check(call=call())
        assert peer.asked[-1].path == SEARCH
    else:
        with pytest.raises(raised):
            await crm.check(call=call())
    await crm.aclose()
