"""A GraphQL request as it arrives: its parameters, read from a POST body or a query string.

Knows nothing of documents: whether `query` parses is for `documents`, what a name in its place
means is for `persisted`.
"""

from collections.abc import Mapping
from typing import Literal, NoReturn
from urllib.parse import parse_qsl

import msgspec
import orjson

Method = Literal["GET", "POST"]

SHA256 = "sha256:"

# Seven are known; a few more are tolerated, as the specification asks.
MAX_QUERY_STRING_FIELDS = 32


class GraphQLRequest(msgspec.Struct, frozen=True):
    """The parameters of GraphQL over HTTP; absent, null and (in GET) empty are all None.

    Where `query` is None there is a `document_id`: `sha256:` and a hash in hexadecimal digits,
    or any other name.
    """

    query: str | None
    variables: Mapping[str, object] | None = None
    operation_name: str | None = None
    extensions: Mapping[str, object] | None = None
    document_id: str | None = None


class RequestError(Exception):
    """An HTTP request that is no GraphQL request; `message` is meant for the client."""

    def __init__(
        self, status: int, message: str, code: str, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers


def parse_post(
    body: bytes, content_type: str | None, content_encoding: str | None = None
) -> GraphQLRequest:
    """Raises RequestError: 415 for what is not plain UTF-8 JSON, 400 for a wrong body."""
    if content_type != "application/json":
        _require_json(content_type)
    if content_encoding and content_encoding.strip().lower() != "identity":
        raise RequestError(
            415,
            "Compressed bodies are not accepted; send the JSON as it is.",
            "UNSUPPORTED_MEDIA_TYPE",
            ((b"accept-encoding", b"identity"),),
        )
    parameters = _loads(body, "The body")
    if isinstance(parameters, list):
        _refuse("Batches are not accepted; send one operation a request.")
    if not isinstance(parameters, dict):
        _refuse("The body must be a JSON object with the key `query`.")
    return _request(parameters, escaped_nul=b"\\u0000" in body)


def parse_get(query_string: bytes) -> GraphQLRequest:
    """`variables` and `extensions` are JSON texts. Raises RequestError 400."""
    try:
        pairs = parse_qsl(
            query_string.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_QUERY_STRING_FIELDS,
        )
    except UnicodeDecodeError:
        _refuse("The query string is not valid UTF-8.")
    except ValueError:
        _refuse("The query string has too many parameters.")
    parameters: dict[str, object] = {}
    for name, value in reversed(pairs):  # the first of two wins, as in URLSearchParams.get
        parameters[name] = value or None
    escaped_nul = False
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        if isinstance(text, str):
            parameters[name] = _loads(text.encode(), f"`{name}`")
            escaped_nul = escaped_nul or "\\u0000" in text
    return _request(parameters, escaped_nul=escaped_nul)


def _refuse(message: str, code: str = "BAD_REQUEST") -> NoReturn:
    raise RequestError(400, message, code)


def _require_json(content_type: str | None) -> None:
    headers = ((b"accept-post", b"application/json"),)
    media_type, _, rest = (content_type or "").partition(";")
    if media_type.strip().lower() != "application/json":
        message = "Send a JSON body with `Content-Type: application/json`."
        raise RequestError(415, message, "UNSUPPORTED_MEDIA_TYPE", headers)
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in {"utf-8", "utf8"}:
            message = "Only UTF-8 is accepted as the body's charset."
            raise RequestError(415, message, "UNSUPPORTED_MEDIA_TYPE", headers)


def _loads(text: bytes, what: str) -> object:
    if not text:
        _refuse(f"{what} is empty; a JSON object is expected.")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = f"{what} is not valid JSON: {error.msg} (byte {error.pos})."
    try:
        text.decode()
    except UnicodeDecodeError:
        reason = f"{what} is not valid UTF-8."
    _refuse(reason)


def _request(parameters: dict[str, object], *, escaped_nul: bool) -> GraphQLRequest:
    query = parameters.get("query")
    variables = parameters.get("variables")
    operation_name = parameters.get("operationName")
    extensions = parameters.get("extensions")
    if variables is not None and not isinstance(variables, dict):
        _refuse("`variables` must be a JSON object or null.")
    if extensions is not None and not isinstance(extensions, dict):
        _refuse("`extensions` must be a JSON object or null.")
    if operation_name is not None and not isinstance(operation_name, str):
        _refuse("`operationName` must be a string or null.")
    document_id = _document_id(parameters, extensions)
    if query in (None, "") and document_id is not None:
        query = None  # some clients send an empty text beside the hash
    elif not isinstance(query, str):
        _refuse("`query` is missing." if query is None else "`query` must be a string.")
    if escaped_nul and _holds_nul(variables):
        # No system of record stores it, and some answer it with a crash.
        _refuse("`variables` may not hold the character U+0000.", "BAD_USER_INPUT")
    return GraphQLRequest(query, variables, operation_name or None, extensions, document_id)


def _document_id(parameters: dict[str, object], extensions: dict[str, object] | None) -> str | None:
    """By `documentId`, by the extension of Apollo's clients, or by the names that Relay's use."""
    named = parameters.get("documentId")
    if named is None:
        named = _persisted_query((extensions or {}).get("persistedQuery"))
    if named is None and parameters.get("query") is None:
        # Beside a text they can mean anything.
        named = parameters.get("doc_id") or parameters.get("id")
    if named is not None and not isinstance(named, str):
        _refuse("The name of a document must be a string.")
    return named or None


def _persisted_query(told: object) -> str | None:
    if told is None:
        return None
    if not isinstance(told, dict) or told.get("version") != 1:
        _refuse("Unsupported persisted query version")  # this text is known to clients
    digest = told.get("sha256Hash")
    if not isinstance(digest, str) or not digest:
        _refuse("`extensions.persistedQuery.sha256Hash` must be a string.")
    return SHA256 + digest


def _holds_nul(value: object) -> bool:
    """Recursion is safe: the JSON parser has refused more than 1,024 levels."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds_nul(item) for item in value)
    return False
