"""A request that is refused before the GraphQL endpoint, answered as the endpoint would."""

import orjson
from starlette.types import Scope, Send

from gateway.execution.errors import plain_entry
from gateway.http.incoming import header_text, request_id_of
from gateway.http.negotiation import MediaType, negotiate
from gateway.http.responses import NO_STORE, Header, send_whole
from gateway.operations.request import RequestError


async def send_refusal(scope: Scope, send: Send, error: RequestError, *headers: Header) -> None:
    entry = plain_entry(error.message, error.code, request_id_of(scope))
    media_type = negotiate(header_text(scope, b"accept") or "") or MediaType.JSON
    told = ((b"content-type", media_type.value), NO_STORE, *headers, *error.headers)
    body = orjson.dumps({"errors": [entry]})
    await send_whole(send, error.status, body, told, head=scope["method"] == "HEAD")
