"""What happened on the wire lately."""

from upstream.exchanges import WINDOW_SECONDS, Exchange, Exchanges


def exchange(seconds: float = 0.1, error: str | None = None) -> Exchange:
    return Exchange("catalog.products", seconds, None if error else 200, error, "r-1")


def test_nothing_yet() -> None:
    exchanges = Exchanges()

    assert exchanges.summary() == (0, 0, None, None, None)
    assert (exchanges.last_success_at, exchanges.last_failure) == (None, None)
    assert exchanges.changed_at == exchanges.started_at


def test_latencies_and_failures_are_counted() -> None:
    exchanges = Exchanges()
    for hundredth in range(1, 101):
        exchanges.record(exchange(hundredth / 100, "X" if hundredth % 4 == 0 else None))
    summary = exchanges.summary()

    assert (summary.calls, summary.failed) == (100, 25)
    assert (summary.p50, summary.p95, summary.p99) == (510.0, 960.0, 1000.0)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    now = [0.0]
    exchanges = Exchanges(lambda: now[0])
    exchanges.record(exchange(error="X"))
    now[0] = WINDOW_SECONDS - 1
    exchanges.record(exchange())
    assert exchanges.summary().calls == 2
    now[0] = WINDOW_SECONDS + 1
    assert exchanges.summary()[:2] == (1, 0)


def test_beyond_what_is_kept_the_oldest_are_forgotten() -> None:
    exchanges = Exchanges()
    for _ in range(10):
        exchanges.record(exchange(9.0, "X"))
    for _ in range(17_995):
        exchanges.record(exchange())

    assert exchanges.summary()[:2] == (18_000, 5)


def test_a_failure_that_took_no_time_counts() -> None:
    exchanges = Exchanges()
    exchanges.record(exchange(0.0, "X"))

    assert exchanges.summary() == (1, 1, 0.0, 0.0, 0.0)


def test_a_change_of_state_has_its_moment() -> None:
    exchanges = Exchanges()
    exchanges.record(exchange(error="UPSTREAM_TIMEOUT"), "It did not answer.")
    changed = exchanges.changed_at
    assert exchanges.failing
    assert exchanges.last_failure is not None
    assert exchanges.last_failure[1:] == ("UPSTREAM_TIMEOUT", "It did not answer.", "r-1")

    exchanges.record(exchange(error="UPSTREAM_TIMEOUT"))
    assert exchanges.changed_at == changed

    exchanges.record(exchange())
    assert not exchanges.failing
    assert exchanges.last_success_at == exchanges.changed_at >= changed
