"""Tracking from memory: correct, small, and failing when told to."""

from collections.abc import Mapping, Sequence

from ports.caller import Call
from ports.common import Answers
from ports.errors import UpstreamError
from ports.tracking import CarrierTracking, Parcel, Tracking


class FakeTracking:
    """Knows parcels by number, whatever the postal code. `calls` are the batches asked for."""

    def __init__(self, trackings: Mapping[str, Tracking]) -> None:
        self._trackings = dict(trackings)
        self._failing: dict[str | None, UpstreamError] = {}
        self.calls: list[tuple[Parcel, ...]] = []

    def fail_with(self, error: UpstreamError | None, number: str | None = None) -> None:
        """From now on all parcels, or that of `number`, fail so; None ends every failure."""
        if error is None:
            self._failing.clear()
        else:
            self._failing[number] = error

    async def track(self, parcels: Sequence[Parcel], /, *, call: Call) -> Answers[Parcel, Tracking]:
        self.calls.append(tuple(parcels))
        answers: dict[Parcel, Tracking | UpstreamError] = {}
        for parcel in parcels:
            error = self._failing.get(parcel.number) or self._failing.get(None)
            found = error or self._trackings.get(parcel.number)
            if found is not None:
                answers[parcel] = found
        return answers


_port: type[CarrierTracking] = FakeTracking
