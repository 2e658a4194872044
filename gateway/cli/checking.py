"""Every configured system asked once, all at the same time, and what came of it as a table."""

import asyncio

from rich.console import Console
from rich.table import Table

from gateway.app import Connection, Wiring
from gateway.settings import Settings
from ports.caller import Call
from ports.errors import UpstreamError
from upstream.reference import own_call

_DETAIL = 300
_WIDE = 2 * _DETAIL  # in a file or pipe every result is one line


def check(settings: Settings) -> int:
    """0 when all is well, else 1."""
    outcomes = asyncio.run(_outcomes(settings))
    table = Table("upstream", "kind", "result", box=None, pad_edge=False)
    for name, outcome in outcomes.items():
        table.add_row(name, settings.upstreams[name].kind, outcome or "ok")
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)
    return 1 if any(outcomes.values()) else 0


async def _outcomes(settings: Settings) -> dict[str, str | None]:
    """What is wrong by upstream; None where nothing is."""
    wiring = Wiring(settings)
    seconds = settings.graphql.deadline_seconds
    call = own_call(settings.graphql.default_language, seconds)
    connections = wiring.connections
    try:
        found = await asyncio.gather(
            *(_outcome(connection, call, seconds) for connection in connections.values())
        )
    finally:
        await wiring.aclose()
    return dict(zip(connections, found, strict=True))


async def _outcome(connection: Connection, call: Call, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            await connection.connector.check(call=call)
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except UpstreamError as error:
        return _line(f"{error.code}: {error.message} {error.detail}")
    except Exception as error:  # noqa: BLE001 - one connector's mistake must not hide the others
        return _line(f"{type(error).__name__}: {error}")
    return None


def _line(text: str) -> str:
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _DETAIL else f"{line[:_DETAIL]}..."
