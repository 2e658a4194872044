"""The world's products and models, indexed as the PIM's searches need them."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.akeneo import settings
from sandbox.world import Attribute, Item, Model, Value, World


@dataclass(frozen=True, slots=True)
class Entity:
    """What a search looks at, of a product or a model alike."""

    key: str
    "The product's uuid or the model's code."
    family: str
    parent: str | None
    ancestors: frozenset[str]
    categories: tuple[str, ...]
    values: dict[str, tuple[Value, ...]]
    created: datetime
    updated: datetime
    enabled: bool
    item: Item | None
    model: Model | None


class Catalog:
    def __init__(self, world: World) -> None:
        self.now = world.now
        self.attributes: dict[str, Attribute] = {row.code: row for row in world.attributes}
        self.families = {row.code: row for row in world.families}
        self.models_by_code = {row.code: row for row in world.models}
        self.uuids = {item.sku: item.uuid for item in world.items}
        self.products = [self._product(item) for item in world.items]
        self.models = [self._model(model) for model in world.models]
        self.by_key = {row.key: row for row in (*self.products, *self.models)}
        self.by_sku = {row.item.sku: row for row in self.products if row.item}
        self.children: dict[str, set[str]] = {}
        for category in world.categories:
            self.children.setdefault(category.code, set())
            if category.parent is not None:
                self.children.setdefault(category.parent, set()).add(category.code)

    def root_of(self, model: str) -> str:
        return self.models_by_code[model].parent or model

    def variant_code(self, family: str) -> str:
        """The family variant of a family: one each, named by its axes."""
        return f"{family}_by_{'_'.join(self.families[family].axes)}"

    def has_sub_models(self, family: str) -> bool:
        return any(
            model.parent and model.family == family for model in self.models_by_code.values()
        )

    def descendants(self, codes: list[str]) -> set[str]:
        """These categories and all below them."""
        found: set[str] = set()
        waiting = list(codes)
        while waiting:
            code = waiting.pop()
            if code not in found:
                found.add(code)
                waiting += self.children[code]
        return found

    def _product(self, item: Item) -> Entity:
        lineage = frozenset({item.model, self.root_of(item.model)} if item.model else ())
        return Entity(
            item.uuid, item.family, item.model, lineage, item.categories, item.values,
            item.created, item.updated, item.enabled, item, None,
        )  # fmt: skip

    def _model(self, model: Model) -> Entity:
        moments = [
            row.created for row in self.products if model.code in row.ancestors
        ]  # a model is as old as its oldest variant, and touched with its newest
        lineage = frozenset({model.parent} if model.parent else ())
        return Entity(
            model.code, model.family, model.parent, lineage, model.categories, model.values,
            min(moments), max(moments), True, None, model,  # noqa: FBT003
        )  # fmt: skip


def completenesses(entity: Entity) -> list[dict[str, object]]:
    """Per channel and locale, the percentage of required attributes that have a value."""
    rows: list[dict[str, object]] = []
    for channel in settings.CHANNELS.values():
        for locale in channel.locales:
            filled = sum(_filled(entity, code, channel.code, locale) for code in channel.required)
            share = 100 * filled // len(channel.required)
            rows.append({"scope": channel.code, "locale": locale, "data": share})
    return rows


def _filled(entity: Entity, code: str, scope: str, locale: str) -> bool:
    return any(
        value.locale in {None, locale} and value.scope in {None, scope}
        for value in entity.values.get(code, ())
    )


def scores(entity: Entity) -> list[dict[str, object]]:
    """A quality score that follows completeness."""
    return [{**row, "data": "EDCBA"[int(str(row["data"])) // 25]} for row in completenesses(entity)]
