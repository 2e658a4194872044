"""Keys that come, change and stay away while requests go on."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.access.errors import AccessError
from ports.caller import Caller
from ports.errors import UnavailableError
from tests.gateway.access.issuing import ISSUER, SHARED_RSA, FakeIssuer, Gate, settings

JWKS = "/realms/people/jwks"


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def gate(issuer: FakeIssuer) -> Gate:
    return Gate(issuer, issuers=[settings()])


async def test_keys_are_fetched_once_for_all(gate: Gate, issuer: FakeIssuer) -> None:
    tokens = [issuer.token(sub=f"user-{n}") for n in range(100)]

    await asyncio.gather(*map(gate.bearer, tokens))

    assert issuer.asked[JWKS] == 1


async def test_rotation_in_mid_load(gate: Gate, issuer: FakeIssuer) -> None:
    """Old and new tokens while keys change: none is refused, and the keys are asked for once."""
    old = [issuer.token(sub=f"old-{n}") for n in range(200)]
    await gate.bearer(old[0])
    issuer.rotate("second")
    new = [issuer.token(sub=f"new-{n}") for n in range(200)]
    mixed = [token for pair in zip(old, new, strict=True) for token in pair] * 2

    answers: list[Caller | BaseException] = await asyncio.gather(
        *map(gate.bearer, mixed), return_exceptions=True
    )

    assert not [one for one in answers if isinstance(one, BaseException)]
    assert issuer.asked[JWKS] == 2


async def test_a_key_that_took_anothers_id_is_found_once_in_a_while(
    gate: Gate, issuer: FakeIssuer
) -> None:
    """Some issuers call every key the same. Forged signatures cost no more than unknown ids."""
    await gate.bearer(issuer.token())
    kid = issuer.keys[0].kid
    issuer.keys = [ECKey.generate_key("P-256", {"kid": kid})]

    assert await gate.bearer(issuer.token(sub="after"))

    issuer.keys = [ECKey.generate_key("P-256", {"kid": kid})]
    for number in range(20):
        with pytest.raises(AccessError):
            await gate.bearer(issuer.token(sub=f"forged-{number}"))
    assert issuer.asked[JWKS] == 2


async def test_rotation_while_a_refresh_is_under_way(gate: Gate, issuer: FakeIssuer) -> None:
    """A set that was read before the change does not count as having looked."""
    await gate.bearer(issuer.token())
    stale = JSONResponse({"keys": [key.as_dict(private=False) for key in issuer.keys]})
    issuer.rotate("second")
    issuer.replies["jwks"] = stale
    issuer.gate = asyncio.Event()
    refresh = asyncio.create_task(ring(gate).refresh())
    while issuer.asked[JWKS] < 2:
        await asyncio.sleep(0)
    asking = [asyncio.create_task(gate.bearer(issuer.token(sub=f"u{n}"))) for n in range(10)]
    await asyncio.sleep(0)

    async def catch_up() -> None:
        await refresh
        del issuer.replies["jwks"]

    issuer.gate.set()
    await catch_up()

    assert {caller.subject for caller in await asyncio.gather(*asking)} == {
        f"u{n}" for n in range(10)
    }
    assert issuer.asked[JWKS] == 3


async def test_unknown_keys_do_not_flood_the_issuer(gate: Gate, issuer: FakeIssuer) -> None:
    await gate.bearer(issuer.token())
    strangers = [ECKey.generate_key("P-256", {"kid": f"guess-{n}"}) for n in range(30)]
    forged = [issuer.token(key=key) for key in strangers]

    async def all_refused() -> None:
        answers = await asyncio.gather(*map(gate.bearer, forged), return_exceptions=True)
        assert all(isinstance(one, AccessError) and one.status == 401 for one in answers)

    await all_refused()
    assert issuer.asked[JWKS] == 2
    gate.time.passed = 29.9
    await all_refused()
    assert issuer.asked[JWKS] == 2
    gate.time.passed = 30
    await all_refused()
    assert issuer.asked[JWKS] == 3


async def test_a_retired_key_ends_its_tokens(gate: Gate, issuer: FakeIssuer) -> None:
    token = issuer.token()
    await gate.bearer(token)
    issuer.rotate("second", keep=False)

    assert (await gate.bearer(token)).subject == "ada"
    await gate.bearer(issuer.token())
    with pytest.raises(AccessError):
        await gate.bearer(token)


async def test_other_keys_of_the_same_name_flush_what_was_verified(
    gate: Gate, issuer: FakeIssuer
) -> None:
    token = issuer.token()
    await gate.bearer(token)
    issuer.rotate("first", keep=False)

    await ring(gate).refresh()

    with pytest.raises(AccessError):
        await gate.bearer(token)


async def test_the_same_keys_again_flush_nothing(gate: Gate, issuer: FakeIssuer) -> None:
    token = issuer.token()
    caller = await gate.bearer(token)

    await ring(gate).refresh()

    assert await gate.bearer(token) is caller


async def test_known_keys_go_on_while_the_issuer_is_down(gate: Gate, issuer: FakeIssuer) -> None:
    await gate.bearer(issuer.token())
    issuer.down = True
    gate.time.passed = 3_000

    assert await ring(gate).refresh() is False
    assert (await gate.bearer(issuer.token(sub="bob"))).subject == "bob"
    with pytest.raises(AccessError):
        await gate.bearer(issuer.token(key=ECKey.generate_key("P-256", {"kid": "x"})))


async def test_an_issuer_that_is_down_at_the_start(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.down = True
    async with gate.authenticator:
        for _ in range(5):
            with pytest.raises(UnavailableError) as raised:
                await gate.bearer(issuer.token())
        assert raised.value.retry_after == 5
        # Two addresses of metadata, and one try.
        assert issuer.asked["down"] == 2

        issuer.down = False
        gate.time.passed = 5
        assert (await gate.bearer(issuer.token())).subject == "ada"


async def test_keys_are_fetched_before_anybody_asks(gate: Gate, issuer: FakeIssuer) -> None:
    async with gate.authenticator:
        while not issuer.asked[JWKS]:
            await asyncio.sleep(0)
        await gate.bearer(issuer.token())

    assert issuer.asked[JWKS] == 1


async def test_an_issuer_that_is_slow(issuer: FakeIssuer) -> None:
    issuer.gate = asyncio.Event()
    gate = Gate(issuer, issuers=[settings(timeout_seconds=0.02)])

    with pytest.raises(UnavailableError):
        await gate.bearer(issuer.token())


async def test_no_other_issuer_suffers() -> None:
    down, good = FakeIssuer(), FakeIssuer("http://127.0.0.2:9/realms/machines")
    down.down = True
    gate = Gate(down, good, issuers=[settings(), settings(issuer=good.name)], anonymous=True)

    assert (await gate.bearer(good.token())).subject.endswith(" ada")
    assert (await gate.sent()).subject == "anonymous"


def _broken() -> dict[str, Response]:
    long = Response(b'{"keys": [], "x": "' + b"x" * 1024 * 1024 + b'"}')
    return {
        "500": Response(status_code=500),
        "html": Response("<html>"),
        "text": JSONResponse("keys"),
        "no keys": JSONResponse({"key": []}),
        "wrong keys": JSONResponse({"keys": {"first": {}}}),
        "too long": long,
        "elsewhere": RedirectResponse("https://evil.example/jwks"),
        "another port": RedirectResponse("http://127.0.0.1:10/jwks"),
        "round and round": RedirectResponse(f"{ISSUER}/jwks"),
    }


@pytest.mark.parametrize("fault", _broken())
async def test_answers_that_are_no_keys(gate: Gate, issuer: FakeIssuer, fault: str) -> None:
    issuer.replies["jwks"] = _broken()[fault]

    with pytest.raises(UnavailableError):
        await gate.bearer(issuer.token())


async def test_a_redirect_at_home_is_followed(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.replies["openid-configuration"] = JSONResponse(
        {**issuer.metadata, "jwks_uri": f"{ISSUER}/old"}
    )
    issuer.replies["old"] = RedirectResponse(f"{ISSUER}/jwks")

    assert (await gate.bearer(issuer.token())).subject == "ada"


async def test_useless_keys_do_not_hide_good_ones(gate: Gate, issuer: FakeIssuer) -> None:
    good = issuer.keys[0].as_dict(private=False)
    useless: list[Any] = [
        *(None, 7, "key", [], {}, {"kty": "EC"}, {"kty": 7}, {"kty": "AKP", "kid": "pq"}),
        {**good, "kid": "bad", "x": "AAAA"},
        {**good, "kid": 7},
        {**good, "kid": "ops", "key_ops": ["sign"]},
        {"kty": "RSA", "kid": "e", "e": "AQAB"},
        {"kty": "RSA", "kid": "n", "n": 7, "e": "AQAB"},
    ]
    issuer.replies["jwks"] = JSONResponse({"keys": [*useless, good]})

    assert (await gate.bearer(issuer.token())).subject == "ada"


async def test_keys_of_a_configured_address(issuer: FakeIssuer) -> None:
    gate = Gate(issuer, issuers=[settings(jwks_uri=f"{ISSUER}/jwks")])

    assert (await gate.bearer(issuer.token())).subject == "ada"
    assert dict(issuer.asked) == {JWKS: 1}


async def test_metadata_by_rfc_8414(issuer: FakeIssuer) -> None:
    issuer.replies["openid-configuration"] = Response(status_code=404)
    issuer.replies["people"] = JSONResponse(issuer.metadata)
    gate = Gate(issuer, issuers=[settings()])

    assert (await gate.bearer(issuer.token())).subject == "ada"
    assert issuer.asked["/.well-known/oauth-authorization-server/realms/people"] == 1


async def test_metadata_of_a_configured_address(issuer: FakeIssuer) -> None:
    issuer.replies["told"] = JSONResponse(issuer.metadata)
    gate = Gate(issuer, issuers=[settings(discovery=f"{ISSUER}/told")])

    assert (await gate.bearer(issuer.token())).subject == "ada"


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ISSUER + "/"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://idp.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://[::1/jwks"},
    ],
    ids=str,
)
async def test_metadata_that_are_not_believed(
    gate: Gate, issuer: FakeIssuer, change: dict[str, Any]
) -> None:
    issuer.metadata |= change

    with pytest.raises(UnavailableError):
        await gate.bearer(issuer.token())
    assert issuer.asked[JWKS] == 0


async def test_an_issuer_on_the_net_names_no_address_here() -> None:
    """Else its metadata could have the gateway ask whatever listens on this machine."""
    issuer = FakeIssuer("https://idp.example/realms/people")
    issuer.metadata["jwks_uri"] = "http://127.0.0.1:9/jwks"
    gate = Gate(issuer, issuers=[settings(issuer=issuer.name)])

    with pytest.raises(UnavailableError):
        await gate.bearer(issuer.token())


async def test_keys_that_move_are_found(gate: Gate, issuer: FakeIssuer) -> None:
    await gate.bearer(issuer.token())
    issuer.replies["jwks"] = Response(status_code=404)
    assert await ring(gate).refresh() is False

    moved = [key.as_dict(private=False) for key in (SHARED_RSA, *issuer.keys)]
    issuer.replies["moved"] = JSONResponse({"keys": moved})
    issuer.metadata["jwks_uri"] = f"{ISSUER}/moved"
    assert await ring(gate).refresh() is True
    assert (await gate.bearer(issuer.token(key=SHARED_RSA, alg="RS256"))).subject == "ada"


def ring(gate: Gate) -> Any:
    return gate.authenticator._issuers[ISSUER]._keys
