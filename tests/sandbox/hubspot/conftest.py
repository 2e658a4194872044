"""A small CRM, and the sandbox serving it on a real loopback port."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from threading import Thread

import pytest
import uvicorn
from starlette.types import ASGIApp

from sandbox.hubspot import app
from sandbox.world import Company, Contact, Examples, Owner, PostalAddress, World

COMPANIES = 120
_ADDRESSES = (
    PostalAddress(1, "delivery", "Dock", "9 quai", "", "44000", "Nantes", "FR", ""),
    PostalAddress(2, "invoice", "Office", "1 rue", "", "75001", "Paris", "FR", ""),
)


def _contact(number: int, first: str, last: str, job: str = "Buyer") -> Contact:
    return Contact(
        id=number,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@example.com".lower(),
        phone=f"+33 1 00 00 00 {number:02}",
        job_title=job,
        crm_id=str(5_000 + number),
    )


def _company(index: int, contacts: tuple[Contact, ...]) -> Company:
    return Company(
        number=f"C{index:05}",
        name=f"Atelier {index} Durand",
        email=f"contact@atelier{index}.example",
        phone=f"+33 2 00 00 {index:04}",
        website=f"https://www.atelier{index}.example",
        vat=f"FR{index:011}" if index != 3 else "",
        segment="key-account" if index % 2 else "standard",
        language="fr",
        currency="EUR",
        pricelist_id=1,
        payment_terms="30 days",
        incoterm="DAP",
        blocked=False,
        credit_limit=None,
        contacts=contacts,
        addresses=_ADDRESSES if index != 3 else _ADDRESSES[:1],
        preferences={"partialDelivery": "yes"} if index == 1 else {},
        owner_id=str(70 + index % 3),
        erp_id=index,
        crm_id=str(9_000 + index),
    )


@pytest.fixture(scope="session")
def world() -> World:
    people = (
        _contact(1, "Alice", "Martin"),
        _contact(2, "Bruno", "Petit"),
        _contact(3, "Chloe", "Martin"),
    )
    companies = tuple(
        _company(index, people[:2] if index == 1 else people[2:] if index == 2 else ())
        for index in range(1, COMPANIES + 1)
    )
    owners = tuple(
        Owner(str(70 + at), f"Rep{at}", "Dupont", f"rep{at}@passerelle.example", "+33 1")
        for at in range(3)
    )
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    facts: dict[str, tuple[()]] = dict.fromkeys(
        (
            "categories", "attributes", "families", "models", "items", "price_lists",
            "price_rules", "warehouses", "quants", "incoming", "orders", "deliveries",
            "invoices", "parcels",
        ),
        (),
    )  # fmt: skip
    return World(
        now=now,
        companies=companies,
        owners=owners,
        media={},
        currency_rates={},
        examples=Examples("", "", "C00001", "", ""),
        **facts,
    )


@contextmanager
def _serving(served: ASGIApp) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(served, lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def serving() -> Callable[[ASGIApp], AbstractContextManager[str]]:
    """Serves an application on a free port of the loopback as long as the context lasts."""
    return _serving


@pytest.fixture(scope="session")
def address(world: World) -> Iterator[str]:
    with _serving(app(world, "http://sandbox.test/hubspot")) as url:
        yield url
