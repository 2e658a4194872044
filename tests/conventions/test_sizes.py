"""Functions and files small enough to be read at one go."""

import ast
from collections.abc import Iterator, Mapping
from statistics import median

FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 10
FILE_LINES = 400
TEST_FILE_LINES = 600

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(sources: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Where each function is, and its lines from `def` to its end."""
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield f"{path}:{node.lineno} {node.name}", lines


def test_no_function_is_long(sources: Mapping[str, str]) -> None:
    long = {where: lines for where, lines in functions(sources) if lines > FUNCTION_LINES}

    assert not long


def test_half_of_the_functions_are_short(sources: Mapping[str, str]) -> None:
    product = {path: text for path, text in sources.items() if not path.startswith("tests/")}

    assert median(lines for _, lines in functions(product)) <= MEDIAN_FUNCTION_LINES


def test_no_file_is_long(sources: Mapping[str, str]) -> None:
    def limit(path: str) -> int:
        return TEST_FILE_LINES if path.startswith("tests/") else FILE_LINES

    counted = {path: text.count("\n") for path, text in sources.items()}

    assert not {path: lines for path, lines in counted.items() if lines > limit(path)}
