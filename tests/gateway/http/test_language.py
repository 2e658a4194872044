import pytest

from gateway.http.language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr-CH"),
        ("de;q=0.5, fr;q=0.7", "fr"),
        ("de;q=0.7,fr;q=0.7", "de"),
        ("*", "en"),
        ("*;q=0.5, it;q=0.4", "en"),
        ("fr;q=0", "en"),
        ("../../etc, fr;q=0.1", "fr"),
        ("fr;q=abc", "en"),
        (",".join(["x;q=0.001"] * 100), "x"),
    ],
)
def test_the_language_with_the_highest_weight(header: str | None, language: str) -> None:
    assert preferred(header, "en") == language
