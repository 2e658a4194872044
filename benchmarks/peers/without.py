"""Starts our gateway with one of its features taken out, to see what the feature costs.

Usage: without.py FEATURE CONFIG PORT; `nothing` starts it as it is. For measurements only.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ports.caller import Caller, CallerKind

Change = tuple[str, str, Callable[..., Any]]
"""The class (`package.module:Class`), its method, and what stands in the method's place."""


class GoneError(Exception):
    """The gateway has changed: what a feature is to be taken out of is not there any more."""


async def _everybody(_access: object, _headers: object, scope: Mapping[str, Any]) -> Any:
    from gateway.access.wiring import Admitted
    from resolvers.scopes import ALL_SCOPES

    caller = Caller("nobody", CallerKind.APPLICATION, customers=None, scopes=ALL_SCOPES)
    return Admitted(caller, str((scope.get("client") or ("unknown",))[0]))


async def _nothing_awaited(*_: object, **__: object) -> None:
    return None


def _nothing(*_: object, **__: object) -> None:
    return None


def _free(*_: object, **__: object) -> int:
    return 0


FEATURES: Mapping[str, tuple[Change, ...]] = {
    "nothing": (),
    "access": (("gateway.access.wiring:Access", "admit", _everybody),),
    "limits": (
        ("gateway.access.wiring:Access", "take", _nothing_awaited),
        ("gateway.execution.gate:Gate", "_cost", _free),
    ),
    "watch": (("gateway.access.watch:Watch", "observe", _nothing),),
    "exchanges": (("upstream.exchanges:Exchanges", "record", _nothing),),
    "plans": (("gateway.execution.plans:Plans", "data", _nothing_awaited),),
}


def main() -> None:
    feature, config, port = sys.argv[1:]
    from gateway.cli.serving import serve
    from gateway.settings import load

    for change in FEATURES[feature]:
        take_out(*change)
    sys.path.append(str(Path(config).parent))
    serve(load(Path(config), {**os.environ, "PASSERELLE_SERVER__PORT": port}))


def take_out(path: str, name: str, stand_in: Callable[..., Any]) -> None:
    """Raises GoneError where there is no such method."""
    module, _, owner = path.partition(":")
    found = getattr(importlib.import_module(module), owner, None)
    if not hasattr(found, name):
        raise GoneError(f"{path} has no {name}")
    setattr(found, name, stand_in)


if __name__ == "__main__":
    main()
