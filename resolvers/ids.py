"""Global ids: opaque, of a type's name and the natural key, so that they survive new vendors."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

from ports.errors import BadInputError

# The longest natural key of any system, with room; longer ids cannot be ours.
_LONGEST = 512


def encode(kind: str, key: str) -> str:
    return urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def decode(text: str) -> tuple[str, str]:
    """The type's name and the natural key. Raises BadInputError for anything `encode` cannot make."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except (UnicodeError, Base64Error, ValueError):
        raw = ""
    kind, colon, key = raw.partition(":")
    if not (colon and kind and key) or len(text) > _LONGEST or encode(kind, key) != text:
        raise BadInputError("This id is malformed; use an id that this API has given.")
    return kind, key


def key_of(kind: str, text: str) -> str:
    """The natural key in an id of this type. Raises BadInputError for other types' ids."""
    found, key = decode(text)
    if found != kind:
        raise BadInputError(f"This id belongs to another type than {kind}.")
    return key
