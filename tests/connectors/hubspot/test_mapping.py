"""Mapping without the wire: whatever texts a portal holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.identities import Identities
from connectors.hubspot.mapping import CompanyShape, contact, language_tag, web_address
from connectors.hubspot.payloads import Record
from connectors.hubspot.searching import question
from ports.common import PageRequest

SHAPE = CompanyShape(HubSpotConfig.model_validate(HubSpotConfig.example()), ("pref_a",))
values = st.none() | st.text(max_size=20)


@given(st.fixed_dictionaries(dict.fromkeys(SHAPE.properties, values)))
def test_any_texts_make_a_company(properties: dict[str, object]) -> None:
    one = SHAPE.customer(Record("1", properties), "C1", "crm")

    assert one.name
    assert one.website is None or one.website.startswith(("http://", "https://"))
    assert all(text is None or text.strip() for text in (one.email, one.phone, one.segment))


@given(st.dictionaries(st.sampled_from(["firstname", "lastname", "email", "phone"]), values))
def test_any_texts_make_a_person_with_a_name(properties: dict[str, object]) -> None:
    assert contact(Record("7", properties)).name


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("fr", "fr"), ("FR", "fr"), ("fr-fr", "fr-FR"), ("pt_BR", "pt-BR"), ("es-419", "es-419"),
        ("French", None), ("", None), (None, None), ("fr-", None),
    ],
)  # fmt: skip
def test_languages(told: str | None, tag: str | None) -> None:
    assert language_tag(told) == tag


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("a.example", "https://a.example"),
        ("http://a.example/x", "http://a.example/x"),
        ("javascript://a.example/%0aalert(1)", None),
        ("javascript:alert(1)", None),
        ("ftp://a.example", None),
        ("a b.example", None),
        ("localhost", None),
        ("https://[a.example", None),
        (None, None),
    ],
)
def test_websites(told: str | None, address: str | None) -> None:
    assert web_address(told) == address


@given(st.text(max_size=300), st.none() | st.lists(st.text(max_size=5), max_size=3))
def test_any_text_makes_a_search_that_hubspot_takes(text: str, numbers: list[str] | None) -> None:
    among = None if numbers is None else tuple(numbers)
    body = question("n", ["name"], text, among, PageRequest(10))
    groups = body["filterGroups"]

    assert isinstance(groups, list)
    assert 1 <= len(groups) <= 5
    assert all(1 <= len(group["filters"]) <= 6 for group in groups)
    assert sum(len(group["filters"]) for group in groups) <= 18
    for group in groups:
        assert group["filters"][0]["operator"] == ("HAS_PROPERTY" if among is None else "IN")
        assert all(one.get("value", "x") for one in group["filters"])


def test_identities_are_forgotten_after_a_minute_and_beyond_ten_thousand() -> None:
    now = [0.0]
    known = Identities(lambda: now[0])
    known.remember("A", "1")
    now[0] = 59.0
    assert known.known(("A", "B")) == {"A": "1"}
    now[0] = 60.0
    assert known.known(("A",)) == {}
    for at in range(10_000):
        known.remember(f"N{at}", str(at))
    known.remember("A", "1")
    assert known.known(("N0", "N1", "A")) == {"N1": "1", "A": "1"}
