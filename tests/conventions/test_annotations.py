"""Annotations of functions within functions are evaluated each time the outer one runs."""

import ast
from collections.abc import Iterator, Mapping

# Rooms whose functions run for each request.
HOT = ("resolvers/", "upstream/")
# These run once a process, or once an upstream.
ONCE = frozenset(
    {
        "resolvers/later.py:not_configured",
        "resolvers/node.py:_catalog",
        "upstream/guard.py:_direct",
        "upstream/guard.py:_cached",
    }
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def evaluated(where: str, source: str) -> Iterator[str]:
    """Inner functions whose annotations make generic aliases."""
    for outer in ast.walk(ast.parse(source)):
        if not isinstance(outer, Function) or f"{where}:{outer.name}" in ONCE:
            continue
        for inner in ast.iter_child_nodes(outer):
            if isinstance(inner, Function) and any(map(_is_generic, _annotations(inner))):
                yield f"{where}:{inner.lineno} {inner.name}"


def _annotations(function: Function) -> Iterator[ast.expr]:
    arguments = function.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if one.annotation is not None:
            yield one.annotation
    if function.returns is not None:
        yield function.returns


def _is_generic(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Subscript) for node in ast.walk(annotation))


def test_inner_functions_of_hot_rooms_have_annotations_that_cost_nothing(
    sources: Mapping[str, str],
) -> None:
    """Written as texts; an alias such as `Answers[Parcel, Tracking]` takes microseconds to make."""
    hot = {where: text for where, text in sources.items() if where.startswith(HOT)}
    found = [one for where, text in hot.items() for one in evaluated(where, text)]

    assert not found
