"""Credentials that must not open the door, at the door itself."""

import asyncio
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey

from gateway.access.key_format import KeyKind, new_key
from gateway.app import ISSUERS, build
from gateway.cli.demo import Demo
from gateway.settings import read
from tests.gateway.access.issuing import AUDIENCE, ISSUER, FakeIssuer, packed, signed, signed_text
from tests.security.attacking import Fortress, codes, tables, tokens_of

QUERY = {"query": "{ viewer { kind subject } }"}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "first"})


class Door:
    """The gateway with an issuer whose keys the test holds."""

    def __init__(self, client: httpx2.AsyncClient, issuer: FakeIssuer) -> None:
        self.client = client
        self.issuer = issuer

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        return self.issuer.claims(**{"iat": now - 5, "exp": now + 600, **changed})

    def good(self, **changed: Any) -> str:
        return signed({"alg": "ES256", "typ": "at+jwt", "kid": "first"}, self.claims(**changed), EC)

    async def knock(self, token: str, scheme: str = "Bearer") -> httpx2.Response:
        headers = {"authorization": f"{scheme} {token}"}
        return await self.client.post("/graphql", json=QUERY, headers=headers)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    found = tables(tmp_path)
    found["access"]["issuers"] = {"people": {"issuer": ISSUER, "audience": AUDIENCE}}
    issuer = FakeIssuer()
    issuer.publish(EC, RSA)
    app = build(read(found), transports={ISSUERS: issuer.transport()})
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=Demo().root) as client:
        yield Door(client, issuer)


def hs_with_public_key(door: Door) -> str:
    """The issuer's public key taken for a shared secret."""
    header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": "rsa"})
    begun = f"{packed(header)}.{packed(json.dumps(door.claims()))}"
    digest = hmac.digest(RSA.as_pem(private=False), begun.encode(), "sha256")
    return f"{begun}.{packed(digest)}"


def unsigned(alg: str) -> Callable[[Door], str]:
    def made(door: Door) -> str:
        header = json.dumps({"alg": alg, "typ": "at+jwt", "kid": "first"})
        return f"{packed(header)}.{packed(json.dumps(door.claims()))}."

    return made


def tampered(door: Door) -> str:
    head, _, signature = door.good().split(".")
    return f"{head}.{packed(json.dumps(door.claims(customer_number='C-2')))}.{signature}"


def tampered_header(door: Door) -> str:
    _, payload, signature = door.good().split(".")
    header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "first", "x": 1})
    return f"{packed(header)}.{payload}.{signature}"


def headed(**header: Any) -> Callable[[Door], str]:
    def made(door: Door) -> str:
        told = {"alg": "ES256", "typ": "at+jwt", "kid": "first", **header}
        return signed({k: v for k, v in told.items() if v is not None}, door.claims(), EC)

    return made


def claiming(**changed: Any) -> Callable[[Door], str]:
    return lambda door: door.good(**changed)


def foreign_key(door: Door) -> str:
    key = ECKey.generate_key("P-256", {"kid": "first"})
    return signed({"alg": "ES256", "typ": "at+jwt", "kid": "first"}, door.claims(), key)


def own_key_in_header(door: Door) -> str:
    key = ECKey.generate_key("P-256", {"kid": "mine"})
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "mine", "jwk": key.as_dict(private=False)}
    return signed(header, door.claims(), key)


def twice(name: str, first: str, second: str) -> Callable[[Door], str]:
    """A claim told twice, which two readers may read in two ways."""

    def made(door: Door) -> str:
        claims = json.dumps(door.claims(**{name: first}))
        doubled = f'{claims[:-1]}, "{name}": "{second}"}}'
        header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "first"})
        return signed_text(header, doubled, EC, "ES256")

    return made


def cut(door: Door) -> str:
    return door.good()[:-4]


def padded(door: Door) -> str:
    """The same bytes in another spelling: no two texts are one token."""
    return door.good() + "="


PAST = int(time.time()) - 3600
FORGED: dict[str, Callable[[Door], str]] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "no algorithm": unsigned(""),
    "HS256 with the public key": hs_with_public_key,
    "unsigned ES256": unsigned("ES256"),
    "tampered claims": tampered,
    "tampered header": tampered_header,
    "signed by a foreign key": foreign_key,
    "foreign kid": headed(kid="unknown"),
    "kid of another algorithm": headed(kid="rsa"),
    "kid as a path": headed(kid="../../../../dev/null"),
    "kid as SQL": headed(kid="' OR 1=1 --"),
    "own key in the header": own_key_in_header,
    "jku": headed(jku="http://127.0.0.1:9/jwks"),
    "x5u": headed(x5u="http://127.0.0.1:9/cert"),
    "x5c": headed(x5c=["AAAA"]),
    "crit": headed(crit=["exp"]),
    "ID token": headed(typ="JWT"),
    "no type": headed(typ=None),
    "expired": claiming(exp=PAST),
    "no expiry": claiming(exp=None),
    "not yet": claiming(nbf=int(time.time()) + 3600),
    "wrong audience": claiming(aud="https://other.example"),
    "no audience": claiming(aud=None),
    "audience that begins alike": claiming(aud=AUDIENCE + ".evil.example"),
    "wrong issuer": claiming(iss="https://evil.example"),
    "issuer with a slash": claiming(iss=ISSUER + "/"),
    "no issuer": claiming(iss=None),
    "no subject": claiming(sub=None),
    "expiry as text": claiming(exp="9999999999"),
    "expiry infinite": claiming(exp=1e400),
    "customer told twice": twice("customer_number", "C-1", "C-2"),
    "audience told twice": twice("aud", "https://other.example", AUDIENCE),
    "cut": cut,
    "padded": padded,
    "oversized": claiming(filler="x" * 9000),
    "opaque": lambda _: "opaque-token-that-nobody-issued",
    "empty": lambda _: "",
    "dots": lambda _: "..",
    "encrypted": lambda _: "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0.a.b.c.d",
}


async def test_the_issuers_tokens_open_the_door(door: Door) -> None:
    """Else every test below would pass with a door that is walled up."""
    rsa = signed({"alg": "RS256", "typ": "at+jwt", "kid": "rsa"}, door.claims(), RSA)
    for token in (door.good(), rsa):
        answer = await door.knock(token)

        assert answer.json() == {"data": {"viewer": {"kind": "USER", "subject": "ada"}}}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_is_refused(door: Door, forgery: str) -> None:
    answer = await door.knock(FORGED[forgery](door))

    assert answer.status_code == 401
    assert codes(answer.json()) == ["UNAUTHENTICATED"]
    assert "data" not in answer.json()
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_refusal_quotes_nothing_of_the_token(door: Door) -> None:
    token = tampered(door)

    answer = await door.knock(token)

    told = answer.text + str(answer.headers)
    assert not any(part in told for part in token.split("."))
    assert "C-2" not in told


async def test_good_tokens_do_not_keep_the_door_open_for_bad_ones(door: Door) -> None:
    """Verified ones are remembered, and by all of their text."""
    good = door.good()
    assert (await door.knock(good)).status_code == 200

    for end in ("A", "AAAA", "."):
        assert (await door.knock(good + end)).status_code == 401
    assert (await door.knock(good.swapcase())).status_code == 401


@pytest.mark.parametrize(("scheme", "status"), [("bearer", 200), ("BEARER", 200), ("Basic", 401)])
async def test_schemes_are_read_without_their_case(door: Door, scheme: str, status: int) -> None:
    assert (await door.knock(door.good(), scheme)).status_code == status


async def test_basic_credentials_open_nothing(fortress: Fortress) -> None:
    for pair in ("storefront:sandbox-storefront-secret", f"{fortress.keys['storefront']}:"):
        packed_pair = urlsafe_b64encode(pair.encode()).decode()
        headers = {"authorization": f"Basic {packed_pair}"}

        answer = await fortress.post("{ viewer { kind } }", headers=headers)

        assert answer.status_code == 401


async def test_tokens_elsewhere_than_in_the_header_count_for_nothing(fortress: Fortress) -> None:
    token, key = fortress.tokens["storefront"], fortress.keys["storefront"]
    query = "{ viewer { kind } }"
    answers = [
        await fortress.client.get(
            "/graphql",
            params={"query": query, "access_token": token, "token": token, "x-api-key": key},
            headers={"apollo-require-preflight": "1"},
        ),
        await fortress.post(query, access_token=token, apiKey=key),
        await fortress.post(query, extensions={"authorization": f"Bearer {token}", "headers": {}}),
        await fortress.post(query, headers={"cookie": f"access_token={token}; X-API-Key={key}"}),
        await fortress.post(query, headers={"x-authorization": f"Bearer {token}"}),
    ]

    assert [one.json().get("data") for one in answers] == [{"viewer": {"kind": "ANONYMOUS"}}] * 5


async def test_two_credentials_are_refused_not_chosen_from(fortress: Fortress) -> None:
    bearer, key = fortress.bearer(), fortress.key()
    twice_bearer = [*bearer.items(), ("authorization", "Bearer x")]
    twice_key = [*key.items(), ("x-api-key", "gw_live_x")]
    for headers in (
        [*bearer.items(), *key.items()],
        twice_bearer,
        twice_key,
        [*fortress.bearer("partner").items(), ("x-api-key", "")],
    ):
        answer = await fortress.client.post(
            "/graphql", json={"query": "{ viewer { kind } }"}, headers=headers
        )

        assert answer.status_code == 400
        assert "data" not in answer.json()


async def test_swapped_credentials_are_refused(fortress: Fortress) -> None:
    for headers in (
        {"x-api-key": fortress.tokens["storefront"]},
        {"authorization": f"Bearer {fortress.keys['storefront']}"},
        {"x-api-key": ""},
        {"x-api-key": "null"},
    ):
        answer = await fortress.post("{ viewer { kind } }", headers=headers)

        assert answer.status_code == 401, headers.keys()


async def test_a_bad_credential_is_not_taken_for_none(fortress: Fortress) -> None:
    """Where anonymous callers are served, a typing mistake must not go unnoticed."""
    anonymous = await fortress.post("{ viewer { kind } }")
    mistaken = await fortress.post("{ viewer { kind } }", headers={"x-api-key": "gw_live_typo"})

    assert anonymous.status_code == 200
    assert mistaken.status_code == 401


async def test_an_issuer_that_rotates_under_load_loses_nobody(fortress: Fortress) -> None:
    query = "{ viewer { subject } }"
    old = [fortress.bearer(name) for name in ("storefront", "partner", "back-office")]
    await fortress.post(query, headers=old[0])

    before = [asyncio.create_task(fortress.post(query, headers=one)) for one in old * 5]
    await fortress.sandbox.post("/oauth/_rotate")
    fresh = await tokens_of(fortress.sandbox)
    new = [{"authorization": f"Bearer {fresh[name]}"} for name in ("storefront", "partner")]
    after = [asyncio.create_task(fortress.post(query, headers=one)) for one in (old + new) * 5]

    answers = await asyncio.gather(*before, *after)
    assert {one.status_code for one in answers} == {200}


async def test_a_revoked_key_stops_within_a_second(fortress: Fortress) -> None:
    key = fortress.key("partner")
    query = "{ viewer { subject } }"
    assert (await fortress.post(query, headers=key)).status_code == 200

    await fortress.revoke("partner")
    revoked = time.monotonic()
    later: list[tuple[float, int]] = []
    while not later or (later[-1][1] == 200 and time.monotonic() < revoked + 10):
        asked = time.monotonic()
        answer = await fortress.post(query, headers=key)
        later.append((asked - revoked, answer.status_code))

    assert later[-1][1] == 401
    # What was asked a second or more after the revocation must have been refused.
    assert all(status == 401 for after, status in later if after >= 1.0)
    assert (await fortress.post(query, headers=fortress.key())).status_code == 200


async def test_guessing_keys_finds_none_and_is_noticed(
    fortress: Fortress, capsys: pytest.CaptureFixture[str]
) -> None:
    guesses = [new_key(KeyKind.LIVE) for _ in range(200)]
    near = fortress.keys["storefront"]
    guesses += [near[:-1] + ("0" if near[-1] != "0" else "1"), near.upper(), near + "0", near[:-1]]

    answers = [
        await fortress.post("{ viewer { kind } }", headers={"x-api-key": guess})
        for guess in guesses
    ]

    assert {one.status_code for one in answers} <= {401, 429}
    logged = "".join(capsys.readouterr())
    assert "security event" in logged
    assert not any(guess in logged for guess in guesses)
