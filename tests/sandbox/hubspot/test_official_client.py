"""The official client library reads the sandbox over HTTP and understands every answer."""

from typing import Any

import hubspot
import pytest
from hubspot.crm import associations, companies, contacts

from sandbox.credentials import HUBSPOT_TOKEN

NUMBERS = ["customer_number", "name"]


@pytest.fixture
def client(address: str) -> hubspot.Client:
    return hubspot.Client.create(access_token=HUBSPOT_TOKEN, host=address)


def batch(*ids: str, key: str | None = None, properties: list[str] | None = None) -> Any:
    return companies.BatchReadInputSimplePublicObjectId(
        inputs=[companies.SimplePublicObjectId(id=one) for one in ids],
        id_property=key,
        properties=properties or [],
        properties_with_history=[],
    )


def test_reads_a_batch_by_the_customer_number(client: hubspot.Client) -> None:
    answer = client.crm.companies.batch_api.read(
        batch("C00002", "C00001", key="customer_number", properties=["name", "vat_number"])
    )

    assert answer.status == "COMPLETE"
    assert [one.properties["name"] for one in answer.results] == [
        "Atelier 1 Durand",
        "Atelier 2 Durand",
    ]
    assert answer.results[0].properties["hs_object_id"] == answer.results[0].id == "9001"
    assert answer.results[0].created_at < answer.results[0].updated_at


def test_a_batch_with_unknown_ids_is_partly_answered(client: hubspot.Client) -> None:
    read = client.crm.companies.batch_api.read_with_http_info
    answer, status, _ = read(batch("C00001", "C99999", key="customer_number"))

    assert status == 207
    assert [one.id for one in answer.results] == ["9001"]
    assert answer.num_errors == 1
    assert answer.errors[0].category == "OBJECT_NOT_FOUND"
    assert answer.errors[0].context == {"ids": ["C99999"]}


def test_a_batch_of_more_than_a_hundred_is_refused(client: hubspot.Client) -> None:
    with pytest.raises(companies.ApiException) as refused:
        client.crm.companies.batch_api.read(batch(*map(str, range(101))))

    assert refused.value.status == 400
    assert "VALIDATION_ERROR" in refused.value.body


def test_a_wrong_token_is_refused(address: str) -> None:
    client = hubspot.Client.create(access_token="pat-someone-else", host=address)

    with pytest.raises(companies.ApiException) as refused:
        client.crm.companies.basic_api.get_page()

    assert refused.value.status == 401
    assert "INVALID_AUTHENTICATION" in refused.value.body


def test_pages_through_every_company(client: hubspot.Client) -> None:
    everyone = client.crm.companies.get_all(properties=["customer_number"])

    numbers = [one.properties["customer_number"] for one in everyone]
    assert numbers == [f"C{index:05}" for index in range(1, 121)]


def test_searches_with_filters_and_a_sort(client: hubspot.Client) -> None:
    answer = client.crm.companies.search_api.do_search(
        companies.PublicObjectSearchRequest(
            filter_groups=[
                companies.FilterGroup(
                    filters=[
                        companies.Filter(
                            property_name="customer_number",
                            operator="IN",
                            values=["C00007", "C00009", "C00008"],
                        ),
                        companies.Filter(
                            property_name="segment", operator="EQ", value="key-account"
                        ),
                    ]
                )
            ],
            sorts=["-customer_number"],
            properties=NUMBERS,
            limit=1,
        )
    )

    assert answer.total == 2
    assert [one.properties["customer_number"] for one in answer.results] == ["C00009"]
    assert answer.paging.next.after == "1"


def test_reads_the_contacts_of_companies(client: hubspot.Client) -> None:
    read = client.crm.associations.v4.batch_api.get_page_with_http_info
    answer, status, _ = read(
        "companies",
        "contacts",
        associations.v4.BatchInputPublicFetchAssociationsBatchRequest(
            inputs=[
                associations.v4.PublicFetchAssociationsBatchRequest(id="9001"),
                associations.v4.PublicFetchAssociationsBatchRequest(id="9005"),
            ]
        ),
    )

    assert status == 207
    assert [link.to_object_id for link in answer.results[0].to] in (
        [5001, 5002],
        ["5001", "5002"],
    )
    assert [one.label for one in answer.results[0].to[0].association_types] == ["Primary", None]
    assert answer.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_reads_a_contact_by_its_email(client: hubspot.Client) -> None:
    one = client.crm.contacts.basic_api.get_by_id(
        "alice.martin@example.com",
        id_property="email",
        properties=["jobtitle"],
        associations=["companies"],
    )

    assert one.id == "5001"
    assert one.properties["jobtitle"] == "Buyer"
    assert "firstname" not in one.properties
    assert one.associations["companies"].results[0].id == "9001"


def test_an_unknown_contact_is_not_found(client: hubspot.Client) -> None:
    with pytest.raises(contacts.ApiException) as refused:
        client.crm.contacts.basic_api.get_by_id("1")

    assert refused.value.status == 404


def test_reads_the_owners(client: hubspot.Client) -> None:
    owners = client.crm.owners.owners_api.get_page(limit=2)
    assert [one.first_name for one in owners.results] == ["Rep0", "Rep1"]

    rest = client.crm.owners.owners_api.get_page(limit=2, after=owners.paging.next.after)
    assert [one.id for one in rest.results] == ["72"]

    assert client.crm.owners.owners_api.get_by_id(72).email == "rep2@passerelle.example"


def test_describes_the_properties(client: hubspot.Client) -> None:
    described = client.crm.properties.core_api.get_all("companies")
    by_name = {one.name: one for one in described.results}

    assert by_name["customer_number"].has_unique_value
    assert not by_name["customer_number"].hubspot_defined
    assert [one.value for one in by_name["segment"].options] == ["key-account", "standard"]
    assert "pref_partialdelivery" in by_name
