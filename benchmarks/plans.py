"""Compiled plans against the stock engine: CPU an operation, on systems in memory.

Usage: python benchmarks/plans.py [--rounds N] [--json]
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass

from memory import QUERIES, VARIABLES, Gateway, Systems


@dataclass(frozen=True)
class Ratio:
    """Milliseconds of CPU an operation, the least of all rounds. `bytes` are those of the answer."""

    query: str
    stock_ms: float
    plan_ms: float
    bytes: int

    @property
    def ratio(self) -> float:
        return self.stock_ms / self.plan_ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = asyncio.run(ratios(options.rounds))
    if options.json:
        print(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=2))
        return
    print("| query | stock engine, ms | plan, ms | stock / plan | bytes |\n|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.query} | {row.stock_ms:.2f} | {row.plan_ms:.3f} | {row.ratio:.0f} | {row.bytes:,} |"
        )


async def ratios(rounds: int, names: tuple[str, ...] = tuple(QUERIES)) -> list[Ratio]:
    """By turns, so that what else the machine does befalls both."""
    systems = Systems()
    planned, stock = Gateway(systems), Gateway(systems, planned=False)
    found = []
    for name in names:
        size = await check(planned, stock, name)
        times: dict[int, float] = {}
        for _ in range(rounds):
            for gateway in (planned, stock):
                took = await seconds(gateway, name)
                times[id(gateway)] = min(took, times.get(id(gateway), took))
        found.append(Ratio(name, times[id(stock)] * 1e3, times[id(planned)] * 1e3, size))
    return found


async def check(planned: Gateway, stock: Gateway, name: str) -> int:
    """Both answer the same, and so are warm. The length of the answer."""
    answers = [await one.ask(QUERIES[name], VARIABLES[name]) for one in (planned, stock)]
    data = [dict(one.data or {}) for one in answers]
    if data[0] != data[1] or any(one.errors for one in answers):
        raise SystemExit(f"{name} is answered differently")
    return len(json.dumps(data[0], separators=(",", ":")))


async def seconds(gateway: Gateway, name: str) -> float:
    began = time.process_time()
    await gateway.ask(QUERIES[name], VARIABLES[name])
    return time.process_time() - began


if __name__ == "__main__":
    main()
