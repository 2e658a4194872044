"""Keys made, replaced and ended by operators."""

from datetime import timedelta

import pytest

from gateway.access.key_format import KeyKind, new_key, well_formed
from gateway.access.key_ring import (
    LONGEST,
    KeyRing,
    KeyRingError,
    Order,
    Rotation,
    origin_of,
)
from tests.gateway.access.key_peers import PEPPERS, START, Hands, MemoryKeys

DAY = timedelta(days=1)
SCOPES = frozenset({"orders:read", "catalog:read"})


@pytest.fixture
def store() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def ring(store: MemoryKeys, hands: Hands) -> KeyRing:
    return KeyRing(store, PEPPERS, hands.clock)


async def test_what_is_kept_is_what_was_ordered(ring: KeyRing, store: MemoryKeys) -> None:
    order = Order(
        " Shop ",
        SCOPES,
        customers=frozenset({"C-1"}),
        rate_class="partner",
        origins=frozenset({"HTTPS://Shop.Example:443/"}),
        lifetime=90 * DAY,
    )

    issued = await ring.create(order)

    kept = store.held[issued.key.id]
    assert kept == issued.key
    assert well_formed(issued.secret)
    assert kept.digest == PEPPERS.current.digest(issued.secret)
    assert (kept.name, kept.scopes, kept.rate_class) == ("Shop", SCOPES, "partner")
    assert kept.origins == {"https://shop.example"}
    assert (kept.created_at, kept.expires_at) == (START, START + 90 * DAY)
    assert kept.pepper_id == PEPPERS.current.id
    assert issued.secret not in repr(issued)


@pytest.mark.parametrize(
    ("customers", "told", "default"),
    [
        ({"C-1"}, None, "C-1"),
        ({"C-1", "C-2"}, None, None),
        ({"C-1", "C-2"}, "C-2", "C-2"),
        (None, None, None),
        (None, "C-9", "C-9"),
        (set(), None, None),
    ],
)
async def test_the_default_customer(
    ring: KeyRing, customers: set[str] | None, told: str | None, default: str | None
) -> None:
    own = None if customers is None else frozenset(customers)

    issued = await ring.create(Order("shop", SCOPES, customers=own, customer=told))

    assert issued.key.customer == default
    assert issued.key.customers == own


@pytest.mark.parametrize(
    "order",
    [
        Order("", SCOPES),
        Order("  ", SCOPES),
        Order("x" * 101, SCOPES),
        Order("two\nlines", SCOPES),
        Order("shop", frozenset({"two words"})),
        Order("shop", frozenset({'"'})),
        Order("shop", SCOPES, rate_class="a.b"),
        Order("shop", SCOPES, rate_class=""),
        Order("shop", SCOPES, customers=frozenset({" "})),
        Order("shop", SCOPES, customers=frozenset({"C-1"}), customer="C-2"),
        Order("shop", SCOPES, customer="C-2"),
        Order("shop", SCOPES, origins=frozenset({"shop.example"})),
        Order("shop", SCOPES, lifetime=timedelta()),
        Order("shop", SCOPES, lifetime=-DAY),
        Order("shop", SCOPES, lifetime=LONGEST + DAY),
    ],
)
async def test_what_cannot_be_meant_makes_no_key(
    ring: KeyRing, store: MemoryKeys, order: Order
) -> None:
    with pytest.raises(KeyRingError):
        await ring.create(order)
    assert not store.held


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(text: str, origin: str) -> None:
    assert origin_of(text) == origin


@pytest.mark.parametrize(
    "text",
    ["", "*", "null", "shop.example", "https://*.shop.example", "https://shop.example/a",
     "https://u:p@shop.example", "ftp://shop.example", "https://shop.example:x",
     "https://[::1", "https://shop.example?a", "file:///tmp"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(KeyRingError):
        origin_of(text)


async def test_a_rotated_key_goes_on_for_the_overlap(
    ring: KeyRing, store: MemoryKeys, hands: Hands
) -> None:
    first = await ring.create(Order("shop", SCOPES, lifetime=90 * DAY))
    hands.go(10 * DAY.total_seconds())

    second = await ring.rotate(first.key.id, Rotation(7 * DAY))

    now = START + 10 * DAY
    assert store.held[first.key.id].expires_at == now + 7 * DAY
    assert second.key.expires_at == now + 90 * DAY
    assert second.secret != first.secret
    assert second.key.id != first.key.id
    assert (second.key.client, second.key.name) == (first.key.client, "shop")
    assert second.key.scopes == SCOPES
    assert second.key.created_at == now


async def test_an_overlap_does_not_prolong_a_key(ring: KeyRing, store: MemoryKeys) -> None:
    first = await ring.create(Order("shop", SCOPES, lifetime=DAY))

    await ring.rotate(first.key.id, Rotation(7 * DAY))

    assert store.held[first.key.id].expires_at == START + DAY


async def test_the_new_key_may_have_another_lifetime(ring: KeyRing) -> None:
    first = await ring.create(Order("shop", SCOPES))
    second = await ring.rotate(first.key.id, Rotation(timedelta(), same_lifetime=True))
    third = await ring.rotate(second.key.id, Rotation(DAY, same_lifetime=False, lifetime=DAY))

    assert second.key.expires_at is None
    assert third.key.expires_at == START + DAY


async def test_two_live_keys_are_the_most(ring: KeyRing, hands: Hands) -> None:
    first = await ring.create(Order("shop", SCOPES))
    second = await ring.rotate(first.key.id, Rotation(DAY))

    for key in (first.key, second.key):
        with pytest.raises(KeyRingError, match="two live keys"):
            await ring.rotate(key.id, Rotation(DAY))
    hands.go(DAY.total_seconds())

    with pytest.raises(KeyRingError, match="expired"):
        await ring.rotate(first.key.id, Rotation(DAY))
    assert await ring.rotate(second.key.id, Rotation(DAY))


async def test_a_revoked_key_makes_room_and_is_not_rotated(ring: KeyRing) -> None:
    first = await ring.create(Order("shop", SCOPES))
    second = await ring.rotate(first.key.id, Rotation(DAY))
    await ring.revoke(first.key.id)

    with pytest.raises(KeyRingError, match="revoked"):
        await ring.rotate(first.key.id, Rotation(DAY))
    assert await ring.rotate(second.key.id, Rotation(DAY))


async def test_revoking_again_changes_nothing(ring: KeyRing, hands: Hands) -> None:
    issued = await ring.create(Order("shop", SCOPES))
    first = await ring.revoke(issued.key.id)
    hands.go(60)

    assert first.revoked_at == START
    assert await ring.revoke(issued.key.id) == first
    assert await ring.revoke(issued.secret) == first


async def test_a_key_that_was_found_is_revoked_by_itself(ring: KeyRing, store: MemoryKeys) -> None:
    issued, other = [await ring.create(Order("shop", SCOPES)) for _ in range(2)]

    await ring.revoke(issued.secret)

    assert store.held[issued.key.id].revoked_at is not None
    assert store.held[other.key.id].revoked_at is None


@pytest.mark.parametrize(
    "text", [new_key(KeyKind.LIVE), "gw_live_" + "a" * 38], ids=["well formed", "malformed"]
)
async def test_an_unknown_key_is_not_repeated(ring: KeyRing, text: str) -> None:
    with pytest.raises(KeyRingError) as raised:
        await ring.revoke(text)
    assert text not in str(raised.value)


async def test_an_unknown_id_is(ring: KeyRing) -> None:
    with pytest.raises(KeyRingError, match="no key 'none'"):
        await ring.revoke("none")


async def test_without_a_pepper_keys_are_revoked_by_id_only(
    ring: KeyRing, store: MemoryKeys
) -> None:
    issued = await ring.create(Order("shop", SCOPES))
    poor = KeyRing(store, None)

    with pytest.raises(KeyRingError, match="pepper"):
        await poor.create(Order("shop", SCOPES))
    with pytest.raises(KeyRingError, match="pepper"):
        await poor.revoke(issued.secret)
    assert (await poor.revoke(issued.key.id)).revoked_at is not None
