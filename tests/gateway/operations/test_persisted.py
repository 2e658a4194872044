"""Which document a request means: registered, found, forgotten, refused."""

from hashlib import sha256

import pytest
from graphql import build_schema
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.operations.documents import DocumentError, Documents
from gateway.operations.persisted import (
    ENTRY_BYTES,
    MemoryStore,
    PersistedDocuments,
    TextStore,
)
from gateway.operations.request import GraphQLRequest, RequestError, parse_get, parse_post
from gateway.operations.trusted import Mode, TrustedDocuments

SCHEMA = build_schema("type Query { a: Int b: String }")
KNOWN = "query Known { a }"
OTHER = "{ a b }"
SCHEMA_ONLY = "{ __schema { description } }"


def name_of(text: str) -> str:
    return "sha256:" + sha256(text.encode()).hexdigest()


def named(text: str) -> GraphQLRequest:
    return GraphQLRequest(None, document_id=name_of(text))


def registering(text: str) -> GraphQLRequest:
    return GraphQLRequest(text, document_id=name_of(text))


def automatic(store: TextStore | None = None) -> PersistedDocuments:
    return PersistedDocuments(Documents(SCHEMA), store=store or MemoryStore(10_000))


def trusting(mode: Mode, store: TextStore | None = None) -> PersistedDocuments:
    def reads_schema(context: object) -> bool:
        return context == "developer"

    known = TrustedDocuments({"known": KNOWN}, mode)
    return PersistedDocuments(Documents(SCHEMA), known, store, reads_schema)


async def refusal(
    source: PersistedDocuments, request: GraphQLRequest, context: object = None
) -> tuple[str, str, int]:
    with pytest.raises(DocumentError) as refused:
        await source.requested(request, context)
    (error,) = refused.value.errors
    return refused.value.code, error.message, refused.value.status


NOT_FOUND = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", 404)


async def test_a_text_is_registered_with_its_hash_and_found_by_it() -> None:
    source = automatic()
    assert await refusal(source, named(KNOWN)) == NOT_FOUND
    registered = await source.requested(registering(KNOWN), None)
    assert await source.requested(named(KNOWN), None) is registered
    assert await refusal(source, named(OTHER)) == NOT_FOUND


async def test_a_text_without_its_hash_is_not_registered() -> None:
    source = automatic()
    assert (await source.requested(GraphQLRequest(KNOWN), None)).operations
    assert (await source.requested(GraphQLRequest(KNOWN, document_id="known"), None)).operations
    assert await refusal(source, named(KNOWN)) == NOT_FOUND
    assert await refusal(source, GraphQLRequest(None, document_id="known")) == NOT_FOUND


@pytest.mark.parametrize(
    "name",
    [
        name_of(KNOWN),
        name_of(OTHER)[:7] + name_of(OTHER)[7:].upper(),
        name_of(OTHER)[:-1],
        "sha256:",
        "sha256:x",
    ],
)
async def test_a_hash_of_something_else_is_refused(name: str) -> None:
    store = MemoryStore(10_000)
    with pytest.raises(RequestError, match="provided sha does not match query") as refused:
        await automatic(store).requested(GraphQLRequest(OTHER, document_id=name), None)
    assert refused.value.status == 400
    assert refused.value.code == "PERSISTED_QUERY_HASH_MISMATCH"
    assert len(store) == 0


@pytest.mark.parametrize("text", ["{", "{ c }", "query A { a } query A { b }"])
async def test_what_is_invalid_is_not_registered(text: str) -> None:
    store = MemoryStore(10_000)
    with pytest.raises(DocumentError):
        await automatic(store).requested(registering(text), None)
    assert len(store) == 0


async def test_without_a_store_hashes_are_declined_and_texts_served() -> None:
    source = PersistedDocuments(Documents(SCHEMA))
    assert (await source.requested(registering(KNOWN), None)).operations
    declined = ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", 400)
    assert await refusal(source, named(KNOWN)) == declined


async def test_the_least_used_texts_are_forgotten() -> None:
    store = MemoryStore(3 * (ENTRY_BYTES + 100))
    for name in "abc":
        await store.put(name, name)
    assert await store.get("a") == "a"
    await store.put("b", "b")  # known already, which is a use of it
    await store.put("d", "d")
    assert [await store.get(name) for name in "abcd"] == ["a", "b", None, "d"]


async def test_a_text_larger_than_the_store_pushes_nothing_out() -> None:
    store = MemoryStore(3 * (ENTRY_BYTES + 100))
    await store.put("a", "a")
    await store.put("large", "x" * 10_000)
    assert await store.get("large") is None
    assert await store.get("a") == "a"


@given(st.lists(st.tuples(st.integers(0, 20), st.text(max_size=400)), max_size=60))
async def test_the_store_stays_within_its_bytes(puts: list[tuple[int, str]]) -> None:
    store = MemoryStore(4_000)
    kept: dict[str, str] = {}
    for number, text in puts:
        kept.setdefault(str(number), text)
        await store.put(str(number), kept[str(number)])
        held = [one for one in [await store.get(name) for name in kept] if one is not None]
        assert len(store) == len(held)
        assert sum(ENTRY_BYTES + len(one.encode()) // 4 for one in held) <= 4_000


@pytest.mark.parametrize("mode", ["off", "log", "only"])
async def test_trusted_documents_are_found_by_any_of_their_names(mode: Mode) -> None:
    source = trusting(mode)
    expected = await source.requested(GraphQLRequest(KNOWN), None)
    for name in ("known", name_of(KNOWN), name_of(KNOWN).removeprefix("sha256:"), "sha256:known"):
        found = await source.requested(GraphQLRequest(None, document_id=name), None)
        assert found is expected
    assert await source.requested(registering(KNOWN), None) is expected
    assert await refusal(source, named(OTHER)) == NOT_FOUND


async def test_only_trusted_documents() -> None:
    source = trusting("only")
    for request in (
        GraphQLRequest(OTHER),
        registering(OTHER),
        GraphQLRequest(KNOWN + "\n"),
        GraphQLRequest("{"),
        GraphQLRequest(OTHER, document_id="known"),
    ):
        code, _, status = await refusal(
            source, request, "developer" if request.query == OTHER else None
        )
        assert (code, status) == ("DOCUMENT_NOT_TRUSTED", 403)


async def test_a_wrong_hash_gets_nothing_past_the_manifest() -> None:
    with pytest.raises(RequestError, match="does not match"):
        await trusting("only").requested(GraphQLRequest(OTHER, document_id=name_of(KNOWN)), None)


async def test_who_may_introspect_where_only_trusted_documents_are_served() -> None:
    source = trusting("only")
    assert (await source.requested(GraphQLRequest(SCHEMA_ONLY), "developer")).operations
    for text, context in [
        (SCHEMA_ONLY, "customer"),
        ("{ a __schema { description } }", "developer"),
    ]:
        code, _, _ = await refusal(source, GraphQLRequest(text), context)
        assert code == "DOCUMENT_NOT_TRUSTED"


async def test_other_documents_are_served_and_logged() -> None:
    source = trusting("log", MemoryStore(10_000))
    with capture_logs() as logs:
        await source.requested(registering(OTHER), None)
        await source.requested(named(OTHER), None)
        await source.requested(GraphQLRequest(KNOWN), None)
        with pytest.raises(DocumentError):
            await source.requested(GraphQLRequest("{ c }"), None)
    (entry,) = logs
    assert "sha256:" + entry["sha256"] == name_of(OTHER)


HASH = "0" * 64
APOLLO = b'{"persistedQuery":{"version":1,"sha256Hash":"' + HASH.encode() + b'"}}'


@pytest.mark.parametrize(
    ("body", "query", "document_id"),
    [
        (b'{"documentId":"sha256:abc"}', None, "sha256:abc"),
        (b'{"documentId":"app~1~x","query":"{ a }"}', "{ a }", "app~1~x"),
        (b'{"documentId":"x","query":""}', None, "x"),
        (b'{"documentId":"","query":"{ a }"}', "{ a }", None),
        (b'{"extensions":' + APOLLO + b"}", None, f"sha256:{HASH}"),
        (b'{"query":"","extensions":' + APOLLO + b"}", None, f"sha256:{HASH}"),
        (b'{"query":"{ a }","extensions":' + APOLLO + b"}", "{ a }", f"sha256:{HASH}"),
        (b'{"documentId":"x","extensions":' + APOLLO + b"}", None, "x"),
        (b'{"query":"{ a }","extensions":{"persistedQuery":null}}', "{ a }", None),
        (b'{"doc_id":"relay"}', None, "relay"),
        (b'{"id":"relay"}', None, "relay"),
        (b'{"id":"other","doc_id":"relay","query":null}', None, "relay"),
        (b'{"id":7,"doc_id":"x","query":"{ a }"}', "{ a }", None),
    ],
)
def test_how_a_document_is_named_by_post(
    body: bytes, query: str | None, document_id: str | None
) -> None:
    request = parse_post(body, "application/json")
    assert (request.query, request.document_id) == (query, document_id)


@pytest.mark.parametrize(
    ("query_string", "document_id"),
    [
        (b"documentId=sha256:abc", "sha256:abc"),
        (b"documentId=sha256%3Aabc&query=", "sha256:abc"),
        (b"extensions=" + APOLLO, f"sha256:{HASH}"),
        (b"doc_id=relay", "relay"),
        (b"id=relay", "relay"),
    ],
)
def test_how_a_document_is_named_by_get(query_string: bytes, document_id: str) -> None:
    request = parse_get(query_string)
    assert (request.query, request.document_id) == (None, document_id)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"documentId":7}', "must be a string"),
        (b'{"documentId":["x"],"query":"{ a }"}', "must be a string"),
        (b'{"id":7}', "must be a string"),
        (b'{"documentId":""}', "`query` is missing"),
        (b'{"id":""}', "`query` is missing"),
        (b'{"documentId":"x","query":[]}', "`query` must be a string"),
        (b'{"extensions":{"persistedQuery":true}}', "Unsupported persisted query version"),
        (b'{"extensions":{"persistedQuery":{"sha256Hash":"x"}}}', "Unsupported persisted query"),
        (
            b'{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}',
            "Unsupported persisted query version",
        ),
        (b'{"extensions":{"persistedQuery":{"version":1}}}', "sha256Hash` must be a string"),
        (
            b'{"query":"{ a }","extensions":{"persistedQuery":{"version":1,"sha256Hash":1}}}',
            "sha256Hash` must be a string",
        ),
    ],
)
def test_names_that_cannot_be_meant(body: bytes, said: str) -> None:
    with pytest.raises(RequestError, match=said) as refused:
        parse_post(body, "application/json")
    assert (refused.value.status, refused.value.code) == (400, "BAD_REQUEST")
