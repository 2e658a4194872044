"""What the allocator does with memory that is free."""

import asyncio
import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.memory import Tidying

ROOT = Path(__file__).parents[3]
# Blocks too small for the system's own pages, the last of which stays; then all others are free.
FREEING = """
from gateway.cli.memory import give_back, keep_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

keep_memory()
blocks = [bytearray(8_000) for _ in range(6_000)]
full = resident()
del blocks[:-1]
held = resident()
give_back()
print(full, held, resident())
"""


async def test_it_gives_back_again_and_again_until_it_is_stopped() -> None:
    given = asyncio.Queue[None]()
    loop = asyncio.get_running_loop()
    tidying = Tidying(lambda: loop.call_soon_threadsafe(given.put_nowait, None), 0.001)

    tidying.start()
    async with asyncio.timeout(10):
        for _ in range(3):
            await given.get()
    tidying.stop()
    tidying.stop()
    await loop.shutdown_default_executor()
    await asyncio.sleep(0)
    late = given.qsize()
    await asyncio.sleep(0.01)

    assert given.qsize() == late


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another allocator")
def test_free_memory_is_held_for_reuse_and_then_given_back() -> None:
    told = subprocess.run(
        [sys.executable, "-c", FREEING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    full, held, left = map(int, told.stdout.split())

    assert held > full * 0.9
    assert left < held - 20_000_000
