"""The format of keys: what is one, what only looks like one, and what is kept of it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.access.key_format import (
    ALPHABET,
    ID_LENGTH,
    LENGTH,
    RANDOM_LENGTH,
    KeyKind,
    Pepper,
    Peppers,
    checksum,
    new_id,
    new_key,
    well_formed,
)

bodies = st.builds(
    "gw_{}_{}".format,
    st.sampled_from(["live", "test"]),
    st.text(ALPHABET, min_size=RANDOM_LENGTH, max_size=RANDOM_LENGTH),
)


def test_a_key_is_46_characters_of_its_kind() -> None:
    for kind in KeyKind:
        key = new_key(kind)

        assert re.fullmatch(rf"gw_{kind.value}_[0-9A-Za-z]{{38}}", key)
        assert len(key) == LENGTH == 46
        assert well_formed(key)


def test_keys_and_ids_do_not_repeat() -> None:
    assert len({new_key(KeyKind.LIVE) for _ in range(2000)}) == 2000
    assert len({new_id() for _ in range(2000)}) == 2000
    assert len(new_id()) == ID_LENGTH


@given(bodies)
def test_every_body_with_its_checksum_is_well_formed(body: str) -> None:
    assert well_formed(body + checksum(body))


@given(bodies, st.data())
def test_one_wrong_character_is_noticed(body: str, data: st.DataObject) -> None:
    key = body + checksum(body)
    place = data.draw(st.integers(0, LENGTH - 1))
    other = data.draw(st.characters().filter(lambda one: one != key[place]))

    assert not well_formed(key[:place] + other + key[place + 1 :])


@given(bodies, st.integers(8, LENGTH - 2))
def test_two_neighbours_exchanged_are_noticed(body: str, place: int) -> None:
    key = body + checksum(body)
    other = key[:place] + key[place + 1] + key[place] + key[place + 2 :]

    assert other == key or not well_formed(other)


@given(st.text(max_size=200))
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert not well_formed(text)


def test_a_key_of_one_kind_does_not_become_one_of_the_other() -> None:
    key = new_key(KeyKind.TEST)

    assert not well_formed(key.replace("gw_test_", "gw_live_"))
    assert not well_formed(key + "\n")
    assert not well_formed(key.upper())


def test_the_checksum_is_crc_32_in_base_62() -> None:
    # CRC-32 of `123456789` is 0xCBF43926, the check value of its definition.
    digits = checksum("123456789")
    number = 0
    for digit in digits:
        number = number * 62 + ALPHABET.index(digit)

    assert len(digits) == 6
    assert number == 0xCBF43926


def test_a_digest_depends_on_key_and_pepper() -> None:
    one, other = Pepper(b"one" * 11), Pepper(b"other" * 11)
    key = new_key(KeyKind.LIVE)

    assert one.digest(key) == Pepper(b"one" * 11).digest(key)
    assert one.digest(key) != other.digest(key)
    assert one.digest(key) != one.digest(new_key(KeyKind.LIVE))
    assert one.id != other.id
    assert Peppers(one, other).digests(key) == (one.digest(key), other.digest(key))
    assert Peppers(one, other).ids == {one.id, other.id}


def test_a_pepper_is_not_printed() -> None:
    assert "hush" not in repr(Peppers(Pepper(b"hush"), Pepper(b"hush-hush")))
