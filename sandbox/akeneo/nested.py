"""Lists below another entity (variants of a family, options of an attribute), and files."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.akeneo import paging, structure
from sandbox.akeneo.answers import Refusal, answer, missing
from sandbox.akeneo.catalog import Catalog
from sandbox.akeneo.shelves import DATED, Shelf
from sandbox.akeneo.structure import Row
from sandbox.world import World


class Families:
    def __init__(self, world: World, catalog: Catalog) -> None:
        self.shelf = Shelf(
            "families",
            [structure.family(row) for row in world.families],
            world.now,
            DATED,
        )
        self._variants = {
            row.code: Shelf(
                f"families/{row.code}/variants", structure.variants(row, catalog), world.now
            )
            for row in world.families
        }

    def below(self, code: str) -> Shelf:
        if (shelf := self._variants.get(code)) is None:
            raise missing(code)
        return shelf


class Attributes:
    def __init__(self, world: World) -> None:
        self.shelf = Shelf(
            "attributes",
            [structure.attribute(row, place) for place, row in enumerate(world.attributes)],
            world.now,
            DATED | {"type": {"IN"}},
            _with_table_options,
        )
        self._options = {
            row.code: Shelf(f"attributes/{row.code}/options", structure.options(row), world.now)
            for row in world.attributes
        }
        self._types = {row.code: row.type for row in world.attributes}

    def below(self, code: str) -> Shelf:
        if (shelf := self._options.get(code)) is None:
            raise Refusal(404, f'Attribute "{code}" does not exist.')
        if not self._types[code].endswith("select"):
            message = (
                f'Attribute "{code}" does not support options. Only attributes of type'
                ' "pim_catalog_simpleselect", "pim_catalog_multiselect" support options.'
            )
            raise Refusal(404, message)
        return shelf


def _with_table_options(row: Row, query: Mapping[str, str]) -> Row:
    asked = paging.flag(query.get("with_table_select_options"))
    return structure.with_table_options(row) if asked else row


class Below:
    """The endpoints of the lists below `parents`."""

    def __init__(self, parents: Families | Attributes, url: str) -> None:
        self._parents = parents
        self._url = url

    async def listed(self, request: Request) -> Response:
        shelf = self._parents.below(request.path_params["parent"])
        return shelf.listed(self._url, request.query_params)

    async def one(self, request: Request) -> Response:
        shelf = self._parents.below(request.path_params["parent"])
        return shelf.one(request.path_params["code"], request.query_params)


class Media:
    """Files, whose codes are paths."""

    def __init__(self, world: World, url: str) -> None:
        self._files = world.media
        self._url = f"{url}/media-files"

    async def listed(self, request: Request) -> Response:
        page = paging.asked(self._url, request.query_params)
        rows = [structure.media(file) for file in self._files.values()]
        return answer(paging.hal(page, rows, self._linked))

    async def one(self, request: Request) -> Response:
        code = request.path_params["code"]
        if (file := self._files.get(code)) is None:
            raise missing(code)
        described = structure.media(file)
        download = {"href": f"{self._url}/{quote(code)}/download"}
        return answer({**described, "_links": {"download": download}})

    async def download(self, request: Request) -> Response:
        code = request.path_params["code"]
        if (file := self._files.get(code)) is None:
            raise missing(code)
        name = {"content-disposition": f'attachment; filename="{file.filename}"'}
        return Response(file.body, headers=name, media_type=file.mime_type)

    def _linked(self, row: Row) -> Row:
        href = f"{self._url}/{quote(row['code'])}"
        return {
            "_links": {"self": {"href": href}, "download": {"href": f"{href}/download"}},
            **row,
        }
