"""Cached answers as bytes: msgpack, typed by what the port operation declares; never pickle.

Where a key is configured the bytes are encrypted, and bound to the place they are kept at.
"""

import hashlib
import os
from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ports.errors import UpstreamError
from ports.operation import Operation

_NONCE_BYTES = 12

# Sets have no order of their own; equal questions must give equal bytes.
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """A kept answer. `born` is when it was asked (Unix time), `fresh` for how many seconds.

    `generation` is that of the operation's broad tags. `body` None: the key is not known there.
    """

    born: float
    fresh: float
    generation: str
    body: bytes | None


_ENVELOPES = msgspec.msgpack.Decoder(Envelope)


class Seal:
    """Encrypts with AES-256-GCM. Secrets of any length are accepted; they should be random."""

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"passerelle cache")
        self._cipher = AESGCM(derived.derive(secret))

    def close(self, plain: bytes, place: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes | None:
        """None for bytes that were not sealed with this secret for this place."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError):
            return None


class Codec:
    """Answers of one operation. `fingerprint` changes with the shape of its records."""

    def __init__(self, shape: Any) -> None:
        self.fingerprint = _fingerprint(shape)
        self._decoder = msgspec.msgpack.Decoder(shape)

    def encode(self, value: object) -> bytes:
        return _ENCODER.encode(value)

    def decode(self, body: bytes) -> Any:
        """Raises msgspec.DecodeError for what is not of the shape."""
        return self._decoder.decode(body)


def pack(envelope: Envelope, place: str, seal: Seal | None) -> bytes:
    plain = _ENCODER.encode(envelope)
    return seal.close(plain, place) if seal else plain


def unpack(kept: bytes, place: str, seal: Seal | None) -> Envelope | None:
    """None for what cannot be read: another key, another version, not ours."""
    plain = seal.open(kept, place) if seal else kept
    if plain is None:
        return None
    try:
        return _ENVELOPES.decode(plain)
    except (msgspec.DecodeError, ValueError):
        return None


def key_bytes(key: object) -> bytes:
    """Equal for equal questions; differs for different ones."""
    return _ENCODER.encode(key)


def digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def shape_of(protocol: type, name: str, operation: Operation) -> Any:
    """The type of one answer, from the annotations of the port's Protocol."""
    told = get_type_hints(getattr(protocol, name)).get("return", Any)
    if operation.shape == "single":
        return told
    _, answer = get_args(told)
    if get_origin(answer) not in {Union, UnionType}:
        return answer
    values = tuple(one for one in get_args(answer) if one is not UpstreamError)
    return Union[values]  # noqa: UP007 - made of a tuple


def structs_in(shape: Any) -> tuple[type, ...]:
    """The records that a type is made of, outermost first."""
    found: dict[type, None] = {}
    _gather(shape, found)
    return tuple(found)


def _gather(shape: Any, found: dict[type, None]) -> None:
    origin = get_origin(shape) or shape
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct) and origin not in found:
        found[origin] = None
        for told in get_type_hints(origin).values():
            _gather(told, found)
    for inner in get_args(shape):
        _gather(inner, found)


def _fingerprint(shape: Any) -> str:
    (top,), parts = msgspec.json.schema_components([shape], schema_hook=_foreign)
    whole: Mapping[str, object] = {"top": top, "parts": parts}
    return digest(msgspec.json.encode(whole, order="deterministic"))[:12]


def _foreign(kind: type) -> dict[str, object]:
    """JSON-ready values of any type, which a schema cannot describe."""
    return {"title": kind.__qualname__}
