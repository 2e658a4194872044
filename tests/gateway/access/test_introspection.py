"""Opaque tokens, which only their issuer can tell the worth of."""

import asyncio
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from gateway.access.errors import AccessError
from ports.caller import CallerKind
from ports.errors import UnavailableError
from tests.gateway.access.issuing import START, FakeIssuer, Gate, introspecting, settings

ASKED = "/realms/people/introspect"
NOW = int(START)


@pytest.fixture
def issuer() -> FakeIssuer:
    issuer = FakeIssuer()
    issuer.active["good"] = issuer.claims(token_type="Bearer")
    return issuer


@pytest.fixture
def gate(issuer: FakeIssuer) -> Gate:
    return Gate(issuer, issuers=[introspecting()], anonymous=True)


async def refused(gate: Gate, token: str, told: str = "not accepted") -> None:
    with pytest.raises(AccessError, match=f"The access token is {told}"):
        await gate.bearer(token)


async def test_an_active_token_is_its_holder(gate: Gate) -> None:
    found = await gate.bearer("good")

    assert (found.subject, found.customer, found.kind) == ("ada", "C-1", CallerKind.USER)
    assert found.scopes == {"orders:read", "catalog:read"}


async def test_signed_tokens_go_on_beside(gate: Gate, issuer: FakeIssuer) -> None:
    assert (await gate.bearer(issuer.token())).subject == "ada"
    assert issuer.asked[ASKED] == 0


async def test_a_token_that_the_issuer_does_not_know(gate: Gate, issuer: FakeIssuer) -> None:
    for _ in range(10):
        await refused(gate, "bad")
    assert issuer.asked[ASKED] == 1

    issuer.active["bad"] = issuer.claims()
    gate.time.passed = 5
    assert (await gate.bearer("bad")).subject == "ada"


async def test_an_answer_is_believed_for_so_long(gate: Gate, issuer: FakeIssuer) -> None:
    await gate.bearer("good")
    issuer.active.clear()

    gate.time.passed = 29.9
    await gate.bearer("good")
    gate.time.passed = 30
    await refused(gate, "good")


async def test_an_answer_is_not_believed_beyond_the_token(issuer: FakeIssuer) -> None:
    gate = Gate(issuer, issuers=[introspecting()])
    issuer.active["short"] = issuer.claims(exp=NOW + 2)
    await gate.bearer("short")

    issuer.active.clear()
    gate.time.passed = 2
    await refused(gate, "short")


async def test_one_question_for_all_who_ask(gate: Gate, issuer: FakeIssuer) -> None:
    callers = await asyncio.gather(*(gate.bearer("good") for _ in range(50)))

    assert {caller.subject for caller in callers} == {"ada"}
    assert issuer.asked[ASKED] == 1


async def test_two_tokens_are_two_callers(gate: Gate, issuer: FakeIssuer) -> None:
    for n in range(20):
        issuer.active[f"t{n}"] = issuer.claims(sub=f"u{n}", customer_number=f"C-{n}")

    callers = await asyncio.gather(*(gate.bearer(f"t{n % 20}") for n in range(200)))

    assert [caller.customer for caller in callers] == [f"C-{n % 20}" for n in range(200)]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "https://elsewhere.example"},
        {"aud": []},
        {"aud": 7},
        {"exp": "never"},
        {"exp": True},
        {"nbf": NOW + 31},
        {"sub": None, "client_id": None},
        {"token_type": "refresh_token"},
        {"typ": "Refresh"},
        {"cnf": {"x5t#S256": "x"}},
    ],
    ids=str,
)
async def test_active_and_still_not_for_us(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    issuer.active["odd"] = issuer.claims(**claims)

    await refused(gate, "odd")


async def test_an_expired_token(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.active["old"] = issuer.claims(exp=NOW - 30)

    await refused(gate, "old", "expired")
    await refused(gate, "old", "expired")


async def test_little_need_be_told(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.active["bare"] = {"client_id": "machine", "scope": "stock:read"}

    found = await gate.bearer("bare")
    assert (found.subject, found.customer, found.scopes) == ("machine", None, {"stock:read"})


async def test_the_audience_may_be_required(issuer: FakeIssuer) -> None:
    issuer.active["bare"] = {"sub": "ada"}

    await refused(Gate(issuer, issuers=[introspecting(audience_required=True)]), "bare")


def _broken() -> dict[str, Response]:
    return {
        "500": Response(status_code=500),
        "our secret is wrong": Response(status_code=401),
        "html": Response("<html>active"),
        "text": JSONResponse("active"),
        "no word": JSONResponse({"sub": "ada"}),
        "a word": JSONResponse({"active": "true", "sub": "ada"}),
        "a number": JSONResponse({"active": 1, "sub": "ada"}),
        "twice": Response('{"active": false, "active": true, "sub": "ada"}'),
        "empty": Response(""),
    }


@pytest.mark.parametrize("fault", _broken())
async def test_answers_that_tell_nothing(gate: Gate, issuer: FakeIssuer, fault: str) -> None:
    issuer.replies["introspect"] = _broken()[fault]

    with pytest.raises(UnavailableError):
        await gate.bearer("good")

    issuer.replies.clear()
    assert (await gate.bearer("good")).subject == "ada"


async def test_an_issuer_that_is_down(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.down = True

    with pytest.raises(UnavailableError):
        await gate.bearer("good")


async def test_an_issuer_that_is_slow(issuer: FakeIssuer) -> None:
    issuer.gate = asyncio.Event()
    told = introspecting(endpoint="http://127.0.0.1:9/realms/people/introspect")
    gate = Gate(issuer, issuers=[told | {"timeout_seconds": 0.02}])

    with pytest.raises(UnavailableError):
        await gate.bearer("good")


async def test_each_issuer_is_asked_until_one_knows() -> None:
    first, second = FakeIssuer(), FakeIssuer("http://127.0.0.2:9/realms/machines")
    second.active["theirs"] = second.claims(sub="robot")
    gate = Gate(first, second, issuers=[introspecting(), introspecting() | {"issuer": second.name}])

    assert (await gate.bearer("theirs")).subject.endswith(" robot")
    first.down = True
    second.active["other"] = second.claims(sub="robot")
    assert (await gate.bearer("other")).subject.endswith(" robot")
    with pytest.raises(UnavailableError):
        await gate.bearer("unknown")


async def test_without_introspection_nobody_is_asked(issuer: FakeIssuer) -> None:
    await refused(Gate(issuer, issuers=[settings()]), "good")

    assert not issuer.asked


@pytest.mark.parametrize(
    "token", ["gw_live_secret", "good token", "a.b.c", "a.b.c.d.e", "x" * 9000]
)
async def test_what_is_no_business_of_the_issuer(
    gate: Gate, issuer: FakeIssuer, token: str
) -> None:
    await refused(gate, token)

    assert not issuer.asked
