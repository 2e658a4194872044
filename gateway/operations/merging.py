"""Whether the fields of a document can be merged, told in time linear in the document.

The library compares fields of one response name in pairs, which takes longest where nothing is
wrong: where the same field is asked again and again. Here they are compared by what they have in
common, and pairs only counted. What is not plainly the same is left to the library.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
)

# A document of 2,000 tokens has 1,000 selections; fragments used in many places are looked at in
# each of them.
MOST_STEPS = 10_000
# Fields of one response name, each with each other. Twenty fragments that share twenty fields have
# 3,800; no page has many more.
MOST_PAIRS = 15_000

Verdict = Literal["sure", "unsure", "too many"]

_Sets = Sequence[tuple[SelectionSetNode, GraphQLNamedType | None]]
_Asked = tuple[FieldNode, GraphQLNamedType | None]


def merging(schema: GraphQLSchema, document: DocumentNode, most: int = MOST_STEPS) -> Verdict:
    """`unsure`: what is wrong, or cannot be told in so many steps. `too many`: fields repeated."""
    walk = _Merging(schema, document, most)
    try:
        walk.check()
    except _UnsureError:
        return "unsure"
    except _TooManyError:
        return "too many"
    return "sure"


class _UnsureError(Exception):
    """The library has to look."""


class _TooManyError(Exception):
    """The library would have to look for too long."""


class _Merging:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, most: int) -> None:
        self._schema = schema
        self._definitions = document.definitions
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._left = most
        self._pairs = 0
        self._seen: set[frozenset[tuple[int, str | None]]] = set()
        self._texts: dict[int, object] = {}

    def check(self) -> None:
        """Raises _UnsureError or _TooManyError."""
        for one in self._definitions:
            if isinstance(one, OperationDefinitionNode):
                self._merged([(one.selection_set, self._schema.get_root_type(one.operation))])

    def _merged(self, sets: _Sets) -> None:
        """What is merged into one object, and below it."""
        waiting = [sets]
        while waiting:
            merged = waiting.pop()
            name = frozenset((id(one), kind.name if kind else None) for one, kind in merged)
            if name in self._seen:
                continue
            self._seen.add(name)
            groups: dict[str, list[_Asked]] = {}
            for field, kind in self._fields(merged):
                key = field.alias.value if field.alias else field.name.value
                groups.setdefault(key, []).append((field, kind))
            for group in groups.values():
                below = self._below(group)
                if below:
                    waiting.append(below)

    def _fields(self, sets: _Sets) -> Iterator[_Asked]:
        """Each fragment once: spread again it adds nothing."""
        waiting = list(sets)
        spread: set[str] = set()
        while waiting:
            selections, kind = waiting.pop()
            for one in selections.selections:
                self._step()
                if isinstance(one, FieldNode):
                    yield one, kind
                elif isinstance(one, InlineFragmentNode):
                    waiting.append((one.selection_set, self._narrowed(one.type_condition, kind)))
                elif isinstance(one, FragmentSpreadNode):
                    fragment = self._fragments.get(one.name.value)
                    if fragment is not None and one.name.value not in spread:
                        spread.add(one.name.value)
                        inner = self._narrowed(fragment.type_condition, kind)
                        waiting.append((fragment.selection_set, inner))

    def _narrowed(self, condition: Any, kind: GraphQLNamedType | None) -> GraphQLNamedType | None:
        return self._schema.type_map.get(condition.name.value) if condition else kind

    def _below(self, group: Sequence[_Asked]) -> _Sets:
        """What is asked of the value that all fields of one response name are merged into."""
        if len(group) > 1:
            self._compare(group)
        return [
            (field.selection_set, self._named(field, kind))
            for field, kind in group
            if field.selection_set is not None
        ]

    def _compare(self, group: Sequence[_Asked]) -> None:
        """The same field with the same arguments, and of the same type everywhere.

        Different fields are fine where they are of different objects, of which only one is there.
        """
        self._pairs += len(group) * (len(group) - 1) // 2
        if self._pairs > MOST_PAIRS:
            raise _TooManyError
        shapes = {self._shape(field, kind) for field, kind in group}
        if len(shapes) > 1:
            raise _UnsureError
        if len({self._text(field) for field, _ in group}) == 1:
            return
        of_kind: dict[str, object] = {}
        for field, kind in group:
            if not isinstance(kind, GraphQLObjectType):
                raise _UnsureError
            text = self._text(field)
            if of_kind.setdefault(kind.name, text) != text:
                raise _UnsureError

    def _shape(self, field: FieldNode, kind: GraphQLNamedType | None) -> str | None:
        found = self._definition(field, kind)
        return None if found is None else str(found.type)

    def _named(self, field: FieldNode, kind: GraphQLNamedType | None) -> GraphQLNamedType | None:
        found = self._definition(field, kind)
        return None if found is None else get_named_type(found.type)

    def _definition(self, field: FieldNode, kind: GraphQLNamedType | None) -> Any:
        return None if kind is None else self._schema.get_field(kind, field.name.value)  # type: ignore[arg-type]

    def _text(self, field: FieldNode) -> object:
        """The field and its arguments, in any order."""
        if not field.arguments:
            return field.name.value
        if id(field) not in self._texts:
            arguments = ((one.name.value, self._value(one.value)) for one in field.arguments)
            self._texts[id(field)] = (field.name.value, frozenset(arguments))
        return self._texts[id(field)]

    def _value(self, value: ValueNode) -> object:
        self._step()
        if isinstance(value, ListValueNode):
            return ("list", *(self._value(one) for one in value.values))
        if isinstance(value, ObjectValueNode):
            return ("object", *((one.name.value, self._value(one.value)) for one in value.fields))
        named = getattr(value, "name", None)
        return value.kind, named.value if named else getattr(value, "value", None)

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _UnsureError
