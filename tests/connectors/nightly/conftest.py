"""A directory with exports, and a connector that reads it."""

import errno
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.nightly.config import NightlyConfig
from connectors.nightly.connector import Nightly
from upstream.connector import Upstream
from upstream.exchanges import Exchanges

STOCK = """sku,warehouse,warehouse_name,country,on_hand,reserved,unit,incoming,incoming_on
bolt,PAR,Paris,fr,12,2,pcs,,
bolt,LYS,Lyon,FR,3.5,0,pcs,40,2026-12-01
nut,PAR,Paris,FR,1,4,pcs,,
late,PAR,Paris,FR,0,0,pcs,10,2026-12-24
"""


class Drop:
    """Writes files as a transfer does that ended `age` seconds ago."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, name: str, content: str | bytes, age: float = 3600.0) -> Path:
        file = self.directory / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.touch(file, age)
        return file

    @staticmethod
    def touch(file: Path, age: float) -> None:
        written = time.time() - age
        os.utime(file, (written, written))


class Denied:
    """A directory that this account may not list, root though it may be."""

    def __fspath__(self) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


Make = Callable[..., Nightly]


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


@pytest.fixture
async def make(tmp_path: Path, exchanges: Exchanges) -> AsyncIterator[Make]:
    """A connector that looks for a newer file at every question, unless told otherwise."""
    made = []

    def nightly(place: Denied | None = None, **keys: Any) -> Nightly:
        own = {"directory": tmp_path, "look_seconds": 0, "stock_file": "stock.csv", **keys}
        config = NightlyConfig.model_validate({"kind": "nightly", **own})
        if place is not None:
            config = config.model_copy(update={"directory": place})
        upstream = Upstream("nightly", registry.manifests()["nightly"], exchanges)
        made.append(Nightly(upstream, config))
        return made[-1]

    yield nightly
    for one in made:
        await one.aclose()
