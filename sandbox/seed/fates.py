"""What becomes of each order: a quotation, an order on hold, a parcel at customs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from sandbox.world import Company

Fate = Literal[
    "draft", "sent", "cancelled", "waiting", "hold", "partial", "moving", "delivered", "split",
    "returned",
]  # fmt: skip
Carrier = Literal["dhl", "ups"]

ORDERS = 1500
_DAYS = 420
_NEW: tuple[Fate, ...] = ("waiting",) * 6 + ("draft", "sent", "sent", "hold")
_RECENT: tuple[Fate, ...] = (
    ("moving",) * 10 + ("partial",) * 4 + ("waiting",) * 3 + ("sent", "hold", "cancelled")
)
_OLD: tuple[Fate, ...] = ("delivered",) * 64 + ("split",) * 12 + ("cancelled",) * 7 + ("partial",) * 5 + (
    "returned", "returned", "returned", "sent", "sent", "draft", "hold", "hold", "moving",
    "moving", "waiting", "waiting",
)  # fmt: skip

EXAMPLE_FATE = 2
"Which of the demo customer's orders is the example, counted from the newest."
# Newest first; a page of twenty shows every state, and tracking by both carriers.
_STORY: tuple[tuple[Fate, Carrier | None, str], ...] = (
    ("draft", None, ""),
    ("waiting", "dhl", ""),
    ("moving", "dhl", "out_for_delivery"),
    ("moving", "ups", "transit"),
    ("partial", "ups", "delivered"),
    ("moving", "ups", "exception"),
    ("hold", None, ""),
    ("moving", "dhl", "pickup_point"),
    ("delivered", "dhl", "delivered"),
    ("delivered", "ups", "delivered"),
    ("split", "dhl", "delivered"),
    ("sent", None, ""),
    ("delivered", "ups", "delivered"),
    ("cancelled", None, ""),
    ("delivered", "dhl", "delivered"),
    ("returned", "dhl", "returned"),
    ("delivered", "ups", "delivered"),
    ("partial", "dhl", "delivered"),
    ("delivered", "ups", "delivered"),
    ("split", "ups", "delivered"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One order to be written: for whom, when, and how it ends."""

    company: Company
    placed: datetime
    fate: Fate
    carrier: Carrier | None
    "None: our own van."
    stage: str
    "The last stage of its parcels; empty for what was never sent."
    lines: int
    example: bool = False


def plans(companies: tuple[Company, ...], now: datetime, rng: Random) -> list[Plan]:
    """All orders, oldest first."""
    story = [_told(index, companies[0], now) for index in range(40)]
    others = [_drawn(companies, now, rng) for _ in range(ORDERS - len(story))]
    return sorted([*story, *others], key=lambda plan: plan.placed)


def _told(index: int, company: Company, now: datetime) -> Plan:
    known = index < len(_STORY)
    carriers: tuple[Carrier, Carrier] = ("dhl", "ups")
    fate, carrier, stage = (
        _STORY[index] if known else ("delivered", carriers[index % 2], "delivered")
    )
    age = timedelta(hours=7 + 26 * index if known else 520 + 190 * (index - len(_STORY)))
    return Plan(company, now - age, fate, carrier, stage, 5, example=index == EXAMPLE_FATE)


def _drawn(companies: tuple[Company, ...], now: datetime, rng: Random) -> Plan:
    company = companies[1 + int(rng.random() * (len(companies) - 1))]
    age = timedelta(hours=3 + _DAYS * 24 * rng.random() ** 1.4)
    placed = (now - age).replace(microsecond=0)
    old = age >= timedelta(days=9)
    fate = rng.choice(_OLD if old else _RECENT if age >= timedelta(days=2) else _NEW)
    carrier: Carrier | None = rng.choice(("dhl", "ups", "dhl", "ups", "dhl", "ups", None))
    abroad = company.addresses[0].country in {"CH", "GB"}
    if fate == "moving":
        carrier = carrier or "dhl"
    return Plan(company, placed, fate, carrier, _stage(fate, rng, abroad=abroad), rng.randint(1, 8))


def _stage(fate: Fate, rng: Random, *, abroad: bool) -> str:
    if fate == "moving":
        stages = ("transit",) * 5 + ("out_for_delivery", "out_for_delivery", "exception",
                                     "pickup_point", "handed_over", "announced")  # fmt: skip
        return rng.choice((*stages, *("customs",) * 5) if abroad else stages)
    return {"delivered": "delivered", "split": "delivered", "partial": "delivered",
            "returned": "returned"}.get(fate, "")  # fmt: skip
