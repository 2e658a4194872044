"""What a client or an operator can meet has a line in the documentation."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|FORBIDDEN|INTERNAL|UNAUTHENTICATED")
# Where errors get their codes.
RAISERS = ("gateway/", "ports/errors.py")
# What only operators use: no word of it is a code in an answer.
APART = ("gateway/cli/", "gateway/doctor/", "gateway/telemetry/")


def codes(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        text_of = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text_of, str) and CODE.fullmatch(text_of) and "PASSERELLE" not in text_of:
            yield text_of


def documented(page: Path) -> set[str]:
    """The first column of the page's tables, without its backticks."""
    rows = re.findall(r"^\| `([^`]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    return set(rows)


def test_every_error_code_is_documented(root: Path, sources: Mapping[str, str]) -> None:
    raised = {
        code
        for path, text in sources.items()
        if path.startswith(RAISERS) and not path.startswith(APART)
        for code in codes(text)
    }
    told = {code for code in documented(root / "docs" / "errors.md") if CODE.fullmatch(code)}

    assert {"UPSTREAM_TIMEOUT", "BAD_USER_INPUT"} <= raised
    assert raised - told == set()
    assert told - raised == set()


def test_every_package_has_a_page(root: Path, packages: tuple[str, ...]) -> None:
    index = (root / "docs" / "README.md").read_text(encoding="utf-8")

    for page in (*packages, "frontend", "benchmarks", "configuration", "errors"):
        assert (root / "docs" / f"{page}.md").is_file()
        assert f"({page}.md)" in index


def test_no_link_within_the_checkout_is_dead(root: Path) -> None:
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("connectors/*/README.md")]
    dead = [
        f"{page.relative_to(root)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert not dead


def test_decisions_are_numbered_once(root: Path) -> None:
    numbers = [file.name[:4] for file in (root / "docs" / "adr").glob("[0-9]*.md")]

    assert numbers
    assert len(numbers) == len(set(numbers))
    for file in (root / "docs" / "adr").glob("[0-9]*.md"):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(file.name[:4])}. ")
        for part in ("Status:", "## Context", "## Decision", "## Consequences"):
            assert part in text, f"{file.name} has no {part}"
