"""Connectors found by name, by import path, and by entry point of another distribution."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry
from ports.common import SystemName
from ports.stock import Stock
from tests.contracts.peers import call
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded

SAGE = '''
"""A connector that somebody else wrote."""

from collections.abc import Sequence
from decimal import Decimal

from ports.common import SystemName
from ports.stock import Availability, AvailabilityStatus
from pydantic import Field, SecretStr
from upstream.config import UpstreamConfig
from upstream.connector import Manifest


class SageConfig(UpstreamConfig):
    secret: SecretStr = Field(description="Key.")


class SageConnector:
    manifest = Manifest(
        name="sage",
        title="Sage 100",
        system=SystemName.ERP,
        ports=("stock",),
        connector="company_sage:SageConnector",
        config="company_sage:SageConfig",
    )

    def __init__(self, upstream, config):
        self._upstream = upstream
        self.config = config

    def ports(self):
        return {"stock": self}

    async def check(self, *, call):
        return None

    async def aclose(self):
        return None

    async def availability(self, skus: Sequence[str], /, *, call):
        now = self._upstream.read_now()
        return {sku: Availability(AvailabilityStatus.IN_STOCK, Decimal(1), now) for sku in skus}


class Bare:
    manifest = "no manifest"
'''
ENTRY = "[passerelle.connectors]\nsage = company_sage:SageConnector\n"
METADATA = "Metadata-Version: 2.1\nName: company-sage\nVersion: 1.0\n"


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution outside the tree, installed for one test."""
    (tmp_path / "company_sage.py").write_text(SAGE, encoding="utf-8")
    (tmp_path / "company_broken.py").write_text("import company_nowhere\n", encoding="utf-8")
    info = tmp_path / "company_sage-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(ENTRY, encoding="utf-8")
    (info / "METADATA").write_text(METADATA, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("company_sage", "company_broken"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("kind", ["company_sage:SageConnector", "sage"])
async def test_a_connector_of_somebody_else_is_an_equal(kind: str) -> None:
    found = registry.find(kind)
    told = {"kind": kind, "base_url": "http://127.0.0.1", "secret": "s3cret"}
    config = found.config().model_validate(told)
    upstream = Upstream("erp", found.manifest, Exchanges())
    connector = found.connector()(upstream, config)
    port = Guarded("stock", Stock, connector.ports()["stock"], upstream)

    assert found.manifest.system is SystemName.ERP
    assert "s3cret" not in repr(config)
    assert set(await port.availability(("A", "A", "B"), call=call())) == {"A", "B"}
    await connector.check(call=call())
    await connector.aclose()


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("company_sage:Nothing", "cannot be imported"),
        ("company_nowhere:Sage", "cannot be imported"),
        ("company_broken:Sage", "company_nowhere"),
        ("company_sage:Bare", "manifest"),
        ("company_sage:SageConfig", "manifest"),
        ("netsuite", "akeneo, dhl, hubspot, nightly, odoo, ups"),
        ("", "akeneo"),
        (":", "cannot be imported"),
        ("..:x", "cannot be imported"),
    ],
)
def test_what_is_no_connector_is_told_why(kind: str, word: str) -> None:
    with pytest.raises(registry.UnknownKindError, match=word):
        registry.find(kind)


def test_ours_are_found_by_name() -> None:
    assert set(registry.manifests()) == {"akeneo", "dhl", "hubspot", "nightly", "odoo", "ups"}
    for name in registry.manifests():
        assert registry.find(name).manifest.name == name


def test_a_manifest_is_read_without_importing_its_connector() -> None:
    code = (
        "import sys; from connectors import registry; registry.find('dhl');"
        "sys.exit(any(name.startswith('connectors.dhl') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
