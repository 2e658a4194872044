"""`passerelle check`: every system is asked, and one that is wrong hides no other."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app

COMPANY = '''
    """Systems of a company's own, which find what their address says."""

    import asyncio
    from urllib.parse import urlsplit

    from ports.common import SystemName
    from ports.errors import RefusedError
    from upstream.config import UpstreamConfig
    from upstream.connector import Manifest


    class Own:
        manifest = Manifest(
            name="own", title="Own", system=SystemName.ERP, ports=("stock",),
            connector="NAME:Own", config="upstream.config:UpstreamConfig",
        )

        def __init__(self, upstream, config):
            self._upstream, self._fate = upstream, urlsplit(config.base_url).hostname

        def ports(self):
            return {"stock": self}

        async def availability(self, *arguments, call):
            return {}

        async def check(self, *, call):
            if self._fate == "refuses":
                raise RefusedError(
                    system="ERP", upstream=self._upstream.name, operation="check",
                    detail="401:\\n wrong key" + "!" * 500,
                )
            if self._fate == "breaks":
                raise KeyError("result")
            if self._fate == "hangs":
                await asyncio.Event().wait()

        async def aclose(self):
            pass
'''


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A connector that is not installed but lies beside the configuration."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    text = textwrap.dedent(COMPANY).replace("NAME", "passerelle_test_company")
    (tmp_path / "passerelle_test_company.py").write_text(text, encoding="utf-8")
    yield "passerelle_test_company:Own"
    sys.modules.pop("passerelle_test_company", None)


def check(file: Path) -> Result:
    return CliRunner().invoke(app, ["check", "--config", str(file)], catch_exceptions=False)


def tables(kind: str, *fates: str) -> str:
    upstreams = (
        f'[upstreams.{fate}]\nkind = "{kind}"\nbase_url = "http://{fate}"\n' for fate in fates
    )
    return "[graphql]\ndeadline_seconds = 0.2\n" + "\n".join(upstreams)


def test_all_is_well(kind: str, config: Any) -> None:
    done = check(config(tables(kind, "works")))

    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["upstream", "kind", "result"],
        ["works", kind, "ok"],
    ]


def test_what_is_wrong_is_told_for_each(kind: str, config: Any) -> None:
    done = check(config(tables(kind, "refuses", "works", "breaks", "hangs")))

    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    assert done.exit_code == 1
    assert rows["works"].split() == [kind, "ok"]
    assert "UPSTREAM_REFUSED: ERP (refuses) refused the request. 401: wrong key!" in rows["refuses"]
    assert rows["refuses"].rstrip().endswith("!...")
    assert "KeyError" in rows["breaks"]
    assert "no answer within 0.2 s" in rows["hangs"]


def test_no_upstream_is_no_mistake(config: Any) -> None:
    assert check(config("")).exit_code == 0


def test_a_system_that_is_not_there(config: Any, port: int) -> None:
    done = check(
        config(
            f'[upstreams.erp]\nkind = "odoo"\nbase_url = "http://127.0.0.1:{port}"\n'
            'api_key = "correct-horse"\n'
        )
    )

    assert done.exit_code == 1
    assert "ERP (erp)" in done.stdout
    assert "correct-horse" not in done.stdout
