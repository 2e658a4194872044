"""The PIM's paths."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from sandbox.akeneo import measures, paging, structure
from sandbox.akeneo.answers import Refusal, answer
from sandbox.akeneo.catalog import Catalog
from sandbox.akeneo.gate import Gate, limited
from sandbox.akeneo.nested import Attributes, Below, Families, Media
from sandbox.akeneo.products import Products
from sandbox.akeneo.shelves import CODE, DATED, Endpoints, Shelf
from sandbox.akeneo.structure import Row
from sandbox.akeneo.tokens import Clock, Tokens
from sandbox.world import World

_ROOT = "/api/rest/v1"


def app(world: World, base_url: str, clock: Clock | None = None) -> ASGIApp:
    """The PIM at `base_url`, its own root, which every link starts with."""
    tokens = Tokens(clock) if clock else Tokens()
    gate, catalog = Gate(tokens), Catalog(world)
    url = base_url.rstrip("/") + _ROOT
    routes = [
        *_products(gate, Products(catalog, url)),
        Route("/api/oauth/v1/token", gate.unguarded(tokens.token), methods=["POST"]),
        *_nested(gate, Attributes(world), "options", url),
        *_nested(gate, Families(world, catalog), "variants", url),
        *_media(gate, Media(world, url)),
        *(route for shelf in _shelves(world) for route in _shelf_routes(gate, shelf, url)),
        *_plain(gate, base_url),
    ]
    errors = {404: _nowhere, 405: _not_so}
    return limited(Starlette(routes=routes, exception_handlers=errors))


def _products(gate: Gate, products: Products) -> list[BaseRoute]:
    return [
        Route(f"{_ROOT}/products-uuid/search", gate.opened(products.searched), methods=["POST"]),
        Route(f"{_ROOT}/products-uuid", gate.opened(products.listed), methods=["GET"]),
        Route(f"{_ROOT}/products-uuid/{{uuid}}", gate.opened(products.one), methods=["GET"]),
        Route(f"{_ROOT}/product-models", gate.opened(products.models), methods=["GET"]),
        Route(f"{_ROOT}/product-models/{{code}}", gate.opened(products.one_model), methods=["GET"]),
    ]


def _shelf_routes(gate: Gate, shelf: Shelf, url: str) -> list[BaseRoute]:
    endpoints = Endpoints(shelf, url)
    return [
        Route(f"{_ROOT}/{shelf.path}", gate.opened(endpoints.listed), methods=["GET"]),
        Route(f"{_ROOT}/{shelf.path}/{{code}}", gate.opened(endpoints.one), methods=["GET"]),
    ]


def _shelves(world: World) -> list[Shelf]:
    now = world.now
    enabled = {"enabled": {"="}}
    roots = DATED | {"parent": {"="}, "is_root": {"="}}
    return [
        Shelf("categories", structure.categories(world), now, roots, _with_position),
        Shelf("attribute-groups", structure.groups(world), now, DATED),
        Shelf("association-types", structure.association_types(), now),
        Shelf("channels", structure.channels(), now),
        Shelf("locales", structure.locales(), now, enabled),
        Shelf("currencies", structure.currencies(), now, enabled | CODE),
    ]


def _with_position(row: Row, query: Mapping[str, str]) -> Row:
    if paging.flag(query.get("with_position")):
        return row
    return {name: value for name, value in row.items() if name != "position"}


def _nested(gate: Gate, parents: Families | Attributes, name: str, url: str) -> list[BaseRoute]:
    below, path = Below(parents, url), f"{_ROOT}/{parents.shelf.path}/{{parent}}/{name}"
    return [
        Route(path, gate.opened(below.listed), methods=["GET"]),
        Route(f"{path}/{{code}}", gate.opened(below.one), methods=["GET"]),
        *_shelf_routes(gate, parents.shelf, url),
    ]


def _media(gate: Gate, media: Media) -> list[BaseRoute]:
    path, download = f"{_ROOT}/media-files", gate.opened(media.download, binary=True)
    return [
        Route(f"{path}/{{code:path}}/download", download, methods=["GET"]),
        Route(f"{path}/{{code:path}}", gate.opened(media.one), methods=["GET"]),
        Route(path, gate.opened(media.listed), methods=["GET"]),
    ]


def _plain(gate: Gate, base_url: str) -> list[BaseRoute]:
    async def measurement_families(_: Request) -> Response:
        return answer(measures.families())

    async def system_information(_: Request) -> Response:
        return answer({"version": "20261101000000", "edition": "Serenity"})

    async def root(_: Request) -> Response:
        token = {"route": "/api/oauth/v1/token", "methods": ["POST"]}
        routes = {"pim_api_product_uuid_list": {"route": f"{_ROOT}/products-uuid",
                                                "methods": ["GET"]}}  # fmt: skip
        authentication = {"fos_oauth_server_token": token}
        return answer({"host": base_url, "authentication": authentication, "routes": routes})

    return [
        Route(f"{_ROOT}/measurement-families", gate.opened(measurement_families), methods=["GET"]),
        Route(f"{_ROOT}/system-information", gate.opened(system_information), methods=["GET"]),
        Route(_ROOT, root, methods=["GET"]),
    ]


async def _nowhere(request: Request, _: Exception) -> Response:
    return Refusal(404, f'No route found for "{request.method} {request.url.path}"').response()


async def _not_so(request: Request, _: Exception) -> Response:
    message = f'No route found for "{request.method} {request.url.path}": Method Not Allowed'
    return Refusal(405, message).response()
