"""A connector that is not part of this tree is served like one that is."""

import json
import textwrap
import urllib.request
from pathlib import Path
from typing import Any

COMPANY = '''
    """A company's own ledger, which answers from memory."""

    from datetime import date
    from decimal import Decimal

    from pydantic import Field, SecretStr

    from ports.common import Money, Page, SystemName
    from ports.invoices import Invoice, InvoiceKind, InvoiceStatus
    from upstream.config import UpstreamConfig
    from upstream.connector import Manifest


    class LedgerConfig(UpstreamConfig):
        pin: SecretStr = Field(description="What opens the ledger.")
        currency: str = Field(default="EUR", description="Currency of every amount.")


    class Ledger:
        manifest = Manifest(
            name="ledger", title="Ledger", system=SystemName.ERP, ports=("invoices",),
            connector="company.ledger:Ledger", config="company.ledger:LedgerConfig",
        )

        def __init__(self, upstream, config):
            self._currency = config.currency

        def ports(self):
            return {"invoices": self}

        async def check(self, *, call):
            pass

        async def aclose(self):
            pass

        async def invoices(self, numbers, /, *, call):
            return {number: self._invoice(number) for number in numbers if number[:1] == "F"}

        async def of_orders(self, orders, /, *, call):
            return {order: () for order in orders}

        async def search(self, query, page, /, *, call):
            return Page((), (), has_next=False)

        def _invoice(self, number):
            return Invoice(
                number=number, kind=InvoiceKind.INVOICE, status=InvoiceStatus.OPEN,
                issued_on=date(2026, 1, 2), total=Money(Decimal("12.50"), self._currency),
                balance=Money(Decimal("12.50"), self._currency), customer="C1",
            )
'''
CONFIG = """
[access.keys]
pepper = "0123456789012345678901234567890123456789"
[upstreams.ledger]
kind = "company.ledger:Ledger"
base_url = "http://127.0.0.1:9"
currency = "CHF"
[roles]
invoices = "ledger"
"""


def test_it_lies_beside_the_configuration(
    tmp_path: Path, start: Any, config: Any, answers: Any, port: int
) -> None:
    package = tmp_path / "company"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "ledger.py").write_text(textwrap.dedent(COMPANY), encoding="utf-8")
    config(CONFIG)
    making = start(
        "keys", "create", "test", "--scope", "invoices:read", "--customer", "C1", "--json"
    )
    key = json.loads(making.communicate(timeout=60)[0])["key"]
    environ = {"PASSERELLE_UPSTREAMS__LEDGER__PIN": "1234"}
    process = start("serve", "--port", str(port), env=environ)
    assert answers(f"http://127.0.0.1:{port}/healthz", process)

    query = '{ known: invoice(number: "F7") { total { amount currency } } no: invoice(number: "X") { number } }'
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json", "x-api-key": key},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer)

    assert found == {
        "data": {"known": {"total": {"amount": "12.50", "currency": "CHF"}}, "no": None}
    }


def test_its_missing_key_is_told_like_ours(tmp_path: Path, start: Any, config: Any) -> None:
    (tmp_path / "company").mkdir()
    (tmp_path / "company" / "ledger.py").write_text(textwrap.dedent(COMPANY), encoding="utf-8")
    config(CONFIG)

    process = start("serve")
    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (2, "upstreams.ledger.pin: missing\n")
