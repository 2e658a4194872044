"""Products and product models: searched, paged and written out."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.akeneo import conditions, paging, properties, settings, values
from sandbox.akeneo.answers import Refusal, answer, missing
from sandbox.akeneo.catalog import Catalog, Entity, completenesses, scores
from sandbox.akeneo.grammar import Condition, Predicate, parsed
from sandbox.akeneo.values import View

_MOST_KEPT = 8192
"Documents kept rendered, all views together."


class Products:
    """Endpoints of products and models. `url` is the API's root."""

    def __init__(self, catalog: Catalog, url: str, most_kept: int = _MOST_KEPT) -> None:
        self._catalog = catalog
        self._url = url
        self._most_kept = most_kept
        self._kept: dict[tuple[str, View], orjson.Fragment] = {}

    async def listed(self, request: Request) -> Response:
        return self._list(request.query_params, request.query_params, "products-uuid")

    async def searched(self, request: Request) -> Response:
        """The search by POST: filters and views in the body, pages in the query."""
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            raise Refusal(400, "Invalid JSON message received") from None
        if not isinstance(body, dict):
            raise Refusal(400, "Invalid JSON message received")
        return self._list(request.query_params, body, "products-uuid/search")

    async def models(self, request: Request) -> Response:
        return self._list(request.query_params, request.query_params, "product-models")

    async def one(self, request: Request) -> Response:
        return self._single(self._catalog.by_key.get(request.path_params["uuid"]), request)

    async def one_model(self, request: Request) -> Response:
        return self._single(self._catalog.by_key.get(request.path_params["code"]), request)

    def _single(self, entity: Entity | None, request: Request) -> Response:
        key = next(iter(request.path_params.values()))
        if entity is None or (entity.item is None) is ("uuid" in request.path_params):
            raise missing(key)
        view = values.asked(request.query_params, self._catalog.attributes)
        return answer(self._document(entity, view, linked=False))

    def _list(self, query: Mapping[str, str], filters: Mapping[str, Any], path: str) -> Response:
        catalog = self._catalog
        page = paging.asked(f"{self._url}/{path}", query, cursors=True)
        view = values.asked(filters, catalog.attributes)
        searched = parsed(
            filters.get("search"), filters.get("search_locale"), filters.get("search_scope")
        )
        rows = catalog.models if path == "product-models" else self._narrowed(searched)
        for holds in self._predicates(searched, filters):
            rows = [row for row in rows if holds(row)]
        return answer(
            paging.hal(page, rows, lambda row: self._rendered(row, view), lambda row: row.key)
        )

    def _narrowed(self, searched: list[Condition]) -> Sequence[Entity]:
        """All products; or fewer, where the main identifiers are listed. Their order is kept."""
        for condition in searched:
            if condition.name == settings.IDENTIFIER and condition.operator == "IN":
                found = {
                    row.key: row
                    for sku in condition.strings()
                    if (row := self._catalog.by_sku.get(sku))
                }
                return sorted(found.values(), key=lambda row: row.item.index if row.item else 0)
        return self._catalog.products

    def _predicates(self, searched: list[Condition], filters: Mapping[str, Any]) -> list[Predicate]:
        catalog = self._catalog
        found = []
        for condition in searched:
            holds = properties.predicate(condition, catalog)
            if holds is None:
                attribute = catalog.attributes.get(condition.name)
                if attribute is None:
                    raise condition.unsupported()
                holds = conditions.predicate(_placed(condition, filters, attribute), attribute)
            found.append(holds)
        if scope := filters.get("scope"):
            tree = catalog.descendants([settings.CHANNELS[scope].category_tree])
            found.append(lambda row: not tree.isdisjoint(row.categories))
        return found

    def _rendered(self, entity: Entity, view: View) -> orjson.Fragment:
        key = (entity.key, view)
        if (kept := self._kept.get(key)) is None:
            if len(self._kept) >= self._most_kept:
                self._kept.clear()
            kept = orjson.Fragment(orjson.dumps(self._document(entity, view, linked=True)))
            self._kept[key] = kept
        return kept

    def _document(self, entity: Entity, view: View, *, linked: bool) -> dict[str, Any]:
        path = "products-uuid" if entity.item else "product-models"
        links = {"_links": {"self": {"href": f"{self._url}/{path}/{entity.key}"}}} if linked else {}
        shown = values.rendered(entity.values, view, self._catalog.attributes, self._url)
        document = {
            **links,
            **(self._product(entity) if entity.item else self._model(entity)),
            "values": shown,
            "created": entity.created.isoformat(timespec="seconds"),
            "updated": entity.updated.isoformat(timespec="seconds"),
            "associations": self._associations(entity),
            "quantified_associations": {},
        }
        if view.with_scores:
            document["quality_scores"] = scores(entity)
        if view.with_completenesses and entity.item:
            document["completenesses"] = completenesses(entity)
        return document

    def _product(self, entity: Entity) -> dict[str, Any]:
        parent = entity.parent
        return {
            "uuid": entity.key,
            "enabled": entity.enabled,
            "family": entity.family,
            "categories": entity.categories,
            "groups": [],
            "parent": parent,
            "root_parent": self._catalog.root_of(parent) if parent else None,
        }

    def _model(self, entity: Entity) -> dict[str, Any]:
        return {
            "code": entity.key,
            "family": entity.family,
            "family_variant": self._catalog.variant_code(entity.family),
            "parent": entity.parent,
            "categories": entity.categories,
        }

    def _associations(self, entity: Entity) -> dict[str, Any]:
        """Every type is told, those without products too."""
        held = entity.item.associations if entity.item else {}
        uuids = self._catalog.uuids
        return {
            kind: {
                "products": [uuids[sku] for sku in held.get(kind, ())],
                "product_models": [],
                "groups": [],
            }
            for kind in settings.ASSOCIATION_TYPES
        }


def _placed(condition: Condition, filters: Mapping[str, Any], attribute: Any) -> Condition:
    """`search_locale` and `search_scope` say nothing to attributes that have neither."""
    by_default = filters.get("search_locale"), filters.get("search_scope")
    locale, scope = condition.locale, condition.scope
    if not attribute.localizable and locale == by_default[0]:
        locale = None
    if not attribute.scopable and scope == by_default[1]:
        scope = None
    return Condition(condition.name, condition.operator, condition.value, locale, scope)
