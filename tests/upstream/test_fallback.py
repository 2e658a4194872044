"""Two sources of one role: who is asked for what, and what the caller is told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from ports.caller import Call
from ports.common import Answers, Freshness, FreshnessState, Page, PageRequest, SystemName
from ports.errors import (
    BadInputError,
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from ports.operation import batch, single
from ports.stock import Availability, AvailabilityStatus
from tests.upstream.shop import Time, asking
from upstream.cache import Cache
from upstream.circuit import CircuitRules, Circuits
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.fallback import Fallback, Served
from upstream.guard import Guarded
from upstream.uses import Use

OUT = [UnavailableError, TimedOutError, ThrottledError, MalformedError]


class Stock(Protocol):
    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def search(
        self, text: str, page: PageRequest, /, *, call: Call
    ) -> Page[Availability]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def count(self, text: str, /, *, call: Call) -> int | None: ...

    async def open(self, key: str, /, *, call: Call) -> str: ...


class Source:
    """Knows `held`; fails wholly with `error`, or for single keys of `bad`."""

    def __init__(self, name: str, *held: str, as_of: datetime | None = None) -> None:
        self.name = name
        self.held = held
        self.as_of = as_of or datetime.now(UTC)
        self.error: Exception | None = None
        self.bad: dict[str, UpstreamError] = {}
        self.hangs = False
        self.asked: list[Any] = []
        self.calls: list[Call] = []

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        await self._asked(tuple(skus), call)
        return {sku: self.bad.get(sku) or self.record() for sku in skus if sku in self.held}

    async def search(self, text: str, page: PageRequest, /, *, call: Call) -> Page[Availability]:
        await self._asked((text, page.after), call)
        return Page((self.record(),), ("next",), has_next=True)

    async def count(self, text: str, /, *, call: Call) -> int | None:
        await self._asked(text, call)
        return len(self.held) or None

    async def open(self, key: str, /, *, call: Call) -> str:
        return f"{self.name} {key}"

    def record(self) -> Availability:
        freshness = Freshness(SystemName.ERP, self.name, self.as_of)
        return Availability(AvailabilityStatus.IN_STOCK, Decimal(len(self.name)), freshness)

    async def _asked(self, what: Any, call: Call) -> None:
        self.asked.append(what)
        self.calls.append(call)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error


class Pair:
    """Both sources behind their guards, as the gateway wires them."""

    def __init__(self, *, cache: Cache | None = None, circuits: bool = False) -> None:
        self.first = Source("erp", "a", "b", "c")
        self.second = Source("nightly", "a", "b")
        guards = [self._guarded(one, cache, circuits) for one in (self.first, self.second)]
        self.told: list[tuple[str, str, int, str | None]] = []
        served = Served("erp", "nightly", self._observe)
        self.port: Any = Fallback("stock", Stock, *guards, first_share=0.5, served=served)

    def _observe(self, _: Call, use: Use) -> None:
        self.told.append((use.upstream, use.operation, use.fallback, use.source))

    @staticmethod
    def _guarded(source: Source, cache: Cache | None, circuits: bool) -> Guarded:
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C")
        upstream = Upstream(source.name, manifest, Exchanges())
        rules = CircuitRules(minimum=1)
        own = Circuits("ERP", source.name, rules) if circuits else None
        return Guarded("stock", Stock, source, upstream, cache, circuits=own)

    async def ask(self, *skus: str, **terms: Any) -> dict[str, Any]:
        """The source and state of each key, or its error's code."""
        told = await self.port.availability(skus, call=asking(**terms))
        return {sku: seen(one) for sku, one in told.items()}


def seen(one: Availability | UpstreamError) -> Any:
    if isinstance(one, UpstreamError):
        return one.code, one.upstream
    return one.freshness.state.value, one.freshness.upstream


def error(kind: type[UpstreamError], name: str = "erp") -> UpstreamError:
    return kind(system="ERP", upstream=name, operation="stock.availability")


@pytest.fixture
def pair() -> Pair:
    return Pair()


async def test_while_the_first_answers_nobody_else_is_asked(pair: Pair) -> None:
    assert await pair.ask("a", "c", "unknown") == {"a": ("LIVE", "erp"), "c": ("LIVE", "erp")}
    assert (len(pair.first.asked), pair.second.asked) == (1, [])


@pytest.mark.parametrize("kind", OUT, ids=lambda kind: kind.__name__)
async def test_while_it_is_out_the_second_answers(pair: Pair, kind: type[UpstreamError]) -> None:
    pair.first.error = error(kind)
    pair.second.as_of = datetime(2026, 1, 1, tzinfo=UTC)

    told = (await pair.port.availability(["a"], call=asking()))["a"]

    assert told.freshness == Freshness(
        SystemName.ERP, "nightly", pair.second.as_of, FreshnessState.FALLBACK
    )
    assert pair.second.asked == [("a",)]


async def test_the_first_answers_again_once_it_is_back(pair: Pair) -> None:
    pair.first.error = error(UnavailableError)
    await pair.ask("a")
    pair.first.error = None

    assert await pair.ask("a") == {"a": ("LIVE", "erp")}
    assert len(pair.second.asked) == 1


async def test_only_the_keys_that_failed_go_to_the_second(pair: Pair) -> None:
    pair.first.bad = {"b": error(TimedOutError)}

    told = await pair.ask("a", "b", "unknown")

    assert told == {"a": ("LIVE", "erp"), "b": ("FALLBACK", "nightly")}
    assert pair.second.asked == [("b",)]


async def test_a_key_that_the_second_does_not_know_keeps_its_error(pair: Pair) -> None:
    pair.first.error = error(UnavailableError)

    told = await pair.ask("a", "c")

    assert told == {"a": ("FALLBACK", "nightly"), "c": ("UPSTREAM_UNAVAILABLE", "erp")}


async def test_what_nobody_knows_is_not_unknown_while_the_first_is_out(pair: Pair) -> None:
    pair.first.error = error(ThrottledError)

    with pytest.raises(ThrottledError):
        await pair.ask("c")


@pytest.mark.parametrize(
    "refusal", [error(RefusedError), BadInputError("no")], ids=["refused", "bad input"]
)
async def test_a_refusal_is_an_answer(pair: Pair, refusal: Exception) -> None:
    pair.first.error = refusal

    with pytest.raises(type(refusal)):
        await pair.ask("a")
    with pytest.raises(type(refusal)):
        await pair.port.count("x", call=asking())
    assert pair.second.asked == []


async def test_a_key_that_is_refused_stays_refused(pair: Pair) -> None:
    pair.first.bad = {"a": error(RefusedError)}

    assert await pair.ask("a", "b") == {"a": ("UPSTREAM_REFUSED", "erp"), "b": ("LIVE", "erp")}
    assert pair.second.asked == []


@pytest.mark.parametrize(
    "second", [error(MalformedError, "nightly"), ZeroDivisionError()], ids=["error", "mistake"]
)
async def test_if_both_fail_the_firsts_error_is_told(pair: Pair, second: Exception) -> None:
    pair.first.error, pair.second.error = error(UnavailableError), second

    with pytest.raises(UnavailableError) as told:
        await pair.ask("a")
    with pytest.raises(UnavailableError):
        await pair.port.count("x", call=asking())
    assert told.value.upstream == "erp"


async def test_a_key_that_fails_in_both_tells_the_firsts_error(pair: Pair) -> None:
    pair.first.bad = {"a": error(TimedOutError)}
    pair.second.bad = {"a": error(MalformedError, "nightly")}

    assert await pair.ask("a", "b") == {"a": ("UPSTREAM_TIMEOUT", "erp"), "b": ("LIVE", "erp")}


async def test_a_mistake_of_the_first_is_nobodys_outage(pair: Pair) -> None:
    pair.first.error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await pair.ask("a")
    assert pair.second.asked == []


async def test_a_first_that_hangs_leaves_time_for_the_second(pair: Pair) -> None:
    pair.first.hangs = True
    call = asking(0.4)

    told = (await pair.port.availability(["a"], call=call))["a"]

    assert seen(told) == ("FALLBACK", "nightly")
    assert pair.first.calls[0].deadline < call.deadline
    assert pair.second.calls[0].deadline == call.deadline


async def test_behind_an_open_circuit_only_the_second_is_asked() -> None:
    pair = Pair(circuits=True)
    pair.first.error = error(UnavailableError)
    await pair.ask("a")

    told = await pair.ask("a")

    assert told == {"a": ("FALLBACK", "nightly")}
    assert (len(pair.first.asked), len(pair.second.asked)) == (1, 2)


async def test_single_answers_come_from_the_second_too(pair: Pair) -> None:
    assert await pair.port.count("x", call=asking()) == 3
    pair.first.error = error(UnavailableError)

    assert await pair.port.count("x", call=asking()) == 2


async def test_that_the_second_has_nothing_to_say_is_no_answer(pair: Pair) -> None:
    pair.first.error = error(UnavailableError)
    pair.second.held = ()

    with pytest.raises(UnavailableError):
        await pair.port.count("x", call=asking())


async def test_streams_are_the_firsts_alone(pair: Pair) -> None:
    assert await pair.port.open("key", call=asking()) == "erp key"


class TestLists:
    async def page(self, pair: Pair, after: str | None) -> Page[Availability]:
        found: Page[Availability] = await pair.port.search(
            "x", PageRequest(1, after), call=asking()
        )
        return found

    async def test_a_list_goes_on_with_the_source_that_it_began_with(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)
        begun = await self.page(pair, None)
        pair.first.error = None

        more = await self.page(pair, begun.cursors[0])

        assert (seen(begun.items[0]), seen(more.items[0])) == (("FALLBACK", "nightly"),) * 2
        assert pair.second.asked == [("x", None), ("x", "next")]
        assert len(pair.first.asked) == 1

    async def test_a_cursor_of_the_first_is_not_given_to_the_second(self, pair: Pair) -> None:
        begun = await self.page(pair, None)
        pair.first.error = error(UnavailableError)

        with pytest.raises(UnavailableError):
            await self.page(pair, begun.cursors[0])
        assert pair.second.asked == []

    async def test_the_rest_of_the_seconds_list_fails_as_the_second_does(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)
        begun = await self.page(pair, None)
        pair.second.error = error(TimedOutError, "nightly")

        with pytest.raises(TimedOutError):
            await self.page(pair, begun.cursors[0])


class TestBesideKeptAnswers:
    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def pair(self, time: Time) -> Pair:
        return Pair(cache=Cache(clock=time, chance=lambda: 0.0))

    async def test_the_firsts_own_old_answer_wins(self, pair: Pair, time: Time) -> None:
        await pair.ask("a")
        pair.first.error = error(UnavailableError)
        time.now += 60

        assert await pair.ask("a") == {"a": ("STALE", "erp")}
        assert pair.second.asked == []

    async def test_past_its_time_the_second_answers(self, pair: Pair, time: Time) -> None:
        await pair.ask("a")
        pair.first.error = error(UnavailableError)
        time.now += 311

        assert await pair.ask("a") == {"a": ("FALLBACK", "nightly")}

    async def test_only_what_is_not_kept_goes_to_the_second(self, pair: Pair, time: Time) -> None:
        await pair.ask("a")
        pair.first.error = error(UnavailableError)
        time.now += 60

        told = await pair.ask("a", "b")

        assert told == {"a": ("STALE", "erp"), "b": ("FALLBACK", "nightly")}
        assert pair.second.asked == [("b",)]

    async def test_answers_of_the_second_are_never_kept_for_the_first(
        self, pair: Pair, time: Time
    ) -> None:
        pair.first.error = error(UnavailableError)
        told = [await pair.ask("a") for _ in range(2)]
        pair.first.error = None

        assert told == [{"a": ("FALLBACK", "nightly")}] * 2
        assert len(pair.second.asked) == 1
        assert await pair.ask("a") == {"a": ("LIVE", "erp")}

    async def test_they_are_noted_as_nothing_to_be_reused(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)
        uses: list[Any] = []
        for _ in range(2):
            await pair.ask("a", "b", note=uses.append)

        told = [(use.upstream, use.failed, use.cached + use.live, use.fallback) for use in uses]
        assert told == [("erp", 2, 0, 0), ("nightly", 0, 0, 2)] * 2
        assert not any(use.fresh_for for use in uses)

    async def test_each_caller_asks_for_itself(self, time: Time) -> None:
        """What varies on the caller does so in the second source's cache too."""

        class Private(Protocol):
            @batch(varies_on=("caller",), max_age=10, stale_if_error=300)
            async def availability(
                self, skus: Sequence[str], /, *, call: Call
            ) -> Answers[str, Availability]: ...

        cache = Cache(clock=time, chance=lambda: 0.0)
        sources = Source("erp", "a"), Source("nightly", "a")
        sources[0].error = error(UnavailableError)
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C")
        guards = [
            Guarded("stock", Private, one, Upstream(one.name, manifest, Exchanges()), cache)
            for one in sources
        ]
        port: Any = Fallback("stock", Private, *guards, first_share=0.5)
        call = asking()
        for subject in ("jo", "li", "jo"):
            caller = type(call.caller)(subject=subject, kind=call.caller.kind)
            await port.availability(["a"], call=asking(caller=caller))

        assert [one.caller.subject for one in sources[1].calls] == ["jo", "li"]


class TestWhatACallerAccepts:
    """`@fresh(staleIfError: N)` counts from the end of the lifetime, here 10 s."""

    @pytest.mark.parametrize(
        ("stale_if_error", "max_age", "told"),
        [
            (None, 0, "FALLBACK"),
            (3600, None, "FALLBACK"),
            (120, None, "FALLBACK"),
            (105, 5, "UPSTREAM_UNAVAILABLE"),
            (90, None, "UPSTREAM_UNAVAILABLE"),
            (0, None, "UPSTREAM_UNAVAILABLE"),
        ],
    )
    async def test_nothing_older_than_that_is_told(
        self, pair: Pair, stale_if_error: int | None, max_age: int | None, told: str
    ) -> None:
        pair.first.bad = {"a": error(UnavailableError)}
        pair.second.as_of = datetime.now(UTC) - timedelta(seconds=115)

        found = await pair.ask("a", "b", stale_if_error=stale_if_error, max_age=max_age)

        assert found["a"][0] == told

    async def test_who_wants_rather_an_error_does_not_cost_a_call(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)

        with pytest.raises(UnavailableError):
            await pair.ask("a", stale_if_error=0)
        assert pair.second.asked == []

    async def test_pages_are_as_old_as_their_oldest_record(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)
        pair.second.as_of = datetime.now(UTC) - timedelta(hours=8)
        page = PageRequest(1)

        assert await pair.port.search("x", page, call=asking())
        with pytest.raises(UnavailableError):
            await pair.port.search("x", page, call=asking(stale_if_error=60))

    async def test_what_does_not_tell_its_age_is_too_old(self, pair: Pair) -> None:
        pair.first.error = error(UnavailableError)

        with pytest.raises(UnavailableError):
            await pair.port.count("x", call=asking(stale_if_error=10**6))


async def test_what_else_is_noted_is_passed_on(pair: Pair) -> None:
    """Not everything that a call is told of is an answer that was kept."""
    noted: list[object] = []

    async def availability(skus: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        assert call.note is not None
        call.note("something")
        return {}

    spare = Source("nightly")
    spare.availability = availability  # type: ignore[method-assign]
    pair.first.error = error(UnavailableError)
    port: Any = Fallback("stock", Stock, pair.first, spare, first_share=0.5)
    with pytest.raises(UnavailableError):
        await port.availability(["a"], call=asking(note=noted.append))

    assert noted == ["something"]


async def test_an_outage_is_logged_once(pair: Pair) -> None:
    pair.first.error = error(UnavailableError)
    with capture_logs() as logs:
        for _ in range(3):
            await pair.ask("a")

    told = [one for one in logs if one["event"] == "fallback in use"]
    assert [(one["operation"], one["upstream"], one["code"]) for one in told] == [
        ("stock.availability", "erp", "UPSTREAM_UNAVAILABLE")
    ]


async def test_who_observes_hears_what_the_second_answered_and_that_it_did(pair: Pair) -> None:
    await pair.ask("a")
    assert pair.told == []

    pair.first.error = error(UnavailableError)
    await pair.ask("a", "b", "c")
    page = await pair.port.search("x", PageRequest(1, None), call=asking())
    await pair.port.search("x", PageRequest(1, page.cursors[0]), call=asking())

    assert pair.told == [
        ("erp", "stock.availability", 2, "nightly"),
        ("erp", "stock.search", 1, "nightly"),
        ("erp", "stock.search", 1, "nightly"),
    ]


async def test_a_second_that_knows_nothing_did_not_serve(pair: Pair) -> None:
    pair.first.error = error(UnavailableError)

    with pytest.raises(UnavailableError):
        await pair.ask("c")

    assert pair.told == []
