from upstream.paces import WINDOW_SECONDS, Pace, Paces


def test_nothing_is_known_of_what_was_not_called() -> None:
    assert Paces().of("stock.availability", 10.0) is None


def test_ninety_five_of_a_hundred_are_no_slower() -> None:
    paces = Paces()
    for number in range(100):
        paces.note("a.b", 1.0, number / 100)

    assert paces.of("a.b", 1.0) == Pace(0.95, 100)
    assert paces.of("a.c", 1.0) is None


def test_what_is_long_past_or_came_later_does_not_count() -> None:
    paces = Paces()
    paces.note("a.b", 1.0, 9.0)
    paces.note("a.b", WINDOW_SECONDS, 0.1)
    paces.note("a.b", WINDOW_SECONDS + 5, 5.0)

    assert paces.of("a.b", WINDOW_SECONDS + 2) == Pace(0.1, 1)


def test_memory_is_bounded() -> None:
    paces = Paces()
    for number in range(1_000):
        paces.note("a.b", 1.0, float(number >= 900))

    assert paces.of("a.b", 1.0) == Pace(1.0, 256)
