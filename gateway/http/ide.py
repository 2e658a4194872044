"""The page at `/`: an editor for queries, with ready tabs. Owns its routes, policy and caching.

What the page needs to know of the gateway it reads from `ide/config.json`; the API itself,
the keys and the examples come from outside.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike, stat_result
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.types import Scope

BUILT = Path(__file__).parents[1] / "static" / "ide"
FALLBACK = Path(__file__).parent / "ide_fallback"
QUERIES = Path(__file__).parent / "queries"

Endpoint = Callable[[Request], Awaitable[Response]]

CDN = "https://cdn.jsdelivr.net"

# What a policy can name: browsers know no IPv6 addresses there. Without TLS only this computer:
# elsewhere browsers refuse the cryptography that a login needs.
_ISSUER = re.compile(
    r"((?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?)(?:/[!-~]*)?"
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A ready query of the page."""

    title: str
    query: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """The OpenID provider that people log in with, and the page's public client there.

    The client needs the page's own address as redirect URI, for logging out as well. `resource`
    (RFC 8707) or `audience` names the API where a provider wants that. Raises ValueError for an
    issuer that a browser would not let the page ask.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ("openid", "profile")
    resource: str | None = None
    audience: str | None = None

    def __post_init__(self) -> None:
        _ = self.origin

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer: all that the page may ask but the gateway."""
        found = _ISSUER.fullmatch(self.issuer)
        if found is None:
            raise ValueError("the issuer needs https, or http on 127.0.0.1 or localhost")
        return found[1]


@dataclass(frozen=True, slots=True)
class IdeConfiguration:
    """What the page is told; every visitor can read it.

    `headers` go with every query until the visitor logs in or gives a key.
    """

    tabs: tuple[Tab, ...]
    graphql: str = "graphql"
    headers: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    title: str
    file: str
    variables: Mapping[str, str]


# Variable of the query -> name of the example that fills it.
_READY = (
    _Ready("Product page", "product", {"sku": "sku"}),
    _Ready("Listing", "listing", {"category": "category"}),
    _Ready("Order history", "order-history", {"customer": "customer"}),
    _Ready("Tracking", "tracking", {"trackingNumber": "trackingNumber"}),
)


def storefront_query(name: str) -> str:
    """The text of a ready query: product, listing, order-history, tracking or storefront."""
    return (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")


def storefront_tabs(examples: Mapping[str, str]) -> tuple[Tab, ...]:
    """The four storefront pages as tabs; `examples` as in `var/demo.json`, a missing one is empty."""
    return tuple(
        Tab(
            title=ready.title,
            query=storefront_query(ready.file),
            variables={name: examples.get(key, "") for name, key in ready.variables.items()},
        )
        for ready in _READY
    )


def ide_routes(
    configuration: Callable[[], IdeConfiguration], *, built: Path = BUILT
) -> list[BaseRoute]:
    """Routes of the page. Where `built` holds no page, one that loads pinned CDN files is served."""
    is_built = (built / "index.html").is_file()
    page = _built_page(built, configuration) if is_built else _fallback_page()
    return [*page, Route("/ide/config.json", _configuration_endpoint(configuration))]


def _policy(*, scripts: str = "'self'", peers: str = "'self'") -> dict[str, str]:
    # 'unsafe-inline' is for styles only: Monaco positions every line by a style attribute.
    directives = (
        "default-src 'none'",
        f"script-src {scripts}",
        f"style-src {scripts} 'unsafe-inline'",
        "img-src 'self' data:",
        f"font-src {scripts} data:",
        f"connect-src {peers}",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "content-security-policy": "; ".join(directives),
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
    }


def _policy_for(configuration: IdeConfiguration) -> dict[str, str]:
    login = configuration.login
    return _policy(peers="'self'" if login is None else f"'self' {login.origin}")


def _file_endpoint(
    path: Path, headers: Callable[[], Mapping[str, str]] = dict[str, str]
) -> Endpoint:
    async def endpoint(_request: Request) -> FileResponse:
        # Asked again each time: it names the hashed files of the build that is there now.
        return FileResponse(path, headers={"cache-control": "no-cache", **headers()})

    return endpoint


def _configuration_endpoint(configuration: Callable[[], IdeConfiguration]) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return Response(
            msgspec.json.encode(configuration()),
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )

    return endpoint


def _built_page(built: Path, configuration: Callable[[], IdeConfiguration]) -> list[BaseRoute]:
    page = _file_endpoint(built / "index.html", lambda: _policy_for(configuration()))
    return [
        Route("/", page),
        Route("/favicon.svg", _file_endpoint(built / "favicon.svg")),
        Mount("/assets", HashedFiles(directory=built / "assets")),
    ]


def _fallback_page() -> list[BaseRoute]:
    page = _file_endpoint(FALLBACK / "index.html", lambda: _policy(scripts=f"'self' {CDN}"))
    return [
        Route("/", page),
        Route("/favicon.svg", _file_endpoint(FALLBACK / "favicon.svg")),
        Route("/ide/start.js", _file_endpoint(FALLBACK / "start.js")),
    ]


class HashedFiles(StaticFiles):
    """Files whose names change with their content: kept for ever, and sent compressed if built so."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: "Scope",
        status_code: int = 200,
    ) -> Response:
        packed = Path(f"{full_path}.gz")
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if not (takes_gzip and packed.is_file()):
            return self._kept(super().file_response(full_path, stat_result, scope, status_code))
        response = super().file_response(packed, packed.stat(), scope, status_code)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-type"] = FileResponse(full_path).headers["content-type"]
        return self._kept(response)

    @staticmethod
    def _kept(response: Response) -> Response:
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["vary"] = "accept-encoding"
        return response
