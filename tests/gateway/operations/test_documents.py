"""Documents: what is kept, what is refused and how, which operation is meant."""

import asyncio
import gc
import inspect
import sys
import time

import pytest
from graphql import build_schema, get_introspection_query, parse

from gateway.operations.documents import (
    LONG_CHARACTERS,
    MAX_WAITING,
    Document,
    DocumentError,
    DocumentLimits,
    Documents,
    operation_of,
)
from gateway.operations.limits import LIMIT_EXCEEDED
from gateway.operations.request import GraphQLRequest, Method, RequestError
from gateway.operations.rules import OverdueError, problems_of

SCHEMA = build_schema("""
    enum Colour { RED }
    input Line { sku: String! }
    type Query { a(x: Int, colour: Colour, lines: [Line!]): Query b: String }
    type Mutation { m: Int }
    type Subscription { s: Int }
""")


def refused(text: str, limits: DocumentLimits | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as error:
        Documents(SCHEMA, limits).document(text)
    return error.value


def test_a_valid_document_is_kept() -> None:
    documents = Documents(SCHEMA)
    assert documents.document("{ b }") is documents.document("{ b }")
    assert documents.document("{ b } #") is not documents.document("{ b }")
    assert len(documents) == 2


def test_the_least_recently_used_go_first() -> None:
    documents = Documents(SCHEMA, DocumentLimits(max_kept_characters=20))
    first = documents.document("{ b } # 1")
    documents.document("{ b } # 2")
    assert documents.document("{ b } # 1") is first
    documents.document("{ b } # 3")
    assert len(documents) == 2
    assert documents.document("{ b } # 1") is first


def test_a_text_larger_than_all_that_is_kept_is_answered_and_forgotten() -> None:
    documents = Documents(SCHEMA, DocumentLimits(max_kept_characters=3))
    assert documents.document("{ b }").operations
    assert len(documents) == 0


def test_what_is_invalid_is_not_kept() -> None:
    documents = Documents(SCHEMA)
    for text in ("{", "{ c }"):
        with pytest.raises(DocumentError):
            documents.document(text)
    assert len(documents) == 0


@pytest.mark.parametrize(
    ("text", "code", "own_code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", None),
        ("{ c }", "GRAPHQL_VALIDATION_FAILED", None),
        ("{ a(x: 1, x: 2) { b } }", "GRAPHQL_VALIDATION_FAILED", None),
        ('{ a(x: "1") { b } }', "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"),
        ("{ a(colour: BLUE) { b } }", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"),
        ("{ a(lines: [{}]) { b } }", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"),
        (r'{ a(lines: {sku: "\u0000"}) { b } }', "BAD_USER_INPUT", None),
    ],
)
def test_refusals(text: str, code: str, own_code: str | None) -> None:
    error = refused(text)
    assert error.code == code
    (first,) = error.errors
    assert (first.extensions or {}).get("code") == own_code
    assert first.locations


def test_other_escapes_are_fine() -> None:
    assert Documents(SCHEMA).document(r'{ a(lines: {sku: "\u00e9"}) { b } }')


def test_limits() -> None:
    assert refused("{ b b b }", DocumentLimits(max_tokens=4)).code == "GRAPHQL_PARSE_FAILED"
    assert len(refused("{ " + "c " * 9 + "}", DocumentLimits(max_errors=3)).errors) == 4


def test_a_chain_of_fragments_longer_than_the_stack() -> None:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(200))
    text = f"{{ ...F0 }} {chain} fragment F200 on Query {{ b }}"
    assert refused(text).code in {"OPERATION_LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED"}


def outcome(text: str, frames: int) -> str:
    """What becomes of a document when the stack already holds so many frames more."""
    if frames:
        return outcome(text, frames - 1)
    try:
        Documents(SCHEMA).document(text)
    except DocumentError as error:
        return error.code
    return "valid"


def test_a_stack_that_is_nearly_full_is_no_crash() -> None:
    nested = "{ a " * 11 + "{ b }" + "}" * 11
    chain = " ".join(f"fragment F{n} on Query {{ a {{ ...F{n + 1} }} }}" for n in range(11))
    fragments = f"{{ ...F0 }} {chain} fragment F11 on Query {{ b }}"
    free = sys.getrecursionlimit() - len(inspect.stack())
    outcomes = {
        outcome(text, free - left) for text in (nested, fragments) for left in range(40, 400, 10)
    }
    known = {
        "valid",
        "GRAPHQL_VALIDATION_FAILED",
        "GRAPHQL_PARSE_FAILED",
        "OPERATION_LIMIT_EXCEEDED",
    }
    assert "valid" in outcomes
    assert outcomes <= known


def test_introspection_is_within_the_limits() -> None:
    full = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
    )
    assert Documents(SCHEMA).document(full)


def chosen(text: str, name: str | None = None, method: Method = "POST") -> str | None:
    document: Document = Documents(SCHEMA).document(text)
    operation = operation_of(document, GraphQLRequest(text, operation_name=name), method)
    return operation.name.value if operation.name else None


def test_the_operation_is_found() -> None:
    assert chosen("{ b }") is None
    assert chosen("query A { b }") == "A"
    assert chosen("query A { b } mutation B { m }", "A", "GET") == "A"
    assert chosen("query A { b } mutation B { m }", "B") == "B"


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ("query A { b } query B { b }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("query A { b }", "B", "OPERATION_RESOLUTION_FAILURE"),
        ("{ b }", "A", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { s }", None, "OPERATION_NOT_SUPPORTED"),
    ],
)
def test_the_operation_is_not_found(text: str, name: str | None, code: str) -> None:
    with pytest.raises(DocumentError) as error:
        chosen(text, name)
    assert error.value.code == code


def test_no_mutation_by_get() -> None:
    with pytest.raises(RequestError) as error:
        chosen("mutation { m }", method="GET")
    assert error.value.status == 405
    assert (b"allow", b"POST") in error.value.headers


async def test_a_long_document_is_examined_beside_the_event_loop() -> None:
    documents = Documents(SCHEMA)
    text = "{ b " + "#" * LONG_CHARACTERS + "\n}"
    turned: list[bool] = []
    asyncio.get_running_loop().call_soon(turned.append, True)

    first, again = await asyncio.gather(documents.examined(text), documents.examined(text))

    assert turned
    assert first.operations.keys() == again.operations.keys() == {None}
    assert len(documents) == 1
    assert await documents.examined(text) is documents.document(text)


async def test_a_long_document_that_is_refused_is_not_kept() -> None:
    documents = Documents(SCHEMA)

    with pytest.raises(DocumentError) as error:
        await documents.examined("{ c " + "#" * LONG_CHARACTERS + "\n}")

    assert error.value.code == "GRAPHQL_VALIDATION_FAILED"
    assert len(documents) == 0


def test_fields_repeated_too_often_are_refused_early() -> None:
    """Each pair of them would be compared, on each level."""
    error = refused(f"{{ {'a { a { b } } ' * 180} }}", DocumentLimits(max_tokens=5_000))

    assert error.errors[-1].extensions == {"code": LIMIT_EXCEEDED}


LONG = "#" * LONG_CHARACTERS + "\n"


@pytest.mark.parametrize("text", ["{ b }", "{ b }" + LONG], ids=["short", "long"])
async def test_past_its_deadline_no_document_is_examined(text: str) -> None:
    documents = Documents(SCHEMA)

    with pytest.raises(DocumentError) as error:
        await documents.examined(text, time.monotonic() - 1)

    assert (error.value.code, error.value.status) == ("DEADLINE_EXCEEDED", 504)
    assert len(documents) == 0


def test_validation_looks_at_the_clock() -> None:
    node = parse(f"{{ {' '.join(f'x{n}: b' for n in range(100))} }}")

    with pytest.raises(OverdueError):
        problems_of(SCHEMA, node, most=20, until=time.monotonic() - 1)


async def test_one_text_is_examined_once_for_all_who_send_it() -> None:
    documents = Documents(SCHEMA)
    text = "{ b }" + LONG

    found = await asyncio.gather(*(documents.examined(text) for _ in range(200)))

    assert all(one is found[0] for one in found)


async def test_a_crowd_of_long_documents_is_refused_and_not_kept_waiting() -> None:
    documents = Documents(SCHEMA)
    texts = [f"{{ b }} # {n} {LONG}" for n in range(3 * MAX_WAITING)]

    answers = await asyncio.gather(
        *(documents.examined(one) for one in texts), return_exceptions=True
    )

    refused = [one for one in answers if isinstance(one, RequestError)]
    assert len(refused) == 2 * MAX_WAITING
    assert {(one.status, one.code) for one in refused} == {(503, "GATEWAY_OVERLOADED")}
    assert all((b"retry-after", b"1") in one.headers for one in refused)
    assert len(documents) == MAX_WAITING
    assert (await documents.examined(texts[-1])).operations


async def test_who_gives_up_waiting_takes_the_document_from_nobody_else() -> None:
    documents = Documents(SCHEMA)
    text = "{ b }" + LONG
    impatient = asyncio.create_task(documents.examined(text))
    patient = asyncio.create_task(documents.examined(text))
    await asyncio.sleep(0)

    impatient.cancel()

    assert (await patient).operations
    assert impatient.cancelled() or (await asyncio.gather(impatient, return_exceptions=True))


def test_names_are_suggested_for_the_first_mistakes_only() -> None:
    told = [one.message for one in refused("{ bb cb db eb fb gb }").errors]

    assert "Did you mean" in told[0]
    assert "Did you mean" not in told[-1]
    assert "Did you mean" not in refused("{ bb #" + "x" * 200 + "\n}").errors[0].message


def test_a_refused_document_leaves_little_to_collect() -> None:
    """What is in no cycle is free at once; the library's own visitor of all rules is in one."""
    documents = Documents(SCHEMA)
    text = "{ " + " ".join(f"nonsense{number}" for number in range(20)) + " }"
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(DocumentError):
            documents.document(text)
        left = gc.collect()
    finally:
        gc.enable()

    assert left < 600
