"""Where clients learn whose tokens this API accepts (RFC 9728)."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """`root` is the gateway's public root without a slash at its end, `path` that of GraphQL."""

    root: str
    issuers: Sequence[str]
    scopes: Sequence[str]
    path: str = "/graphql"

    @property
    def address(self) -> str:
        """Of the metadata, to be told in challenges."""
        return f"{self.root}{WELL_KNOWN}{self.path}"

    def routes(self) -> list[Route]:
        """The metadata of the endpoint, and those of the whole host: §3.3 has a client compare."""
        return [
            _route(WELL_KNOWN, self._document(self.root)),
            _route(f"{WELL_KNOWN}{self.path}", self._document(f"{self.root}{self.path}")),
        ]

    def _document(self, resource: str) -> bytes:
        return orjson.dumps(
            {
                "resource": resource,
                "authorization_servers": list(self.issuers),
                "scopes_supported": sorted(self.scopes),
                "bearer_methods_supported": ["header"],
            }
        )


def _route(path: str, document: bytes) -> Route:
    async def told(_: Request) -> Response:
        headers = {"cache-control": "public, max-age=300"}
        return Response(document, media_type="application/json", headers=headers)

    return Route(path, told, methods=["GET"])
