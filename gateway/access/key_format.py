"""What an API key looks like, and the only form in which one is kept: a peppered digest.

`gw_live_` or `gw_test_`, 32 random characters (190 bits), 6 of checksum. The checksum refuses typos
without a look-up and lets scanners tell a leaked key from noise; it proves nothing.
"""

import hmac
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
LENGTH = len("gw_live_") + RANDOM_LENGTH + CHECKSUM_LENGTH
ID_LENGTH = 10
_SHAPE = re.compile(rf"gw_(live|test)_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")
# Not to be mistaken for one another when read aloud.
_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class KeyKind(Enum):
    LIVE = "live"
    TEST = "test"


def new_key(kind: KeyKind) -> str:
    body = f"gw_{kind.value}_" + _random(ALPHABET, RANDOM_LENGTH)
    return body + checksum(body)


def new_id() -> str:
    """The public name of a key, in no relation to it."""
    return _random(_ID_ALPHABET, ID_LENGTH)


def well_formed(text: str) -> bool:
    """Whether this may be a key at all. Costs about a microsecond, whatever is sent."""
    if len(text) != LENGTH or _SHAPE.fullmatch(text) is None:
        return False
    return hmac.compare_digest(text[-CHECKSUM_LENGTH:], checksum(text[:-CHECKSUM_LENGTH]))


def checksum(body: str) -> str:
    """CRC-32 in base 62, its most significant digit first."""
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


@dataclass(frozen=True, slots=True)
class Pepper:
    """A secret of the installation, without which stolen digests are worth nothing."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Tells peppers apart and tells nothing about them."""
        return hmac.digest(self.secret, b"passerelle pepper id", "sha256")[:4].hex()

    def digest(self, key: str) -> bytes:
        """HMAC-SHA256; a random key needs no slow hash, which would let anybody keep us busy."""
        return hmac.digest(self.secret, key.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Peppers:
    """New keys get the current one; those of the previous one go on while both are configured."""

    current: Pepper
    previous: Pepper | None = None

    def digests(self, key: str) -> Sequence[bytes]:
        """What the key may be stored under, the current pepper's first."""
        own = self.current.digest(key)
        return (own,) if self.previous is None else (own, self.previous.digest(key))

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(pepper.id for pepper in (self.current, self.previous) if pepper)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
