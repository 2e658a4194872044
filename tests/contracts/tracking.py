"""What every implementation of the `tracking` port promises."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from urllib.parse import urlsplit

import pytest

from ports.common import FreshnessState, SystemName
from ports.errors import UpstreamError
from ports.tracking import CarrierTracking, Parcel, ShipmentStatus, Tracking
from tests.contracts.peers import FAILURES, Faults, call, call_for


@dataclass(frozen=True)
class TrackingFacts:
    """What the system behind the port is known to hold: at least a hundred parcels."""

    upstream: str
    statuses: dict[Parcel, ShipmentStatus]
    signed: dict[Parcel, str]
    "Delivered parcels, and who signed."
    unknown: Parcel


class TrackingContract:
    """Subclasses give the fixtures `port`, `facts` and `faults`."""

    async def test_known_parcels_are_told_as_they_are(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        answers = await port.track(tuple(facts.statuses), call=call())

        told = {parcel: _tracking(answer).status for parcel, answer in answers.items()}
        assert len(told) > 100
        assert told == facts.statuses

    async def test_an_unknown_number_is_absent(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        known = next(iter(facts.statuses))

        answers = await port.track((facts.unknown, known), call=call())

        assert set(answers) == {known}

    async def test_nothing_asked_is_nothing_told(self, port: CarrierTracking) -> None:
        assert await port.track((), call=call()) == {}

    async def test_a_parcel_asked_twice_is_told_once(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        parcel = next(iter(facts.statuses))

        assert set(await port.track((parcel, parcel), call=call())) == {parcel}

    @pytest.mark.parametrize("number", ["", " ", "../../etc/passwd", "a/b?c#d", "é" * 9, "9" * 500])
    async def test_a_number_that_cannot_be_one_is_absent(
        self, port: CarrierTracking, facts: TrackingFacts, number: str
    ) -> None:
        assert await port.track((Parcel(facts.unknown.carrier, number),), call=call()) == {}

    async def test_events_are_newest_first_and_in_utc(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        answers = await port.track(tuple(facts.statuses), call=call())

        for answer in answers.values():
            moments = [event.at for event in _tracking(answer).events]
            assert moments
            assert moments == sorted(moments, reverse=True)
            assert all(at.utcoffset() == timedelta(0) for at in moments)

    async def test_a_delivery_has_its_moment_and_who_signed(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        answers = await port.track(tuple(facts.signed), call=call())

        assert facts.signed
        for parcel, name in facts.signed.items():
            told = _tracking(answers[parcel])
            assert told.signed_by == name
            assert told.delivered_at is not None
            assert told.delivered_at.tzinfo is UTC
            assert told.has_proof

    async def test_only_deliveries_have_a_moment_of_delivery(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        answers = await port.track(tuple(facts.statuses), call=call())

        for answer in answers.values():
            told = _tracking(answer)
            assert (told.delivered_at is not None) == (told.status is ShipmentStatus.DELIVERED)

    async def test_each_answer_says_where_it_is_from(
        self, port: CarrierTracking, facts: TrackingFacts
    ) -> None:
        answers = await port.track(tuple(facts.statuses), call=call())

        for answer in answers.values():
            told = _tracking(answer)
            assert told.source_status
            assert told.freshness.upstream == facts.upstream
            assert told.freshness.system is SystemName.CARRIER
            assert told.freshness.state is FreshnessState.LIVE
            assert urlsplit(told.tracking_url or "").scheme in {"http", "https"}

    @pytest.mark.parametrize("kind", FAILURES)
    async def test_a_failing_system_is_an_error_of_each_parcel(
        self, port: CarrierTracking, facts: TrackingFacts, faults: Faults, kind: str
    ) -> None:
        asked = tuple(facts.statuses)[:3]
        faults.fail(kind)

        answers = await port.track(asked, call=call_for(kind))

        assert set(answers) == set(asked)
        for answer in answers.values():
            assert type(answer) is FAILURES[kind]
            assert isinstance(answer, UpstreamError)
            assert (answer.system, answer.upstream) == ("CARRIER", facts.upstream)
            assert answer.operation
            assert "secret" not in answer.message

    @pytest.mark.parametrize("kind", ["500", "hang", "html"])
    async def test_a_parcel_fails_alone(
        self, port: CarrierTracking, facts: TrackingFacts, faults: Faults, kind: str
    ) -> None:
        first, *others = tuple(facts.statuses)[:5]
        faults.fail(kind, first.number)

        answers = await port.track((first, *others), call=call_for(kind))

        assert type(answers[first]) is FAILURES[kind]
        assert {one: _tracking(answers[one]).status for one in others} == {
            one: facts.statuses[one] for one in others
        }

    async def test_it_recovers(
        self, port: CarrierTracking, facts: TrackingFacts, faults: Faults
    ) -> None:
        parcel = next(iter(facts.statuses))
        faults.fail("500")
        failed = await port.track((parcel,), call=call())
        faults.fail(None)

        answers = await port.track((parcel,), call=call())

        assert isinstance(failed[parcel], UpstreamError)
        assert _tracking(answers[parcel]).status is facts.statuses[parcel]


def _tracking(answer: Tracking | UpstreamError) -> Tracking:
    assert isinstance(answer, Tracking), getattr(answer, "detail", answer)
    return answer
