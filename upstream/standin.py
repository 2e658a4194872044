"""What stands where a connector could not be built: every question to it fails, the rest serves."""

from collections.abc import Mapping
from typing import Any, NoReturn

from ports.caller import Call
from ports.errors import UnavailableError
from upstream.connector import Upstream


class StandIn:
    """A connector for all roles of its manifest, none of whose operations can be had."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def ports(self) -> Mapping[str, object]:
        return {role: _Missing(self._upstream, role) for role in self._upstream.manifest.ports}

    async def check(self, *, call: Call) -> None:
        _ = call
        raise _unavailable(self._upstream, "check")

    async def aclose(self) -> None:
        """Holds nothing."""


class _Missing:
    def __init__(self, upstream: Upstream, role: str) -> None:
        self._upstream = upstream
        self._role = role

    def __getattr__(self, operation: str) -> Any:
        async def missing(*arguments: object, call: Call) -> NoReturn:
            _ = arguments, call
            raise _unavailable(self._upstream, f"{self._role}.{operation}")

        return missing


def _unavailable(upstream: Upstream, operation: str) -> UnavailableError:
    return UnavailableError(
        system=upstream.manifest.system.value,
        upstream=upstream.name,
        operation=operation,
        detail="the connector could not be built; see the log of the start",
    )
