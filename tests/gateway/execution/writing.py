"""Random documents over the whole schema, written fast: arguments as literals and variables with
defaults, nulls and absent ones, aliases, fragments of every form, `@skip`, `@include`, `@fresh`."""

import json
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from resolvers.ids import encode
from tests.gateway.execution.tampering import UNSERVED
from tests.resolvers.shop import CORE

LEAVES: dict[str, list[object]] = {
    "Boolean": [True, False],
    "Int": [1, 2, 3, 5, 20, 50, 100, 0, -1],
    "String": ["BOLT", "NUT", "A", "A1", "T1", "IA", "bolts", "root", "d", "gone", "", '"\\\n'],
    "ID": [
        *(encode(kind, key) for kind, key in (("Product", "BOLT"), ("Order", "A1"))),
        encode("Shipment", "OUT1"),
        "x",
    ],
    "Decimal": ["1", "2", "120", "1.5", "1e2", 3, "0"],
    "DateTime": ["2026-01-01T00:00:00Z"],
    "Date": ["2026-01-01"],
    "_Any": [
        {"__typename": "Product", "sku": "BOLT"},
        {"__typename": "Order", "number": "A1"},
        {"__typename": "Shipment", "trackingNumber": "T1"},
        {"__typename": "Product", "sku": "gone"},
    ],
}
# What finds something, most of the time.
LIKELY: dict[str, list[object]] = {
    "Query.product.sku": ["BOLT", "NUT"],
    "Query.order.number": ["A1", "A3"],
    "Query.shipment.trackingNumber": ["T1", "T3"],
    "Query.invoice.number": ["IA"],
    "Query.category.code": ["bolts", "root"],
    "Query.customer.number": ["A"],
    "Query.node.id": [encode("Order", "A1"), encode("Product", "BOLT")],
    "Product.attribute.code": ["d", "l"],
    "Product.attributes.codes": [["d"], ["l", "d"]],
    "Product.price.quantity": ["1", "120"],
}
DEEPEST = 5


class Enum(str):
    """The name of an enum's value."""

    __slots__ = ()


class Writer:
    """One document; `variables` are those to send with it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._declared: list[str] = []
        self._fragments: list[str] = []
        self._names = 0
        self.variables: dict[str, object] = {}
        self.query = self._document()

    def _document(self) -> str:
        root = CORE.query_type
        assert root is not None
        body = self._selection(root, 0)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return f"query Q{declared} {{ {body} }} {' '.join(self._fragments)}"

    def _maybe(self, chance: float) -> bool:
        return self._random.random() < chance

    def _new(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _selection(self, kind: Any, depth: int) -> str:
        if not isinstance(kind, GraphQLObjectType):
            parts = [self._on(one, depth) for one in CORE.get_possible_types(kind)]
            return " ".join(["__typename", *self._random.sample(parts, min(3, len(parts)))])
        names = [one for one in kind.fields if one == "_entities" or not one.startswith("_")]
        chosen = self._random.choices(names, k=self._random.randint(1, 4 if depth else 3))
        texts = [text for name in chosen if (text := self._field(kind, name, depth))]
        return " ".join(["__typename", *(self._wrapped(kind, text) for text in texts)])

    def _on(self, kind: GraphQLObjectType, depth: int) -> str:
        return f"... on {kind.name} {{ {self._selection(kind, depth + 1)} }}"

    def _wrapped(self, kind: GraphQLObjectType, text: str) -> str:
        """In a fragment now and then, or in one on an interface beside it."""
        chance = self._random.random()
        if chance < 0.08:
            return f"... on {kind.name}{self._condition()} {{ {text} }}"
        if chance < 0.12:
            return f"...{self._condition() or ' '}{{ {text} }}"
        if chance < 0.2:
            name = self._new("F")
            self._fragments.append(f"fragment {name} on {kind.name} {{ {text} }}")
            return f"...{name}{self._condition()}"
        if chance < 0.25 and any(one.name == "Node" for one in kind.interfaces):
            return f"... on Node {{ id __typename }} {text}"
        return text

    def _field(self, kind: GraphQLObjectType, name: str, depth: int) -> str | None:
        """Under a key of its own, so that all may stand side by side."""
        field = kind.fields[name]
        if name == "age" or (f"{kind.name}.{name}" in UNSERVED and self._maybe(0.95)):
            return None
        inner = get_named_type(field.type)
        if not is_leaf_type(inner) and depth >= DEEPEST:
            return None
        arguments = self._arguments(f"{kind.name}.{name}", field.args)
        fresh = " @fresh(maxAge: 5)" if self._maybe(0.03) else ""
        text = f"{self._new('k')}: {name}{arguments}{self._condition()}{fresh}"
        if is_leaf_type(inner):
            return text
        return f"{text} {{ {self._selection(inner, depth + 1)} }}"

    def _condition(self) -> str:
        if not self._maybe(0.1):
            return ""
        value = self._told(GraphQLNonNull(CORE.type_map["Boolean"]), "")  # type: ignore[type-var]
        return f" @{self._random.choice(['skip', 'include'])}(if: {value})"

    def _arguments(self, coordinate: str, declared: dict[str, GraphQLArgument]) -> str:
        told = [
            f"{name}: {self._told(one.type, f'{coordinate}.{name}')}"
            for name, one in declared.items()
            if is_required_argument(one)
            or self._maybe(0.9 if f"{coordinate}.{name}" in LIKELY else 0.25)
        ]
        return f"({', '.join(told)})" if told else ""

    def _told(self, kind: Any, place: str) -> str:
        """A literal, or a variable with a value, a default, null, or nothing at all."""
        value = self._value(kind, place)
        if not self._maybe(0.35):
            return self._literal(value)
        name = self._new("v")
        if self._maybe(0.3):
            default = None if self._maybe(0.1) else value
            nullable = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
            if isinstance(kind, GraphQLNonNull) and default is None:
                default = value
            self._declared.append(f"${name}: {nullable} = {self._literal(default)}")
            if self._maybe(0.3):
                self.variables[name] = self._value(kind, place)
        else:
            self._declared.append(f"${name}: {kind}")
            if isinstance(kind, GraphQLNonNull) or self._maybe(0.8):
                self.variables[name] = value
        return f"${name}"

    def _value(self, kind: Any, place: str) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, place)
        return None if self._maybe(0.1) else self._present(kind, place)

    def _present(self, kind: Any, place: str) -> Any:
        if place in LIKELY and self._maybe(0.9):
            return self._random.choice(LIKELY[place])
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type, "") for _ in range(self._random.randint(0, 3))]
        if isinstance(kind, GraphQLEnumType):
            return Enum(self._random.choice(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: self._value(field.type, "")
                for name, field in kind.fields.items()
                if isinstance(field.type, GraphQLNonNull) or self._maybe(0.3)
            }
        return self._random.choice(LEAVES[kind.name])

    def _literal(self, value: Any) -> str:
        if isinstance(value, Enum):
            return str(value)
        if isinstance(value, list):
            return f"[{', '.join(self._literal(one) for one in value)}]"
        if isinstance(value, dict):
            fields = (f"{name}: {self._literal(one)}" for name, one in value.items())
            return f"{{{', '.join(fields)}}}"
        if isinstance(value, str) and '"' not in value and self._maybe(0.1):
            return f'"""{value}"""'
        return json.dumps(value)
