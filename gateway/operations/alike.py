"""Documents that differ in literals from one that was found right: only their literals are looked at.

All that validation and limits judge beside the values of numbers and texts is in the words of a
document, and in which of its literals are the same. So what has the words of a right document is
right, unless one of its literals does not fit where it stands; then it is validated as a whole.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FloatValueNode,
    GraphQLInputType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    Visitor,
    validate_input_literal,
    visit,
)

# Of texts and numbers, names, signs, and what stands between them.
_TOKEN = re.compile(
    r'"[^"\\\n\r]*"|-?[0-9][0-9.eE+-]*|[_A-Za-z][_0-9A-Za-z]*|\.\.\.|[!$&()*:=@\[\]{|}]'
    r"|#[^\n\r]*|[\s,\ufeff]+"
)
_SILENT = frozenset("#, \t\n\r\ufeff")
# Texts in blocks and with escapes are the same in more than one writing.
_UNLIKE = ('"""', "\\")
_KEPT_CHARACTERS = 512 * 1024

Types = tuple[GraphQLInputType, ...]


class Words(NamedTuple):
    """A document without the values of its literals, and those."""

    key: str
    literals: Sequence[str]


class Alike:
    """Remembers the words of right documents. `spared` counts those that were not validated.

    Used by two threads: each step is one of a dictionary's own.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: dict[str, Types | None] = {}
        self._characters = 0
        self.spared = 0

    def is_right(self, words: Words, node: DocumentNode) -> bool:
        """Whether it is sure without validation, for a document that was parsed."""
        if words.key not in self._known:
            return False
        types = self._known.get(words.key) or self._read(words, node)
        if types is None or not all(map(_fits, words.literals, types)):
            return False
        self.spared += 1
        return True

    def keep(self, words: Words) -> None:
        """Those of a document that was found right."""
        if words.key in self._known:
            return
        self._characters += len(words.key)
        if self._characters > _KEPT_CHARACTERS:
            self._known.clear()
            self._characters = len(words.key)
        self._known[words.key] = None

    def _read(self, words: Words, node: DocumentNode) -> Types | None:
        """What may stand where its literals do, once a document comes that is like another."""
        info = TypeInfo(self._schema)
        visitor = _Types(info)
        visit(node, TypeInfoVisitor(info, visitor))
        types = tuple(one for one in visitor.found if one is not None)
        if len(types) != len(words.literals):
            return None
        self._known[words.key] = types
        return types


def words_of(text: str) -> Words | None:
    """None for a document without literals, and for one whose literals cannot be compared."""
    if any(sign in text for sign in _UNLIKE):
        return None
    tokens = _TOKEN.findall(text)
    if sum(map(len, tokens)) != len(text):
        return None
    words: list[str] = []
    literals: list[str] = []
    places: dict[str, int] = {}
    for token in tokens:
        first = token[0]
        if first in _SILENT or first.isspace():
            continue
        if first in {'"', "-"} or first.isdigit():
            place = places.setdefault(token, len(places))
            literals.append(token)
            words.append(f"{_kind(token)}{place}")
        else:
            words.append(token)
    return Words(" ".join(words), literals) if literals else None


def _kind(token: str) -> str:
    """No name begins with it."""
    if token[0] == '"':
        return '"'
    return "0" if token.lstrip("-").isdigit() else "."


def _fits(token: str, kind: GraphQLInputType) -> bool:
    found: list[object] = []
    validate_input_literal(_node(token), kind, lambda error, _: found.append(error), None, None)
    return not found


def _node(token: str) -> ValueNode:
    kind = _kind(token)
    if kind == '"':
        return StringValueNode(value=token[1:-1])
    return IntValueNode(value=token) if kind == "0" else FloatValueNode(value=token)


class _Types(Visitor):
    """Of numbers and texts, in the order in which they are written."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: list[GraphQLInputType | None] = []

    def enter_int_value(self, *_: Any) -> None:
        self.found.append(self._info.get_input_type())

    enter_float_value = enter_string_value = enter_int_value
