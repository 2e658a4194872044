"""Which credential counts, how refusals are told, and what is remembered of a token."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from gateway.access.errors import AccessError
from gateway.access.remembered import Clock, Remembered
from ports.caller import Caller, CallerKind
from tests.gateway.access.issuing import ISSUER, FakeIssuer, Gate, settings

PARTNER = Caller(subject="key:partner", kind=CallerKind.APPLICATION)
METADATA = "https://gateway.example/.well-known/oauth-protected-resource/graphql"


class OneKey:
    """A verifier that knows one key, from one page."""

    async def verify(self, key: str, *, origin: str | None) -> Caller | None:
        return PARTNER if key == "gw_live_good" and origin != "https://evil.example" else None


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def gate(issuer: FakeIssuer) -> Gate:
    return Gate(issuer, keys=OneKey(), issuers=[settings()], anonymous=True)


async def error(gate: Gate, *headers: tuple[str, str]) -> tuple[int, str, str]:
    with pytest.raises(AccessError) as raised:
        await gate.sent(*headers)
    ((name, value),) = raised.value.headers
    assert name == b"www-authenticate"
    return raised.value.status, raised.value.code, value.decode()


async def test_nobody_known(gate: Gate) -> None:
    caller = await gate.sent(("Accept", "*/*"))

    assert (caller.kind, caller.customers) == (CallerKind.ANONYMOUS, frozenset())
    assert caller.scopes == {"catalog:read", "prices:read"}


async def test_nobody_where_everybody_must_be_known(issuer: FakeIssuer) -> None:
    told = f'Bearer realm="passerelle", resource_metadata="{METADATA}"'

    assert await error(Gate(issuer)) == (401, "UNAUTHENTICATED", told)


async def test_a_refused_token_says_so(gate: Gate) -> None:
    told = (
        'Bearer realm="passerelle", error="invalid_token", '
        f'error_description="The access token is not accepted.", resource_metadata="{METADATA}"'
    )

    assert await error(gate, ("Authorization", "Bearer x")) == (401, "UNAUTHENTICATED", told)


@pytest.mark.parametrize(
    "value",
    ["Basic YTpi", "DPoP abc", "Negotiate", "", " ", "Bearertoken", "eyJhbGciOiJub25lIn0.e30."],
)
async def test_another_scheme_is_no_reason_to_be_anonymous(gate: Gate, value: str) -> None:
    status, _, challenge = await error(gate, ("Authorization", value))

    assert status == 401
    assert "error=" not in challenge


@pytest.mark.parametrize("value", ["Bearer", "bearer ", "Bearer \t"])
async def test_no_token_behind_the_scheme(gate: Gate, value: str) -> None:
    assert (await error(gate, ("Authorization", value)))[0] == 401


async def test_more_than_one_credential(gate: Gate, issuer: FakeIssuer) -> None:
    bearer, key = ("Authorization", f"Bearer {issuer.token()}"), ("X-API-Key", "gw_live_good")

    for sent in ((bearer, key), (bearer, bearer), (key, key), (bearer, ("authorization", ""))):
        status, code, challenge = await error(gate, *sent)
        assert (status, code) == (400, "BAD_REQUEST")
        assert 'error="invalid_request"' in challenge


async def test_an_api_key(gate: Gate) -> None:
    assert await gate.sent(("X-API-Key", " gw_live_good")) == PARTNER
    assert (await error(gate, ("X-API-Key", "gw_live_bad")))[0] == 401
    assert (await error(gate, ("X-API-Key", "")))[0] == 401
    foreign = ("Origin", "https://evil.example")
    assert (await error(gate, ("X-API-Key", "gw_live_good"), foreign))[0] == 401
    assert [event[:2] for event in gate.watch.events] == [("login_failure", "192.0.2.1")] * 3


async def test_an_api_key_where_there_are_none(issuer: FakeIssuer) -> None:
    gate = Gate(issuer, issuers=[settings()], anonymous=True)

    assert (await error(gate, ("X-API-Key", "gw_live_good")))[0] == 401


async def test_failures_are_counted_by_address_and_without_the_token(gate: Gate) -> None:
    await error(gate, ("Authorization", "Bearer abcdefghij"))

    ((event, caller, facts),) = gate.watch.events
    assert (event, caller) == ("login_failure", "192.0.2.1")
    assert "abcdefghij" not in str(facts)


async def test_the_log_tells_the_reason_and_not_the_token(gate: Gate, issuer: FakeIssuer) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "first"})
    tokens = [
        issuer.token(key=stranger, sub="somebody-private"),
        issuer.token(aud="https://private.example"),
        issuer.token(exp=0),
        issuer.token(sub="somebody-private\n"),
        "opaque-private-token",
        "gw_live_private",
        "private.private.private",
    ]
    with capture_logs() as logged:
        for token in tokens:
            await error(gate, ("Authorization", f"Bearer {token}"))

    refusals = [entry for entry in logged if entry["event"] == "token refused"]
    assert all(entry["reason"] for entry in refusals)
    assert len(refusals) == len(tokens)
    assert "private" not in str(logged)
    assert not [part for token in tokens for part in token.split(".") if part in str(logged)]


async def test_a_403_names_what_is_missing() -> None:
    from gateway.access.errors import Challenge

    refusal = Challenge("shop").insufficient(["prices:read", "orders:read"])

    assert (refusal.status, refusal.code) == (403, "FORBIDDEN")
    assert b'error="insufficient_scope", scope="orders:read prices:read"' in refusal.headers[0][1]


async def test_two_tokens_are_two_callers(gate: Gate, issuer: FakeIssuer) -> None:
    tokens = {f"C-{n}": issuer.token(sub=f"user-{n}", customer_number=f"C-{n}") for n in range(50)}
    wanted = [number for number in tokens for _ in range(20)]

    callers = await asyncio.gather(*(gate.bearer(tokens[number]) for number in wanted))

    assert [caller.customer for caller in callers] == wanted
    assert all(caller.customers == {caller.customer} for caller in callers)


async def test_a_verified_token_is_looked_at_again_after_a_minute(
    gate: Gate, issuer: FakeIssuer
) -> None:
    token = issuer.token()
    first = await gate.bearer(token)

    gate.time.passed = 59.9
    assert await gate.bearer(token) is first
    gate.time.passed = 60
    assert await gate.bearer(token) is not first


async def test_a_token_that_ends_earlier_is_forgotten_then(
    issuer: FakeIssuer,
) -> None:
    gate = Gate(issuer, issuers=[settings(leeway_seconds=0)])
    token = issuer.token(exp=1_800_000_000 + 10)
    await gate.bearer(token)

    gate.time.passed = 9.9
    await gate.bearer(token)
    gate.time.passed = 10
    with pytest.raises(AccessError, match="expired"):
        await gate.bearer(token)


async def test_a_token_within_the_leeway_is_not_remembered(gate: Gate, issuer: FakeIssuer) -> None:
    token = issuer.token()
    gate.time.passed = 3_610

    assert await gate.bearer(token) is not await gate.bearer(token)


async def test_issuers_are_told_apart() -> None:
    people, machines = FakeIssuer(), FakeIssuer("http://127.0.0.2:9/realms/machines")
    told = [settings(), settings(issuer=machines.name)]
    gate = Gate(people, machines, issuers=told)

    first, second = await gate.bearer(people.token()), await gate.bearer(machines.token())

    assert first.subject == "ada"
    assert second.subject == "http://127.0.0.2:9/realms/machines ada"


async def test_an_issuer_does_not_speak_for_another() -> None:
    people, machines = FakeIssuer(), FakeIssuer("http://127.0.0.2:9/realms/machines")
    gate = Gate(people, machines, issuers=[settings(), settings(issuer=machines.name)])

    with pytest.raises(AccessError):
        await gate.bearer(machines.token(iss=ISSUER))


async def test_the_number_remembered_is_bounded() -> None:
    time = [0.0]
    known: Remembered[int, str] = Remembered(3, lambda: time[0])
    for key in range(3):
        known.put(key, "x", 10)
    assert known.get(0) == "x"

    known.put(3, "x", 10)

    assert [known.get(key) for key in range(4)] == ["x", None, "x", "x"]
    time[0] = 10
    assert [known.get(key) for key in range(4)] == [None] * 4
    assert len(known) == 0


async def test_what_was_begun_before_a_change_is_not_remembered() -> None:
    known: Remembered[int, str] = Remembered(3, Clock().steady)
    begun = known.generation
    known.clear()

    known.put(1, "old", 10, begun)

    assert known.get(1) is None


async def test_closing_ends_what_runs(issuer: FakeIssuer) -> None:
    issuer.gate = asyncio.Event()
    gate = Gate(issuer, issuers=[settings()])
    before = asyncio.all_tasks()

    async with gate.authenticator:
        waiting = asyncio.create_task(gate.bearer(issuer.token()))
        while not issuer.asked:
            await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == before


async def test_a_client_that_gives_up_does_not_spoil_it_for_others(issuer: FakeIssuer) -> None:
    issuer.gate = asyncio.Event()
    gate = Gate(issuer, issuers=[settings()])
    tasks = [asyncio.create_task(gate.bearer(issuer.token())) for _ in range(3)]
    while not issuer.asked:
        await asyncio.sleep(0)

    tasks[0].cancel()
    issuer.gate.set()
    answers: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers[0], asyncio.CancelledError)
    assert [caller.subject for caller in answers[1:]] == ["ada", "ada"]
