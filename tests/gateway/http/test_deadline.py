"""How a client shortens the time of its operation."""

import pytest
from starlette.datastructures import Headers

from gateway.http.deadline import deadline_seconds
from gateway.operations.request import RequestError


def seconds(*sent: str) -> float:
    raw = [(b"x-request-timeout-ms", one.encode("latin-1")) for one in sent]
    return deadline_seconds(Headers(raw=raw), 10)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("2500", 2.5), ("1", 0.001), ("10000", 10), ("999999999", 10), ("0050", 0.05), (" 70 ", 0.07)],
)
def test_the_shorter_time_holds(sent: str, expected: float) -> None:
    assert seconds(sent) == expected


def test_without_the_header() -> None:
    assert seconds() == 10


@pytest.mark.parametrize(
    "sent",
    ["", "0", "000", "-1", "+5", "1.5", "1e3", "2s", "0x10", "1_000", "²", "9" * 10, "9" * 5_000],
)
def test_what_cannot_be_meant_is_refused(sent: str) -> None:
    with pytest.raises(RequestError, match="whole number of milliseconds") as refused:
        seconds(sent)
    assert (refused.value.status, refused.value.code) == (400, "BAD_REQUEST")


def test_two_of_them_are_refused() -> None:
    with pytest.raises(RequestError):
        seconds("100", "200")
