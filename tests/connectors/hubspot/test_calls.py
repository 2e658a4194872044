"""How often HubSpot is called, and with what."""

import pytest

from connectors.hubspot.connector import HubSpot
from ports.common import PageRequest
from tests.connectors.hubspot.conftest import connector
from tests.contracts.peers import Faulty, Scripted, call

READ = "/crm/v3/objects/companies/batch/read"
LINKS = "/crm/v4/associations/companies/contacts/batch/read"
PEOPLE = "/crm/v3/objects/contacts/batch/read"
REFERENCE = {"/crm/v3/properties/companies", "/crm/v3/owners"}


def counted(peer: Faulty) -> list[str]:
    return [path for path in peer.paths if path not in REFERENCE]


async def test_a_customer_with_contacts_and_representative_takes_three_calls(
    hubspot_connector: HubSpot, faults: Faulty
) -> None:
    customers = await hubspot_connector.customers(("C10001", "C10003"), call=call())
    await hubspot_connector.contacts(("C10001", "C10003"), call=call())
    keys = [getattr(one, "representative", None) for one in customers.values()]
    told = await hubspot_connector.representatives([key for key in keys if key], call=call())

    assert len(told) == 2
    assert counted(faults) == [READ, LINKS, PEOPLE]


async def test_contacts_alone_take_three_calls(hubspot_connector: HubSpot, faults: Faulty) -> None:
    await hubspot_connector.contacts(("C10001",), call=call())

    assert counted(faults) == [READ, LINKS, PEOPLE]


async def test_contacts_of_all_companies_are_read_by_the_hundred(
    hubspot_connector: HubSpot, faults: Faulty
) -> None:
    numbers = tuple(f"C{10_001 + at}" for at in range(60))
    told = await hubspot_connector.contacts(numbers, call=call())

    people = sum(len(one) for one in told.values() if isinstance(one, tuple))
    assert people > 100
    assert counted(faults) == [READ, LINKS, *[PEOPLE] * -(-people // 100)]


async def test_reference_data_is_read_once(hubspot_connector: HubSpot, faults: Faulty) -> None:
    for number in ("C10001", "C10002", "C10003"):
        await hubspot_connector.customers((number,), call=call())
        await hubspot_connector.representatives(("61000001",), call=call())

    assert sorted(path for path in faults.paths if path in REFERENCE) == sorted(REFERENCE)


async def test_a_restriction_to_nothing_takes_no_call(
    hubspot_connector: HubSpot, faults: Faulty
) -> None:
    page = await hubspot_connector.search("x", (), PageRequest(10), call=call())

    assert (page.items, page.total, counted(faults)) == ((), 0, [])


async def test_strange_numbers_are_not_sent(hubspot_connector: HubSpot, faults: Faulty) -> None:
    assert await hubspot_connector.customers(("", " ", "\ud800", "a\nb"), call=call()) == {}
    assert counted(faults) == []


@pytest.mark.parametrize(
    ("version", "paths"),
    [
        ("v3", [READ, LINKS, PEOPLE]),
        (
            "2026-09",
            [
                "/crm/objects/2026-09/companies/batch/read",
                "/crm/associations/2026-09/companies/contacts/batch/read",
                "/crm/objects/2026-09/contacts/batch/read",
            ],
        ),
    ],
)
async def test_the_version_is_part_of_every_path(
    faults: Faulty, version: str, paths: list[str]
) -> None:
    made = connector(faults, api_version=version)
    told = await made.contacts(("C10001",), call=call())
    owners = await made.representatives(("61000001",), call=call())
    await made.check(call=call())
    await made.aclose()

    assert told
    assert owners
    assert faults.paths[:3] == paths
    assert all(version in path or "/v4/" in path for path in faults.paths)


async def test_what_is_sent() -> None:
    peer = Scripted({READ: [{"results": []}], "/crm/v3/properties/companies": [{"results": []}]})
    made = connector(peer, number_property="account_no", email_property=None)
    await made.customers(("A", "B"), call=call())
    await made.aclose()

    sent = peer.asked[-1]
    assert (sent.method, sent.path) == ("POST", READ)
    assert sent.headers["authorization"] == "Bearer pat-sandbox-hubspot"
    assert sent.body["idProperty"] == "account_no"
    assert sent.body["inputs"] == [{"id": "A"}, {"id": "B"}]
    assert {"account_no", "name", "hubspot_owner_id"} <= set(sent.body["properties"])
    assert "email" not in sent.body["properties"]


async def test_the_record_id_itself_may_be_the_number() -> None:
    company = {"id": "77", "properties": {"name": "Works"}}
    peer = Scripted({READ: [{"results": [company]}]})
    made = connector(peer, number_property="hs_object_id", preference_prefix=None)
    told = await made.customers(("77",), call=call())
    await made.aclose()

    assert set(told) == {"77"}
    assert "idProperty" not in peer.asked[0].body


async def test_a_search_restricts_by_lower_case_values() -> None:
    peer = Scripted({"/crm/v3/objects/companies/search": [{"total": 0, "results": []}]})
    made = connector(peer, preference_prefix=None)
    await made.search("Ada Works", ("C1", "C2"), PageRequest(20, "40"), call=call())
    await made.aclose()

    sent = peer.asked[0].body
    among = {"propertyName": "customer_number", "operator": "IN", "values": ["c1", "c2"]}
    assert all(group["filters"][0] == among for group in sent["filterGroups"])
    assert all(len(group["filters"]) <= 6 for group in sent["filterGroups"])
    assert (sent["limit"], sent["after"]) == (20, "40")
    assert sent["sorts"] == [{"propertyName": "name", "direction": "ASCENDING"}]
