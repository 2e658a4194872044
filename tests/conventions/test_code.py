"""Rules that no linter has: names, forbidden imports, tests that fake the peer."""

import ast
import re
from collections.abc import Iterator, Mapping

# Words that say nothing of what a module owns.
EMPTY_WORDS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "service",
    "services",
    "data",
    "misc",
}
# Spelled in parts, or this file would find itself.
LEFTOVER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
PATCHING = {"patch", "patch.object", "mock.patch", "mock.patch.object", "mocker.patch"}


def test_a_module_is_named_by_what_it_owns(sources: Mapping[str, str]) -> None:
    named = {path: set(re.split(r"[/._]", path.removesuffix(".py"))) for path in sources}

    assert not [path for path, words in named.items() if words & EMPTY_WORDS]


def test_a_module_says_what_it_owns(sources: Mapping[str, str]) -> None:
    def docstring(text: str) -> str | None:
        return ast.get_docstring(ast.parse(text))

    product = {path: text for path, text in sources.items() if not path.startswith("tests/")}

    assert not [path for path, text in product.items() if text.strip() and not docstring(text)]


def test_nothing_is_left_for_later(sources: Mapping[str, str]) -> None:
    left = {path: LEFTOVER.findall(text) for path, text in sources.items()}

    assert not {path: found for path, found in left.items() if found}


def test_no_middleware_costs_a_task_per_request(sources: Mapping[str, str]) -> None:
    own = "tests/conventions/test_code.py"

    assert not [
        path for path, text in sources.items() if "BaseHTTPMiddleware" in text and path != own
    ]


def calls(text: str) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def patches_by_path(text: str) -> bool:
    """`patch(…)` in any form, and `monkeypatch.setattr("module.name", …)`."""
    return any(
        name in PATCHING
        or (name.endswith("monkeypatch.setattr") and isinstance(call.args[0], ast.Constant))
        for name, call in calls(text)
    )


def test_tests_fake_the_peer_and_not_the_function(sources: Mapping[str, str]) -> None:
    assert patches_by_path('monkeypatch.setattr("a.b", 1)')
    assert not patches_by_path('monkeypatch.setenv("A", "1")')
    assert not [path for path, text in sources.items() if patches_by_path(text)]
