"""One real read per port operation, through the real mapping, and batches at their limit."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.doctor.remedies import described, remedy
from gateway.doctor.samples import Calls, Samples, invented
from gateway.doctor.tap import Tap
from ports.catalog import Catalog, ProductQuery
from ports.common import Page, PageRequest
from ports.customers import Customers
from ports.directory import Directory
from ports.errors import UpstreamError
from ports.invoices import InvoiceQuery, Invoices
from ports.operation import operations
from ports.orders import OrderQuery, Orders
from upstream.connector import Upstream
from upstream.diagnosis import Finding
from upstream.guard import Guarded
from upstream.roles import ROLES

_FEW = 5
# Each parcel is a call of its own, and carriers grant few a day.
_ONE_BY_ONE = frozenset({"tracking.track"})
# Carriers forget parcels after some months, so none known is no proof of anything.
_FORGETFUL = frozenset({"tracking.track"})
_NOBODY = "passerelle-doctor"

Ask = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Patient:
    """One role of the upstream under examination. `size` is how many records are sampled."""

    role: str
    port: object
    upstream: Upstream
    samples: Samples
    carriers: frozenset[str]
    tap: Tap
    call: Calls
    size: int

    @property
    def guarded(self) -> Any:
        return Guarded(self.role, ROLES[self.role], self.port, self.upstream)

    def limit(self, operation: str) -> int | None:
        limits = self.upstream.manifest.operations.get(operation)
        return limits.max_keys if limits else None

    async def keys(self, operation: str) -> Sequence[Any]:
        keys = await self.samples.keys(operation)
        if operation == "tracking.track":
            return [one for one in keys if one.carrier in self.carriers]
        return keys


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A read that asked the system, and how long it took."""

    seconds: float
    name: str
    ask: Ask


@dataclass(slots=True)
class Readings:
    """Findings, the records that were read by role, and reads that may be repeated."""

    findings: list[Finding] = field(default_factory=list)
    records: dict[str, list[Any]] = field(default_factory=dict)
    repeatable: list["Repeatable"] = field(default_factory=list)

    def keep(self, role: str, found: object) -> None:
        """Records of a kind that another operation has told already are the same ones again."""
        records = self.records.setdefault(role, [])
        known = {type(one) for one in records}
        records += [one for one in _flat(found) if type(one) not in known]


async def read_all(patient: Patient, readings: Readings) -> None:
    """Every operation of the role."""
    for method, operation in operations(ROLES[patient.role]).items():
        name = f"{patient.role}.{method}"
        if operation.shape == "batch":
            await _batch(patient, name, method, readings)
        else:
            await _single(patient, name, method, readings)
    if patient.role == "catalog":
        await _media(patient, readings)


async def _batch(patient: Patient, name: str, method: str, readings: Readings) -> None:
    keys = await patient.keys(name)
    if not keys:
        readings.findings.append(_keyless(name, patient.samples))
        return
    ask = getattr(patient.guarded, method)
    few, most = keys[:_FEW], keys[: _FEW if name in _ONE_BY_ONE else patient.size]
    started, calls = time.monotonic(), patient.tap.calls
    try:
        answers = await ask(few, call=patient.call())
        seconds = time.monotonic() - started
        if patient.tap.calls > calls:
            again = Repeatable(seconds, name, lambda: ask(few[:1], call=patient.call()))
            readings.repeatable.append(again)
        readings.findings.append(_of_answers(name, few, answers, seconds))
        if len(most) > len(few):
            answers = await ask(most, call=patient.call())
    except Exception as problem:  # noqa: BLE001 - a connector's mistake must not hide other steps
        readings.findings.append(_problem(f"read {name}", problem, time.monotonic() - started))
        return
    readings.keep(patient.role, list(answers.values()))
    readings.findings += await _at_the_limit(patient, name, method, keys)


def _of_answers(name: str, keys: Sequence[Any], answers: Any, seconds: float) -> Finding:
    broken = [one for one in answers.values() if isinstance(one, UpstreamError)]
    if broken:
        return _problem(f"read {name}", broken[0], seconds)
    step, detail = f"read {name}", f"{len(answers)} of {len(keys)} keys answered"
    if answers:
        return Finding(step, "passed", detail, seconds=seconds)
    return Finding(
        step,
        "warning" if name in _FORGETFUL else "failed",
        f"none of {len(keys)} real keys is known",
        "Look whether both systems use the same SKUs and customer numbers, and which fields the "
        "connector reads them from (its README).",
        seconds=seconds,
        empty=True,
    )


def _keyless(name: str, samples: Samples) -> Finding:
    role = name.partition(".")[0]
    own = {role: samples.problems[role]} if role in samples.problems else samples.problems
    told = "; ".join(f"{one}: {described(problem)}" for one, problem in own.items())
    detail = f"no key to ask with; {told}" if told else "no key to ask with in any system"
    return Finding(
        f"read {name}",
        "skipped",
        detail,
        "Configure a system that lists such records under [roles], or let it hold one.",
    )


async def _single(patient: Patient, name: str, method: str, readings: Readings) -> None:
    arguments = _ARGUMENTS.get(name)
    if arguments is None:
        readings.findings.append(Finding(f"read {name}", "skipped", "no question for it is known"))
        return
    ask = getattr(patient.guarded, method)
    started = time.monotonic()
    try:
        found = await ask(*arguments, call=patient.call())
    except Exception as problem:  # noqa: BLE001 - as above
        readings.findings.append(_problem(f"read {name}", problem, time.monotonic() - started))
        return
    seconds = time.monotonic() - started
    readings.findings.append(_of_one(name, found, seconds))
    if isinstance(found, Page):
        readings.keep(patient.role, await _sampled(patient, found))


async def _sampled(patient: Patient, first: Page[Any]) -> Sequence[Any]:
    """The searched records of the role: the sample where it is of this upstream, else the page."""
    read = {
        "catalog": patient.samples.products,
        "orders": patient.samples.orders,
        "invoices": patient.samples.invoices,
        "customers": patient.samples.customers,
    }.get(patient.role)
    return (await read() if read else ()) or first.items


def _of_one(name: str, found: object, seconds: float) -> Finding:
    step = f"read {name}"
    if isinstance(found, Page) and not found.items:
        return Finding(
            step,
            "failed",
            "0 records: a restricted key sees nothing, without any error",
            "Grant the rights that the connector's README lists; or, if there truly are none yet, "
            "run with --allow-empty.",
            seconds=seconds,
            empty=True,
        )
    detail = f"{len(found.items)} records" if isinstance(found, Page) else "answered"
    if isinstance(found, int):
        detail = f"{found:,} records"
    return Finding(step, "passed", detail, seconds=seconds)


async def _media(patient: Patient, readings: Readings) -> None:
    """The first bytes of one file, which is closed again."""
    products = await patient.samples.products()
    code = next((one.code for each in products for one in (*each.images, *each.documents)), None)
    if code is None:
        readings.findings.append(Finding("read catalog.open_media", "skipped", "no file is known"))
        return
    started = time.monotonic()
    try:
        content = await patient.guarded.open_media(code, call=patient.call())
        size = 0
        if content is not None:
            size = len(await anext(content.chunks, b""))
            await content.chunks.aclose()
    except Exception as problem:  # noqa: BLE001 - as above
        readings.findings.append(
            _problem("read catalog.open_media", problem, time.monotonic() - started)
        )
        return
    seconds = time.monotonic() - started
    readings.findings.append(
        Finding("read catalog.open_media", "passed", f"{size:,} bytes", seconds=seconds)
        if size
        else Finding(
            "read catalog.open_media",
            "warning",
            "a product names a file that cannot be had",
            "Look for the file in the PIM.",
            seconds=seconds,
        )
    )


async def _at_the_limit(
    patient: Patient, name: str, method: str, keys: Sequence[Any]
) -> list[Finding]:
    """Asks as many keys as are declared, and one more: none too many in one call, no refusal."""
    limit = patient.limit(name)
    if limit is None:
        return []
    counting = _Counting(patient.port, method)
    upstream, role = patient.upstream, patient.role
    ask = getattr(Guarded(role, ROLES[role], counting, upstream), method)
    asked = [*keys[:limit], *(invented(name, one) for one in range(limit + 1 - len(keys[:limit])))]
    step, started = f"batch {name}", time.monotonic()
    try:
        for number in (limit, limit + 1):
            answers = await ask(asked[:number], call=patient.call())
            for one in answers.values():
                if isinstance(one, UpstreamError):
                    raise one  # noqa: TRY301 - told like any other below
    except Exception as problem:  # noqa: BLE001 - as above
        return [_problem(step, problem, time.monotonic() - started)]
    seconds, most = time.monotonic() - started, max(counting.sizes)
    if most > limit:
        detail = f"{most} keys in one call, where {limit} are declared"
        return [Finding(step, "failed", detail, "Report it: the guard must portion.", seconds)]
    detail = f"{limit} and {limit + 1} keys asked, never more than {most} a call"
    return [Finding(step, "passed", detail, seconds=seconds)]


class _Counting:
    """The port itself, with the keys of one batch operation counted."""

    def __init__(self, port: object, method: str) -> None:
        self._port = port
        self._method = method
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._method:
            return found

        async def counted(keys: Sequence[Any], /, *, call: Any) -> Any:
            self.sizes.append(len(keys))
            return await found(keys, call=call)

        return counted


def _problem(step: str, problem: BaseException, seconds: float) -> Finding:
    return Finding(step, "failed", described(problem), remedy(problem), seconds)


def _flat(found: object) -> list[Any]:
    if isinstance(found, list | tuple):
        return [one for each in found for one in _flat(each)]
    return [] if found is None or isinstance(found, UpstreamError) else [found]


_FIRST = PageRequest(first=10)
_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    f"catalog.{Catalog.search.__name__}": (ProductQuery(), _FIRST),
    f"catalog.{Catalog.count.__name__}": (ProductQuery(),),
    f"orders.{Orders.search.__name__}": (OrderQuery(customers=None), _FIRST),
    f"invoices.{Invoices.search.__name__}": (InvoiceQuery(customers=None), _FIRST),
    f"customers.{Customers.search.__name__}": (None, None, _FIRST),
    f"directory.{Directory.customers_of.__name__}": (_NOBODY, None),
}
