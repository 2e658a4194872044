"""Which signed tokens are accepted, and every way in which one is not."""

import hmac
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from starlette.responses import JSONResponse

from gateway.access.errors import AccessError
from ports.caller import Caller, CallerKind
from tests.gateway.access.issuing import (
    AUDIENCE,
    SHARED_RSA,
    START,
    FakeIssuer,
    Gate,
    many_keys,
    packed,
    settings,
    signed,
    signed_text,
)

NOW = int(START)


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def gate(issuer: FakeIssuer) -> Gate:
    """Anonymous callers are welcome here, so that a bad token could be taken for none."""
    return Gate(issuer, issuers=[settings()], anonymous=True)


async def refused(gate: Gate, token: str, told: str = "not accepted") -> str:
    """The reason that the watch was told."""
    with pytest.raises(AccessError) as raised:
        await gate.bearer(token)
    error = raised.value
    assert (error.status, error.code) == (401, "UNAUTHENTICATED")
    assert error.message == f"The access token is {told}."
    assert b'error="invalid_token"' in error.headers[0][1]
    return str(gate.watch.events[-1][2]["why"]) if gate.watch.events else ""


async def test_a_good_token_is_its_holder(gate: Gate, issuer: FakeIssuer) -> None:
    assert await gate.bearer(issuer.token(name="Ada L.", email="ada@x.example")) == Caller(
        subject="ada",
        kind=CallerKind.USER,
        customer="C-1",
        customers=frozenset({"C-1"}),
        scopes=frozenset({"orders:read", "catalog:read"}),
        name="Ada L.",
        email="ada@x.example",
    )


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_of_any_case(gate: Gate, issuer: FakeIssuer, scheme: str) -> None:
    assert (await gate.bearer(issuer.token(), scheme)).subject == "ada"


@pytest.mark.parametrize(("alg", "key"), many_keys(), ids=lambda value: str(value)[:5])
async def test_accepted_algorithms(gate: Gate, issuer: FakeIssuer, alg: str, key: Key) -> None:
    issuer.publish(key, ECKey.generate_key("P-256", {"kid": "other"}))

    assert (await gate.bearer(issuer.token(key=key, alg=alg))).subject == "ada"


async def test_an_algorithm_is_accepted_by_configuration_only(issuer: FakeIssuer) -> None:
    key = ECKey.generate_key("P-384", {"kid": "p384"})
    issuer.publish(key, SHARED_RSA)
    gate = Gate(issuer, issuers=[settings(algorithms=["ES384"])])

    assert (await gate.bearer(issuer.token(key=key, alg="ES384"))).subject == "ada"
    assert "algorithm" in await refused(gate, issuer.token(key=SHARED_RSA, alg="RS256"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_an_unsigned_token(gate: Gate, issuer: FakeIssuer, alg: str) -> None:
    header = {"alg": alg, "typ": "at+jwt", "kid": "first"}
    unsigned = f"{packed(json.dumps(header))}.{packed(json.dumps(issuer.claims()))}."

    assert "algorithm" in await refused(gate, unsigned)


@pytest.mark.parametrize("form", ["pem", "der", "modulus"])
async def test_the_public_key_as_a_shared_secret(gate: Gate, issuer: FakeIssuer, form: str) -> None:
    issuer.publish(SHARED_RSA)
    public = SHARED_RSA.as_pem(private=False) if form == "pem" else SHARED_RSA.as_der()
    secret = str(SHARED_RSA.as_dict()["n"]).encode() if form == "modulus" else public
    header = {"alg": "HS256", "typ": "at+jwt", "kid": "rsa"}
    begun = f"{packed(_dumped(header))}.{packed(_dumped(issuer.claims()))}"
    forged = f"{begun}.{packed(hmac.digest(secret, begun.encode(), 'sha256'))}"

    assert "algorithm" in await refused(gate, forged)


async def test_a_published_shared_secret_is_no_key(gate: Gate, issuer: FakeIssuer) -> None:
    secret = OctKey.generate_key(256, {"kid": "oct"})
    issuer.replies["jwks"] = JSONResponse({"keys": [secret.as_dict(private=True)]})
    forged = signed({"alg": "HS256", "typ": "at+jwt", "kid": "oct"}, issuer.claims(), secret)

    assert "algorithm" in await refused(gate, forged)


async def test_the_key_must_fit_the_algorithm(gate: Gate, issuer: FakeIssuer) -> None:
    issuer.publish(SHARED_RSA, *issuer.keys)
    header = {"alg": "RS256", "typ": "at+jwt", "kid": "first"}

    assert "signature" in await refused(gate, signed(header, issuer.claims(), SHARED_RSA))


async def test_a_key_for_one_algorithm_is_for_no_other(gate: Gate, issuer: FakeIssuer) -> None:
    told = {**SHARED_RSA.as_dict(private=False), "alg": "PS256", "kid": "rsa"}
    issuer.replies["jwks"] = JSONResponse({"keys": [told]})

    assert (await gate.bearer(issuer.token(key=SHARED_RSA, alg="PS256"))).subject == "ada"
    assert "signature" in await refused(gate, issuer.token(key=SHARED_RSA, alg="RS256"))


async def test_a_key_of_somebody_else(gate: Gate, issuer: FakeIssuer) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "first"})
    unknown = ECKey.generate_key("P-256", {"kid": "unknown"})

    assert "wrong signature" in await refused(gate, issuer.token(key=stranger))
    assert "unknown key" in await refused(gate, issuer.token(key=unknown))


async def test_an_encryption_key_signs_nothing(gate: Gate, issuer: FakeIssuer) -> None:
    key = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"})
    issuer.keys.append(key)
    plain = ECKey.import_key({**key.as_dict(private=True), "use": "sig"})

    assert "unknown key" in await refused(gate, issuer.token(key=plain))


async def test_a_weak_key_signs_nothing(gate: Gate, issuer: FakeIssuer) -> None:
    with pytest.warns(match="2048"):
        weak = RSAKey.generate_key(1024, {"kid": "weak"})
    issuer.keys.append(weak)

    assert "unknown key" in await refused(gate, issuer.token(key=weak, alg="RS256"))


async def test_a_key_id_is_needed_to_choose(gate: Gate, issuer: FakeIssuer) -> None:
    header = {"alg": "ES256", "typ": "at+jwt"}
    nameless = signed(header, issuer.claims(), issuer.keys[0])

    assert (await gate.bearer(nameless)).subject == "ada"

    issuer.keys.append(SHARED_RSA)
    other = Gate(issuer, issuers=[settings()])
    assert "unknown key" in await refused(other, nameless)


@pytest.mark.parametrize(
    "more",
    [
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": ECKey.generate_key("P-256").as_dict()},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"kid": 7},
        {"kid": ""},
        {"kid": "k" * 300},
        {"kid": ["first"]},
        {"kid": "../../dev/null"},
        {"typ": "JWT"},
        {"typ": "dpop+jwt"},
        {"typ": None},
        {"typ": ["at+jwt"]},
        {"alg": ["ES256"]},
        {"alg": None},
    ],
    ids=lambda header: str({**header, "jwk": "…"}) if "jwk" in header else str(header)[:40],
)
async def test_headers_that_are_refused(
    gate: Gate, issuer: FakeIssuer, more: dict[str, Any]
) -> None:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "first", **more}

    await refused(
        gate, signed_text(_dumped(header), _dumped(issuer.claims()), issuer.keys[0], "ES256")
    )


async def test_headers_that_matter_to_nobody(gate: Gate, issuer: FakeIssuer) -> None:
    header = {"alg": "ES256", "typ": "application/AT+JWT", "kid": "first", "x5t": "a" * 600}

    assert (await gate.bearer(signed(header, issuer.claims(), issuer.keys[0]))).subject == "ada"


@pytest.mark.parametrize("typ", [{"typ": "JWT"}, {"typ": "jwt"}, {}])
async def test_plain_tokens_by_configuration(issuer: FakeIssuer, typ: dict[str, str]) -> None:
    token = signed({"alg": "ES256", "kid": "first", **typ}, issuer.claims(), issuer.keys[0])

    assert "type" in await refused(Gate(issuer, issuers=[settings()]), token)
    gate = Gate(issuer, issuers=[settings(plain_jwt=True)])
    assert (await gate.bearer(token)).subject == "ada"


@pytest.mark.parametrize("claims", [{"typ": "ID"}, {"typ": "Refresh"}, {"token_use": "id"}])
async def test_other_tokens_of_the_issuer(issuer: FakeIssuer, claims: dict[str, str]) -> None:
    gate = Gate(issuer, issuers=[settings(plain_jwt=True)])

    assert "no access token" in await refused(gate, issuer.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"iss": "https://evil.example"},
        {"iss": FakeIssuer().name + "/"},
        {"iss": [FakeIssuer().name]},
        {"aud": None},
        {"aud": "https://elsewhere.example"},
        {"aud": AUDIENCE + "/"},
        {"aud": []},
        {"aud": ""},
        {"aud": {AUDIENCE: True}},
        {"aud": [AUDIENCE, 7]},
        {"exp": None},
        {"exp": "never"},
        {"exp": str(NOW + 3600)},
        {"exp": True},
        {"nbf": NOW + 31},
        {"nbf": "soon"},
        {"iat": NOW + 31},
        {"iat": "now"},
        {"sub": None},
        {"sub": ""},
        {"sub": " "},
        {"sub": 7},
        {"sub": ["ada"]},
        {"sub": "a" * 300},
        {"sub": "ada\nlevel=info"},
        {"sub": "ad\u202ea"},
        {"sub": "\ud800"},
        {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}},
    ],
    ids=str,
)
async def test_claims_that_are_refused(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    await refused(gate, issuer.token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["https://elsewhere.example", AUDIENCE]},
        {"nbf": NOW + 30, "iat": NOW + 30},
        {"exp": NOW - 29},
        {"exp": NOW + 0.5},
        {"exp": 10**400},
        {"iat": None, "nbf": None},
    ],
    ids=lambda value: str(value)[:40],
)
async def test_claims_that_are_accepted(
    gate: Gate, issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    assert (await gate.bearer(issuer.token(**claims))).subject == "ada"


@pytest.mark.parametrize("exp", [NOW - 30, NOW - 3600, 0, -1])
async def test_an_expired_token(gate: Gate, issuer: FakeIssuer, exp: int) -> None:
    await refused(gate, issuer.token(exp=exp), told="expired")

    assert gate.watch.events == []


async def test_only_the_signer_learns_that_a_token_is_expired(
    gate: Gate, issuer: FakeIssuer
) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "first"})

    assert "signature" in await refused(gate, issuer.token(exp=0, key=stranger))


async def test_the_order_of_claims_means_nothing(gate: Gate, issuer: FakeIssuer) -> None:
    turned = dict(reversed(issuer.claims().items()))
    header = {"kid": "first", "typ": "at+jwt", "alg": "ES256"}

    assert (await gate.bearer(signed(header, turned, issuer.keys[0]))).subject == "ada"


@pytest.mark.parametrize("twice", ["sub", "aud", "exp", "customer_number", "iss"])
async def test_a_claim_twice(gate: Gate, issuer: FakeIssuer, twice: str) -> None:
    claims = issuer.claims()
    again = f"{{{json.dumps(twice)}: {json.dumps(claims[twice])}, {_dumped(claims)[1:]}"
    header = _dumped({"alg": "ES256", "typ": "at+jwt", "kid": "first"})

    token = signed_text(header, again, issuer.keys[0], "ES256")
    assert "twice" in await refused(gate, token)


async def test_a_claim_twice_inside_a_claim(gate: Gate, issuer: FakeIssuer) -> None:
    header = _dumped({"alg": "ES256", "typ": "at+jwt", "kid": "first"})
    claims = f'{_dumped(issuer.claims())[:-1]}, "realm": {{"a": 1, "a": 2}}}}'

    assert "twice" in await refused(gate, signed_text(header, claims, issuer.keys[0], "ES256"))


async def test_a_header_twice(gate: Gate, issuer: FakeIssuer) -> None:
    header = '{"alg": "none", "alg": "ES256", "typ": "at+jwt", "kid": "first"}'

    token = signed_text(header, _dumped(issuer.claims()), issuer.keys[0], "ES256")
    assert "twice" in await refused(gate, token)


@pytest.mark.parametrize(
    "claims",
    ["[]", "null", '"sub"', "{", "", "[" * 3000, "1" * 5000, '{"exp": NaN}', '{"exp": 1e999}x'],
    ids=lambda text: text[:12],
)
async def test_claims_that_are_no_object(gate: Gate, issuer: FakeIssuer, claims: str) -> None:
    header = _dumped({"alg": "ES256", "typ": "at+jwt", "kid": "first"})

    await refused(gate, signed_text(header, claims, issuer.keys[0], "ES256"))


async def test_claims_that_are_no_text(gate: Gate, issuer: FakeIssuer) -> None:
    begun = packed(_dumped({"alg": "ES256", "typ": "at+jwt", "kid": "first"}))

    await refused(gate, f"{begun}.{packed(bytes(range(128, 256)))}.{packed(b'x' * 64)}")


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "...", "a.b.c", "\xff\xfe\x00.\x01.", "e30.e30.", "eyJ.eyJ.eyJ", "ü.ü.ü"),
        *("a b", "<script>", "a" * 40, "a.b.c.d.e", "null", "undefined", "' OR 1=1 --"),
        *("gw_live_x", "{}", "\t"),
    ],
)
async def test_garbage(gate: Gate, token: str) -> None:
    await refused(gate, token)


async def test_an_encrypted_token(gate: Gate, issuer: FakeIssuer) -> None:
    header = packed(_dumped({"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}))

    assert "encrypted" in await refused(gate, f"{header}.key.iv.text.tag")


async def test_a_token_in_a_token(gate: Gate, issuer: FakeIssuer) -> None:
    header = _dumped({"alg": "ES256", "typ": "at+jwt", "kid": "first"})
    nested = signed_text(header, issuer.token(), issuer.keys[0], "ES256")

    assert "JSON" in await refused(gate, nested)


async def test_eight_kibibytes_are_enough(gate: Gate, issuer: FakeIssuer) -> None:
    room = (8192 - len(issuer.token(more=""))) * 3 // 4
    fits, too_long = issuer.token(more="x" * room), issuer.token(more="x" * (room + 4))
    assert len(fits) <= 8192 < len(too_long)

    assert (await gate.bearer(fits)).subject == "ada"
    assert "too long" in await refused(gate, too_long)


@pytest.mark.parametrize("place", ["header", "claims", "signature"])
async def test_one_bit_changed(gate: Gate, issuer: FakeIssuer, place: str) -> None:
    parts = issuer.token().split(".")
    at = ["header", "claims", "signature"].index(place)
    middle = len(parts[at]) // 2
    other = "A" if parts[at][middle] != "A" else "B"
    parts[at] = parts[at][:middle] + other + parts[at][middle + 1 :]

    await refused(gate, ".".join(parts))


async def test_a_signature_is_spelled_in_one_way(gate: Gate, issuer: FakeIssuer) -> None:
    """Unused bits of base64, padding and the other alphabet make other texts of one token."""
    token = issuer.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]

    for other in (changed, token + "=", token + "=="):
        await refused(gate, other)


async def test_the_claims_of_one_with_the_signature_of_another(
    gate: Gate, issuer: FakeIssuer
) -> None:
    ada, eve = issuer.token().split("."), issuer.token(sub="eve", customer_number="C-9").split(".")

    await refused(gate, ".".join((ada[0], ada[1], eve[2])))
    assert (await gate.bearer(".".join(eve))).customer == "C-9"
    assert (await gate.bearer(".".join(ada))).customer == "C-1"


async def test_a_signature_of_zeros(gate: Gate, issuer: FakeIssuer) -> None:
    begun = issuer.token().rpartition(".")[0]

    assert "signature" in await refused(gate, f"{begun}.{packed(bytes(64))}")


async def test_an_edwards_key_of_another_curve(gate: Gate, issuer: FakeIssuer) -> None:
    exchange = OKPKey.generate_key("X25519", {"kid": "x"})
    issuer.keys.append(exchange)
    header = packed(_dumped({"alg": "EdDSA", "typ": "at+jwt", "kid": "x"}))

    assert "unknown key" in await refused(
        gate, f"{header}.{packed(_dumped(issuer.claims()))}.{packed(bytes(64))}"
    )


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps({name: one for name, one in value.items() if one is not None})
