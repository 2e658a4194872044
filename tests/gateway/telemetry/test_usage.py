"""Who uses which fields, and what a change of the schema would break for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema

from gateway.operations.documents import Document, Documents
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import Store, connect
from gateway.telemetry.schema_changes import SchemaTextError, broken, changes, schema_of
from gateway.telemetry.usage import Usage, coordinates
from gateway.telemetry.usage_reading import (
    Recorded,
    deprecated_uses,
    deprecations,
    recorded,
    used_fields,
)

AT = 1_800_000_000.0
SDL = """
directive @fresh(maxAge: Int) on QUERY
directive @internal on OBJECT
enum Unit { PIECE METRE @deprecated(reason: "Use PIECE.") }
input Filter { text: String, unit: Unit }
interface Node { id: ID! }
type Product implements Node @internal {
  id: ID!
  name: String!
  title: String @deprecated(reason: "Use name.")
  price(unit: Unit, old: Int @deprecated(reason: "Gone.")): Int
}
type Query { product(sku: String): Product, products(filter: Filter): [Product!]!, node: Node }
"""


@pytest.fixture
def schema() -> GraphQLSchema:
    return build_schema(SDL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    made = Store(connect(file))
    yield made
    made.close()


def document(schema: GraphQLSchema, text: str) -> Document:
    return Documents(schema).document(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{ product { name } }", {"Query.product", "Product.name"}),
        ("{ a: product { __typename } }", {"Query.product"}),
        (
            "{ product { price(unit: METRE) } }",
            {"Query.product", "Product.price", "Product.price(unit:)", "Unit.METRE"},
        ),
        (
            (
                "query($t: String) { products(filter: {text: $t, unit: PIECE}) { ...F } }"
                " fragment F on Product { title }"
            ),
            {"Query.products", "Query.products(filter:)", "Filter.text", "Filter.unit"}
            | {"Unit.PIECE", "Product.title"},
        ),
        ("{ node { id ... on Product { name } } }", {"Query.node", "Node.id", "Product.name"}),
    ],
    ids=["field", "alias", "argument", "variable", "fragment"],
)
def test_what_a_document_uses(schema: GraphQLSchema, text: str, told: set[str]) -> None:
    assert coordinates(schema, document(schema, text).node) == told


def test_counts_are_kept_by_client_operation_and_field(
    schema: GraphQLSchema, store: Store, file: Path
) -> None:
    usage = Usage(schema, clock=lambda: AT)
    both = document(schema, "query A { product { name } } query B { product { title } }")
    for _ in range(3):
        usage.note("shop", "A", both)
    usage.note("shop", "B", both)
    usage.flush(store)
    usage.note("partner", "B", both)
    usage.note("shop", "A", both)
    usage.flush(store)
    usage.flush(store)

    with Reader(file) as reader:
        counts = {
            (one.client, one.operation, one.field): one.count for one in used_fields(reader, 0)
        }
        (first, second) = deprecated_uses(reader, 0, schema)
        assert used_fields(reader, AT + 7_200) == []
    assert counts == {
        ("shop", "A", "Query.product"): 4,
        ("shop", "A", "Product.name"): 4,
        ("shop", "B", "Query.product"): 1,
        ("shop", "B", "Product.title"): 1,
        ("partner", "B", "Query.product"): 1,
        ("partner", "B", "Product.title"): 1,
    }
    assert {first.client, second.client} == {"shop", "partner"}
    assert (first.field, first.reason) == ("Product.title", "Use name.")
    assert first.last <= AT < first.last + 3_600


def test_what_clients_wrote_into_documents_is_not_kept(
    schema: GraphQLSchema, store: Store, file: Path
) -> None:
    usage = Usage(schema)
    usage.note("shop", None, document(schema, '{ product(sku: "ada@example.org") { name } }'))
    usage.flush(store)

    with Reader(file) as reader:
        (one,) = recorded(reader, 0)
    assert "ada" not in one.text
    assert (one.operation, one.clients, one.count) == ("unnamed", ("shop",), 1)


def test_kinds_of_uses_are_bounded(schema: GraphQLSchema, store: Store, file: Path) -> None:
    usage = Usage(schema, most=1)
    usage.note("a", None, document(schema, "{ product { name } }"))
    usage.note("b", None, document(schema, "{ product { id } }"))
    usage.flush(store)

    with Reader(file) as reader:
        assert len(recorded(reader, 0)) == 1
    assert usage.missed == 1


def test_all_that_is_deprecated(schema: GraphQLSchema) -> None:
    assert dict(deprecations(schema)) == {
        "Product.title": "Use name.",
        "Product.price(old:)": "Gone.",
        "Unit.METRE": "Use PIECE.",
    }


@pytest.mark.parametrize(
    ("old", "new", "severity", "kind"),
    [
        ("  name: String!\n", "", "breaking", "FIELD_REMOVED"),
        ("name: String!", "name: String", "breaking", "FIELD_CHANGED_KIND"),
        ("PIECE", "PIECE LITRE", "dangerous", "VALUE_ADDED_TO_ENUM"),
        ("  name: String!\n", "  name: String!\n  gtin: ID\n", "safe", "FIELD_ADDED"),
        ("type Query", "type Brand { name: ID } type Query", "safe", "TYPE_ADDED"),
        (' @deprecated(reason: "Use name.")', "", "safe", "DEPRECATION_CHANGED"),
        ("directive @fresh(maxAge: Int) on QUERY", "", "breaking", "DIRECTIVE_REMOVED"),
        ("@fresh(maxAge: Int)", "@fresh(maxAge: Int!)", "breaking", "REQUIRED_DIRECTIVE_ARG_ADDED"),
    ],
)
def test_changes(old: str, new: str, severity: str, kind: str) -> None:
    if kind == "REQUIRED_DIRECTIVE_ARG_ADDED":
        old, new = "@fresh(maxAge: Int)", "@fresh(maxAge: Int, must: Int!)"
    found = changes(schema_of(SDL), schema_of(SDL.replace(old, new)))

    assert [(one.severity, one.kind) for one in found] == [(severity, kind)]


TRICKY = """
directive @fresh(maxAge: Int = 0) on QUERY | FIELD
interface Node { id: ID! }
type Query {
  product(sku: String, unit: Unit = PIECE, of: Int! = 1): Product
  node(id: ID!): Node
  find(filter: Filter): [Product!]!
}
type Product implements Node { id: ID! name: String! note: String unit: Unit }
enum Unit { PIECE METRE }
input Filter { sku: String text: String! = "x" unit: Unit }
union Any = Product | Other
type Other { id: ID! }
"""


@pytest.mark.parametrize(
    ("old", "new", "severity", "kind"),
    [
        ("PIECE METRE", "PIECE", "breaking", "VALUE_REMOVED_FROM_ENUM"),
        ("sku: String,", "sku: String!,", "breaking", "ARG_CHANGED_KIND"),
        ("id: ID!): Node", "id: ID): Node", "safe", "TYPE_CHANGED_SAFELY"),
        ("id: ID!): Node", "id: ID!, at: Int): Node", "dangerous", "OPTIONAL_ARG_ADDED"),
        ("id: ID!): Node", "id: ID!, at: Int!): Node", "breaking", "REQUIRED_ARG_ADDED"),
        ("name: String!", "name: String", "breaking", "FIELD_CHANGED_KIND"),
        ("note: String ", "note: String! ", "safe", "TYPE_CHANGED_SAFELY"),
        ("[Product!]!", "[Product]!", "breaking", "FIELD_CHANGED_KIND"),
        ("text: String! =", "text: String =", "safe", "TYPE_CHANGED_SAFELY"),
        ("unit: Unit }\nenum", "unit: Unit! }\nenum", "safe", "TYPE_CHANGED_SAFELY"),
        ("unit: Unit }\nunion", "unit: Unit! }\nunion", "breaking", "FIELD_CHANGED_KIND"),
        ("sku: String text", "sku: String at: Int! text", "breaking", "REQUIRED_INPUT_FIELD_ADDED"),
        ("Product implements Node", "Product", "breaking", "IMPLEMENTED_INTERFACE_REMOVED"),
        ("= Product | Other", "= Product", "breaking", "TYPE_REMOVED_FROM_UNION"),
        ("= PIECE", "= METRE", "dangerous", "ARG_DEFAULT_VALUE_CHANGE"),
        ("unit: Unit = PIECE", "unit: Unit", "dangerous", "ARG_DEFAULT_VALUE_CHANGE"),
        ("of: Int! = 1", "of: Int!", "breaking", "ARG_DEFAULT_VALUE_CHANGE"),
        ('text: String! = "x"', "text: String!", "breaking", "INPUT_FIELD_DEFAULT_VALUE_CHANGE"),
        ("maxAge: Int = 0", "maxAge: Int = 5", "dangerous", "ARG_DEFAULT_VALUE_CHANGE"),
        ("maxAge: Int = 0", "maxAge: String", "breaking", "ARG_CHANGED_KIND"),
        ("QUERY | FIELD", "QUERY", "breaking", "DIRECTIVE_LOCATION_REMOVED"),
    ],
)
def test_tricky_changes(old: str, new: str, severity: str, kind: str) -> None:
    assert old in TRICKY
    found = changes(schema_of(TRICKY), schema_of(TRICKY.replace(old, new, 1)))

    assert [(one.severity, one.kind) for one in found] == [(severity, kind)]


def test_a_scalar_that_nothing_is_of_any_longer_is_no_change() -> None:
    old = "type Query { a: String b: Int }"
    found = changes(schema_of(old), schema_of("type Query { a: String }"))

    assert [one.kind for one in found] == ["FIELD_REMOVED"]


def test_directives_that_operations_cannot_say_are_left_out() -> None:
    without = SDL.replace("directive @internal on OBJECT", "").replace(" @internal", "")

    assert changes(schema_of(SDL), schema_of(without)) == []


def test_recorded_operations_that_break(schema: GraphQLSchema, store: Store, file: Path) -> None:
    usage = Usage(schema)
    usage.note("shop", "A", document(schema, "query A { product { name } }"))
    usage.note("shop", "B", document(schema, "query B { product { id } }"))
    usage.flush(store)
    with Reader(file) as reader:
        operations = recorded(reader, 0)

    (one,) = broken(schema_of(SDL.replace("  name: String!\n", "")), operations)
    assert (one.operation, one.clients, one.count) == ("A", ("shop",), 1)
    assert "name" in one.problems[0]


@pytest.mark.parametrize(("field", "breaks"), [("id", False), ("name", True)])
def test_operations_of_routers_break_by_what_they_ask_alone(field: str, *, breaks: bool) -> None:
    text = "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Product { %s } } }"
    asked = Recorded("unnamed", text % field, ("router",), 1, 0)

    new = schema_of(SDL.replace("  name: String!\n", ""))
    assert bool(broken(new, [asked])) is breaks


@pytest.mark.parametrize("text", ["", "{", "{}", '{"data": {"x": 1}}', "type {", "[]"])
def test_what_is_no_schema(text: str) -> None:
    with pytest.raises(SchemaTextError):
        schema_of(text)
