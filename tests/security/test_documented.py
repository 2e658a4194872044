"""The page on security names tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"


def named() -> list[tuple[str, str]]:
    """File and test (empty: the file as a whole); `::test` means the file before it."""
    found: list[tuple[str, str]] = []
    file = ""
    for path, test in re.findall(r"`([\w/]+\.py)?(?:::(\w+))?`", PAGE.read_text(encoding="utf-8")):
        file = path or file
        if path.startswith(("security/", "gateway/")) or test:
            found.append((file, test))
    return found


@pytest.mark.parametrize(("file", "test"), named())
def test_a_named_test_exists(file: str, test: str) -> None:
    text = (TESTS / file).read_text(encoding="utf-8")

    assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE) or not test


def test_the_page_names_the_tests_of_this_folder() -> None:
    files = {file for file, _ in named()}
    own = {f"security/{one.name}" for one in Path(__file__).parent.glob("test_*.py")}

    assert own - {"security/test_documented.py"} <= files
