"""What caches are told: how long, for whom, how old, and what became of each part."""

import pytest

from gateway.http import cache_headers
from gateway.http.cache_headers import Holding
from ports.caller import Caller, CallerKind
from upstream.uses import Use

NOBODY = Caller("anonymous", CallerKind.ANONYMOUS)
JO = Caller("jo", CallerKind.USER)


@pytest.mark.parametrize(
    ("age", "remaining", "control", "told_age"),
    [
        (0.0, 10.0, b"private, max-age=10", b"0"),
        (0.0, 9.99, b"private, max-age=9", b"0"),
        (3.7, 6.2, b"private, max-age=9", b"3"),
        (250.0, 8.5, b"private, max-age=258", b"250"),
        (0.0, 0.99, b"no-store", b"0"),
        (20.0, 0.0, b"no-store", b"20"),
        (20.0, -5.0, b"no-store", b"20"),
    ],
)
def test_what_remains_is_max_age_less_age(
    age: float, remaining: float, control: bytes, told_age: bytes
) -> None:
    holding = Holding(age, remaining)

    assert cache_headers.cache_control(holding, for_all=False)[1] == control
    assert cache_headers.age(holding) == (b"age", told_age)
    public = cache_headers.cache_control(holding, for_all=True)[1]
    assert public == control.replace(b"private", b"public")


@pytest.mark.parametrize(
    ("method", "caller", "sent", "expected"),
    [
        pytest.param("GET", NOBODY, [], True, id="get"),
        pytest.param("HEAD", NOBODY, [], True, id="head"),
        pytest.param("POST", NOBODY, [], False, id="post"),
        pytest.param("GET", JO, [], False, id="somebody"),
        pytest.param("GET", NOBODY, [b"authorization"], False, id="authorization"),
        pytest.param("GET", NOBODY, [b"x-api-key"], False, id="key"),
        pytest.param("GET", NOBODY, [b"cookie"], False, id="cookie"),
    ],
)
def test_who_may_keep_it(method: str, caller: Caller, sent: list[bytes], *, expected: bool) -> None:
    scope = {"method": method, "headers": [(b"host", b"x"), *((name, b"y") for name in sent)]}

    assert cache_headers.is_for_all(scope, caller) is expected


def use(upstream: str, **counts: float) -> Use:
    return Use(upstream, "stock.availability", (), **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uses", "told"),
    [
        ([], ""),
        ([use("erp", live=2)], 'erp; fwd=miss; detail="live=2", '),
        ([use("erp", cached=24, fresh_for=8.9)], "erp; hit; ttl=8, "),
        ([use("erp", cached=1, fresh_for=8), use("erp", cached=2, fresh_for=3)], "erp; hit; ttl=3, "),
        ([use("erp", cached=21, live=3)], 'erp; fwd=partial; detail="cached=21, live=3", '),
        ([use("erp", live=1, stale=1)], 'erp; fwd=stale; detail="live=1, stale=1", '),
        ([use("erp", failed=1)], 'erp; fwd=miss; detail="failed=1", '),
        ([use("pim", live=1), use("erp-fr", live=1)],
         'pim; fwd=miss; detail="live=1", erp-fr; fwd=miss; detail="live=1", '),
        ([use('1 "x', live=1)], '"1 ?x"; fwd=miss; detail="live=1", '),
    ],
    ids=range(9),
)  # fmt: skip
def test_what_became_of_each_part(uses: list[Use], told: str) -> None:
    name, value = cache_headers.forwarded(uses, "fwd=miss")

    assert name == b"cache-status"
    assert value.decode() == told + "passerelle; fwd=miss"


def test_not_more_members_than_a_header_bears() -> None:
    uses = [use(f"erp-{n}", live=1) for n in range(500)]

    assert len(cache_headers.forwarded(uses, "fwd=miss")[1]) < 1_000


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], False),
        ([b'W/"a"'], True),
        ([b'"a"'], True),
        ([b'"b", W/"a"'], True),
        ([b'"b"', b'W/"a"'], True),
        ([b"*"], True),
        ([b'"b"'], False),
        ([b"a"], False),
    ],
    ids=str,
)
def test_whether_a_client_has_it(sent: list[bytes], *, expected: bool) -> None:
    scope = {"headers": [(b"if-none-match", one) for one in sent]}

    assert cache_headers.is_known(scope, b'W/"a"') is expected


def test_other_bytes_have_another_tag() -> None:
    one, two = cache_headers.etag_of(b"1"), cache_headers.etag_of(b"2")

    assert one != two
    assert one == cache_headers.etag_of(b"1")
    assert one.startswith(b'W/"')
