"""The signing keys: one of each algorithm signs, those it followed stay published for a while."""

import uuid
from typing import Any, Literal, cast

from joserfc.jwk import ECKey, Key, KeyParameters, KeySet, RSAKey

from sandbox.rate import Clock

Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "RS256")

_RSA_BITS = 2048


class Keys:
    """Made when first used: an RSA key takes longer than the rest of the sandbox's start."""

    def __init__(self, published_seconds: float, clock: Clock) -> None:
        self._published_seconds = published_seconds
        self._clock = clock
        self._signing: dict[Algorithm, Key] = {}
        self._retired: list[tuple[Key, float]] = []

    def signing(self, algorithm: Algorithm) -> KeySet:
        """A set of the one private key that signs now: joserfc names its `kid` in the token."""
        return KeySet([self._of(algorithm)])

    def rotate(self, *, keep: bool) -> None:
        """New keys sign from now on; the old ones stay published, unless told not to `keep`."""
        until = self._clock() + self._published_seconds
        retired = [(key, until) for key in self._signing.values()]
        self._retired = [*self._retired, *retired] if keep else []
        self._signing = {}

    def public(self) -> KeySet:
        now = self._clock()
        self._retired = [(key, until) for key, until in self._retired if until > now]
        current = [self._of(algorithm) for algorithm in ALGORITHMS]
        return KeySet([*current, *(key for key, _ in self._retired)])

    def jwks(self) -> dict[str, Any]:
        """The document of RFC 7517, without the private parts."""
        return cast("dict[str, Any]", self.public().as_dict(private=False))

    def _of(self, algorithm: Algorithm) -> Key:
        if algorithm not in self._signing:
            self._signing[algorithm] = _generated(algorithm)
        return self._signing[algorithm]


def _generated(algorithm: Algorithm) -> Key:
    about: KeyParameters = {
        "kid": f"{algorithm.lower()}-{uuid.uuid4().hex[:12]}",
        "alg": algorithm,
        "use": "sig",
    }
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters=about)
    return RSAKey.generate_key(_RSA_BITS, parameters=about)
