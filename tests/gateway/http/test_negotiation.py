"""The media type of an answer, by `Accept`."""

import pytest

from gateway.http.negotiation import MediaType, negotiate

NEW = "application/graphql-response+json"
OLD = "application/json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", MediaType.JSON),
        ("*/*", MediaType.JSON),
        ("application/*", MediaType.JSON),
        (OLD, MediaType.JSON),
        (NEW, MediaType.GRAPHQL_RESPONSE),
        (NEW.upper(), MediaType.GRAPHQL_RESPONSE),
        (f"{NEW}; charset=utf-8", MediaType.GRAPHQL_RESPONSE),
        (f'{NEW}; charset="UTF-8"; q=0.5', MediaType.GRAPHQL_RESPONSE),
        (f"{NEW}, {OLD};q=0.9", MediaType.GRAPHQL_RESPONSE),
        (f"{OLD};q=0.9, {NEW}", MediaType.GRAPHQL_RESPONSE),
        (f"{NEW},{OLD}", MediaType.GRAPHQL_RESPONSE),
        (f"{OLD},{NEW}", MediaType.JSON),
        (f"{NEW};q=0.1, {OLD}", MediaType.JSON),
        (f"{NEW};q=0, {OLD};q=0.1", MediaType.JSON),
        (f"{NEW}, */*", MediaType.GRAPHQL_RESPONSE),
        ("text/html,application/xhtml+xml,*/*;q=0.8", MediaType.JSON),
        (f"*/*, {OLD};q=0, {NEW};q=0.2", MediaType.GRAPHQL_RESPONSE),
        (f"{OLD};q=0, */*", None),
        ("text/html", None),
        (f"{NEW};q=0", None),
        (f"{NEW};q=nonsense", None),
        (f"{NEW};charset=iso-8859-1", None),
        (",;,=,", None),
    ],
)
def test_negotiate(accept: str, expected: MediaType | None) -> None:
    assert negotiate(accept) is expected
