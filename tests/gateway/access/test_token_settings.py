"""What `[access]` accepts, strict where it is not told otherwise."""

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.access.assembly import anonymous_caller
from gateway.settings.access import TokenSettings

PEOPLE = {"issuer": "https://idp.example/", "audience": "api"}


def read(**told: Any) -> TokenSettings:
    return TokenSettings.model_validate(told)


def test_strict_unless_told_otherwise() -> None:
    found = read(issuers=[PEOPLE])

    assert anonymous_caller(found) is None
    (issuer,) = found.issuers
    assert issuer.issuer == "https://idp.example/"
    assert issuer.audience == ("api",)
    assert issuer.algorithms == ("ES256", "RS256", "PS256", "EdDSA")
    assert not issuer.plain_jwt
    assert not issuer.insecure
    assert issuer.leeway_seconds == 30
    assert found.claims.staff is None


def test_a_file() -> None:
    text = """
        anonymous = true
        [[issuers]]
        issuer = "https://idp.example/people"
        audience = ["api", "https://api.example"]
        [issuers.introspection]
        client_id = "gateway"
        client_secret = "hidden"
        [issuers.claims]
        customer = "https://example.com/customer"
        [claims]
        staff = "realm_access.roles"
        staff_value = "sales"
    """
    found = TokenSettings.model_validate(tomllib.loads(text))

    assert found.issuers[0].audience == ("api", "https://api.example")
    assert found.issuers[0].claims is not None
    assert found.claims.staff_value == "sales"
    assert "hidden" not in repr(found)


def test_issuers_may_have_names_that_variables_can_reach() -> None:
    assert read(issuers={"people": PEOPLE}) == read(issuers=[PEOPLE])


@pytest.mark.parametrize("alg", ["none", "HS256", "HS512", "RS1", "ES256K", ""])
def test_algorithms_that_nobody_can_allow(alg: str) -> None:
    with pytest.raises(ValidationError):
        read(issuers=[{**PEOPLE, "algorithms": [alg]}])


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://idp.example"},
        {"issuer": "idp.example"},
        {"issuer": "https://user:secret@idp.example"},
        {"jwks_uri": "http://idp.example/jwks"},
        {"discovery": "http://idp.example/metadata"},
        {"audience": []},
        {"algorithms": []},
        {"leeway_seconds": 3600},
        {"clock_skew": 5},
        {"introspection": {"client_id": "x"}},
        {
            "introspection": {
                "client_id": "x",
                "client_secret": "y",
                "endpoint": "http://idp.example/introspect",
            }
        },
        {"introspection": {"client_id": "x", "client_secret": "y", "cache_seconds": 61}},
    ],
    ids=str,
)
def test_issuers_that_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(issuers=[PEOPLE | change])


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:1", "http://127.9.9.9"]
)
def test_plain_http_on_this_machine(issuer: str) -> None:
    assert read(issuers=[PEOPLE | {"issuer": issuer}]).issuers[0].issuer == issuer


def test_plain_http_elsewhere_when_said_so() -> None:
    told = PEOPLE | {"issuer": "http://idp.internal", "insecure": True}

    assert read(issuers=[told]).issuers[0].insecure


def test_an_issuer_is_there_once() -> None:
    with pytest.raises(ValidationError, match="twice"):
        read(issuers=[PEOPLE, PEOPLE])


def test_what_everybody_may_have() -> None:
    caller = anonymous_caller(read(anonymous=True, anonymous_scopes=["catalog:read"]))
    assert caller is not None
    assert caller.scopes == {"catalog:read"}
    with pytest.raises(ValidationError, match="orders:read"):
        read(anonymous=True, anonymous_scopes=["orders:read"])
