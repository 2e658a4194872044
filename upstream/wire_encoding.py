"""Bodies that came compressed, unpacked piece by piece and never beyond the limit."""

import zlib

from ports.errors import MalformedError
from upstream.failures import WireError

# One within the other would let a small answer grow beyond any limit at once.
_NAMES = frozenset({b"gzip", b"x-gzip", b"deflate"})
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 2
_MEMBERS = 64


class Unpacking:
    """One body, of at most `limit` bytes when unpacked."""

    def __init__(self, encoding: bytes, limit: int) -> None:
        self._deflate = encoding == b"deflate"
        self._unpack = None if self._deflate else zlib.decompressobj(_GZIP)
        self._left = limit
        self._members = 1
        self._held = b""
        self._begun = False

    def feed(self, packed: bytes) -> bytes:
        """What these bytes unpack to.

        Raises WireError beyond the limit and for what does not unpack.
        """
        self._begun = self._begun or bool(packed)
        packed = self._held + packed
        self._held = b""
        parts = []
        while packed:
            if (unpack := self._at(packed)) is None:
                break
            parts.append(self._piece(unpack, packed))
            packed = unpack.unused_data
        return b"".join(parts)

    def end(self) -> None:
        """Raises WireError where something is missing."""
        if self._begun and (self._unpack is None or not self._unpack.eof):
            raise WireError(MalformedError, "a compressed body that was cut short")

    def _at(self, packed: bytes) -> "zlib._Decompress | None":
        """What unpacks the next bytes; None while they are too few to tell, or belong to nothing."""
        if self._unpack is not None and not self._unpack.eof:
            return self._unpack
        if len(packed) < _HEAD_BYTES:
            self._held = packed
            return None
        if self._unpack is None:
            self._unpack = zlib.decompressobj(_deflate_window(packed))
            return self._unpack
        return self._next_member(packed)

    def _next_member(self, packed: bytes) -> "zlib._Decompress | None":
        """Gzip may be several one after the other (RFC 1952 §2.2); all else behind it is passed."""
        if self._deflate or not packed.startswith(_GZIP_MAGIC):
            return None
        self._members += 1
        if self._members > _MEMBERS:
            raise WireError(MalformedError, "compression in too many parts")
        self._unpack = zlib.decompressobj(_GZIP)
        return self._unpack

    def _piece(self, unpack: "zlib._Decompress", packed: bytes) -> bytes:
        try:
            unpacked = unpack.decompress(packed, self._left + 1)
        except zlib.error as problem:
            raise WireError(MalformedError, f"compression: {problem}") from problem
        self._left -= len(unpacked)
        if self._left < 0:
            raise WireError(MalformedError, "answer longer than the limit")
        return unpacked


def _deflate_window(head: bytes) -> int:
    """Some servers mean the bare stream by it, without zlib's frame (RFC 9110 §8.4.1.2)."""
    framed = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0
    return zlib.MAX_WBITS if framed else -zlib.MAX_WBITS


def unpacking_of(encoding: bytes, limit: int) -> Unpacking | None:
    """None for a body as it is. Raises WireError for an encoding that was not asked for."""
    name = encoding.strip().lower()
    if name in {b"", b"identity"}:
        return None
    if name not in _NAMES:
        raise WireError(MalformedError, "an encoding that was not asked for")
    return Unpacking(name, limit)
