"""The parameters of a request, read from a body or a query string."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations.request import GraphQLRequest, RequestError, parse_get, parse_post

# Text that JSON can carry, without the character that is refused.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
variables = st.none() | st.dictionaries(texts, st.none() | st.booleans() | texts | st.lists(texts))


@given(query=texts, values=variables, name=st.none() | texts, extensions=variables)
def test_what_is_sent_by_post_is_read(
    query: str,
    values: dict[str, object] | None,
    name: str | None,
    extensions: dict[str, object] | None,
) -> None:
    sent = {
        "query": query,
        "variables": values,
        "operationName": name,
        "extensions": extensions,
        "more": 1,
    }
    request = parse_post(json.dumps(sent).encode(), "application/json")
    assert request == GraphQLRequest(query, values, name or None, extensions)


@given(query=texts.filter(bool), values=variables, name=st.none() | texts)
def test_what_is_sent_by_get_is_read(
    query: str, values: dict[str, object] | None, name: str | None
) -> None:
    sent = {"query": query, "variables": json.dumps(values), "operationName": name or ""}
    request = parse_get(urlencode(sent).encode())
    assert request == GraphQLRequest(query, values, name or None, None)


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json;charset=latin1"]
)
def test_the_media_type_is_needed(content_type: str | None) -> None:
    with pytest.raises(RequestError) as refused:
        parse_post(b'{"query":"{ a }"}', content_type)
    assert refused.value.status == 415
    assert refused.value.headers == ((b"accept-post", b"application/json"),)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b'{"query":"\xff"}', "not valid UTF-8"),
        (b"[]", "Batches"),
        (b"1", "must be a JSON object"),
        (b"{}", "`query` is missing"),
        (b'{"query":1}', "`query` must be a string"),
        (b'{"query":"","variables":1}', "`variables` must be a JSON object or null"),
        (b'{"query":"","extensions":1}', "`extensions` must be a JSON object or null"),
        (b'{"query":"","operationName":1}', "`operationName` must be a string or null"),
    ],
)
def test_each_refusal_says_why(body: bytes, said: str) -> None:
    with pytest.raises(RequestError, match=said) as refused:
        parse_post(body, "application/json")
    assert refused.value.status == 400
    assert refused.value.code == "BAD_REQUEST"


def outcome(parse: Callable[[], GraphQLRequest]) -> int:
    try:
        parse()
    except RequestError as error:
        return error.status
    return 200


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    assert outcome(lambda: parse_post(raw, "application/json")) in {200, 400}
    assert outcome(lambda: parse_get(raw)) in {200, 400}
    assert outcome(lambda: parse_post(raw, raw.decode("latin-1"))) in {400, 415}
