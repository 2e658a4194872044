"""Tokens counted before parsing: never more than the parser finds, and every character looked at once."""

import pytest
from graphql import GraphQLSyntaxError, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.tokens import _NEXT, has_more_tokens

PIECES = [
    *'{}()[]!$&=|@: \n\r\t,#"\\.-+e0123456789aZ_',
    "...",
    '"""',
    '\\"""',
    "\ufeff",
    "é",
    "query",
    "fragment",
    "# comment\n",
    '"text"',
    '"""block"""',
    "-1.5e+3",
]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("{ a }", 3),
        ("{ a(b: [1, -2.5e3]) }", 11),
        ('{ a(b: "{ x \\" y }") }', 8),
        ('{ a(b: """ { " x \\""" } """) }', 8),
        ("{ # { a b c\n a }", 3),
        ("{ ...F @x }", 6),
    ],
)
def test_tokens_are_counted(text: str, tokens: int) -> None:
    assert not has_more_tokens(text, tokens)
    assert tokens == 0 or has_more_tokens(text, tokens - 1)


@given(texts)
def test_no_text_that_the_parser_takes_is_refused(text: str) -> None:
    for most in (3, 10, 30):
        try:
            parse(text, max_tokens=most)
        except GraphQLSyntaxError:
            continue
        assert not has_more_tokens(text, most)


@given(texts)
def test_each_character_is_matched_once(text: str) -> None:
    """A match that looked further than it took would make the time grow with the square."""
    end = 0
    for match in _NEXT.finditer(text):
        assert match.start() == end
        end = match.end()
    assert end == len(text)
