"""What a connector is given to work with."""

from datetime import UTC, datetime

import msgspec
import pytest

from ports.common import FreshnessState, SystemName
from tests.upstream.loopback import config
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.roles import ROLES

MANIFEST = """
name = "x"
title = "X"
system = "ERP"
ports = ["stock"]
connector = "a:B"
config = "a:C"
concurrency = 1
[operations."stock.availability"]
max_keys = 7
"""


def upstream() -> Upstream:
    return Upstream("erp-fr", msgspec.toml.decode(MANIFEST, type=Manifest), Exchanges())


def test_a_manifest_is_read() -> None:
    manifest = upstream().manifest

    assert manifest.system is SystemName.ERP
    assert manifest.operations["stock.availability"].max_keys == 7
    assert set(manifest.ports) <= set(ROLES)


@pytest.mark.parametrize("more", ["surprise = 1", "[operations.x]\nmost = 1"])
def test_a_manifest_with_unknown_keys_is_refused(more: str) -> None:
    text = MANIFEST + more if more.startswith("[") else more + MANIFEST
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(text, type=Manifest)


def test_a_value_read_now_says_so() -> None:
    before = datetime.now(UTC)
    fresh = upstream().read_now()

    assert (fresh.system, fresh.upstream) == (SystemName.ERP, "erp-fr")
    assert fresh.state is FreshnessState.LIVE
    assert before <= fresh.as_of <= datetime.now(UTC)


def test_identity() -> None:
    assert (upstream().identity.upstream, upstream().identity.system) == ("erp-fr", "ERP")


async def test_the_configured_limit_comes_before_the_manifests() -> None:
    one = upstream().bulkhead(config("http://127.0.0.1"))
    two = upstream().bulkhead(config("http://127.0.0.1", concurrency=2))
    async with one.slot(), two.slot(), two.slot():
        assert (one.full, two.full) == (True, True)
    async with two.slot():
        assert (one.full, two.full) == (False, False)
