"""The product catalogue: models, items and the files they show, grown from the ranges."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from uuid import UUID

from sandbox.seed import media, texts
from sandbox.seed.associations import associate
from sandbox.seed.ranges import RANGES, Range
from sandbox.seed.values import ValueBook, Values
from sandbox.world import Item, MediaFile, Model

EXAMPLE_SKU = "VIS-HEX-M8X40-A2"
EXAMPLE_CATEGORY = "screws"
_CENT = Decimal("0.01")
_SHOWN = frozenset({"VIS-HEX", "ECR-HEX", "RON-PLA", "CLE-CHROME", "VIS-CHC"})
"Ranges of the example's story: translated in full and never disabled."


@dataclass(slots=True)
class Catalog:
    """The catalogue while it grows."""

    now: datetime
    rng: Random
    book: ValueBook = field(default_factory=ValueBook)
    models: dict[str, Model] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    media: dict[str, MediaFile] = field(default_factory=dict)

    def keep(self, file: MediaFile) -> str:
        self.media[file.code] = file
        return file.code


@dataclass(frozen=True, slots=True)
class _Spot:
    """One point of a range's grid."""

    sold: Range
    dims: dict[str, str]
    growth: int
    group: str
    "The code of its model, or a like key for products without one."


def grow(rng: Random, now: datetime) -> Catalog:
    catalog = Catalog(now, rng)
    for number, sold in enumerate(RANGES):
        pictures = _pictures(catalog, sold, hue=number * 37 % 360)
        shared: dict[str, Values] = {}
        for spot in _spots(sold):
            if spot.group not in shared:
                shared[spot.group] = _shared_values(catalog, spot, pictures)
            common = shared[spot.group]
            if sold.axes:
                common = _model(catalog, spot, common)
            catalog.items.append(_item(catalog, spot, common))
    catalog.items = associate(catalog.items, rng)
    return catalog


def _spots(sold: Range) -> Iterator[_Spot]:
    for combination in product(*(enumerate(values) for values in sold.dims.values())):
        dims = {dim: value for dim, (_, value) in zip(sold.dims, combination, strict=True)}
        codes = {dim: value.replace("/", "") for dim, value in dims.items()}
        group = sold.model.format_map(codes) if sold.axes else f"{_stem(sold)}-{combination[0][1]}"
        yield _Spot(sold, dims, sum(index for index, _ in combination), group)


def _stem(sold: Range) -> str:
    return sold.sku.split("-{", 1)[0]


def _pictures(catalog: Catalog, sold: Range, hue: int) -> tuple[str, str]:
    stem, title = _stem(sold).lower(), sold.names.en.split("{", 1)[0].strip(" ,Ø")
    photo = media.media_file(f"{stem}.png", "image/png", media.png(hue))
    drawing = media.media_file(f"{stem}.svg", "image/svg+xml", media.svg(title, hue))
    return catalog.keep(photo), catalog.keep(drawing)


def _is_shown(group: str) -> bool:
    return any(group.startswith(stem) for stem in _SHOWN)


def _shared_values(catalog: Catalog, spot: _Spot, pictures: tuple[str, str]) -> Values:
    """The values of all products of one group: its model's, when it has one."""
    sold, rng, book = spot.sold, catalog.rng, catalog.book
    axes = sold.axes or tuple(sold.dims)[1:]
    fixed = {dim: value for dim, value in spot.dims.items() if dim not in axes}
    shown = _is_shown(spot.group)
    names = texts.model_name(sold, fixed, texts.locales(rng, complete=shown))
    lines = (f"Norme / standard: {sold.norm or '-'}", f"Gamme / range: {spot.group}")
    sheet = media.pdf(names["fr_FR"], lines)
    file = media.media_file(f"{spot.group.lower()}.pdf", "application/pdf", sheet)
    return {
        "model_name": texts.localized(names),
        "description": texts.descriptions(names, sold.norm, rng, complete=shown),
        **book.common(sold, rng, (*pictures, catalog.keep(file))),
        **book.dimensions(sold.family, fixed),
    }


def _model(catalog: Catalog, spot: _Spot, common: Values) -> Values:
    """Keeps the model of `spot`, and its sub-model; answers the values its variants inherit."""
    sold, code = spot.sold, spot.group
    if code not in catalog.models:
        catalog.models[code] = Model(code, sold.family, (sold.category,), common)
    if not sold.submodel:
        return common
    level = sold.submodel.format_map(spot.dims)
    if level not in catalog.models:
        first = {sold.axes[0]: spot.dims[sold.axes[0]]}
        values = common | catalog.book.dimensions(sold.family, first)
        catalog.models[level] = Model(level, sold.family, (sold.category,), values, code)
    return catalog.models[level].values


def _item(catalog: Catalog, spot: _Spot, common: Values) -> Item:
    sold, rng, index = spot.sold, catalog.rng, len(catalog.items)
    codes = {dim: value.replace("/", "") for dim, value in spot.dims.items()}
    sku, shown = sold.sku.format_map(codes), _is_shown(spot.group)
    names = texts.product_name(sold, spot.dims, texts.locales(rng, complete=shown))
    price = Decimal(sold.price * (1 + sold.growth) ** spot.growth).quantize(_CENT)
    created = catalog.now - timedelta(days=rng.randint(220, 1200), seconds=rng.randint(0, 86_000))
    own = catalog.book.own(spot.sold, sku, _gtin(index), price, spot.growth)
    own["name"] = texts.localized(names)
    own["available_since"] = catalog.book.plain(created.date().isoformat())
    clearance = ("clearance",) if not shown and rng.random() < 0.04 else ()  # noqa: PLR2004
    return Item(
        index=index,
        sku=sku,
        uuid=str(UUID(int=rng.getrandbits(128), version=4)),
        gtin=_gtin(index),
        name=names,
        brand=str(common["brand"][0].data),
        family=sold.family,
        model=_parent(spot),
        categories=(sold.category, *clearance),
        enabled=shown or rng.random() > 0.03,  # noqa: PLR2004 - the share withdrawn
        values=common | own | catalog.book.dimensions(sold.family, spot.dims),
        associations={},
        created=created,
        updated=catalog.now - timedelta(days=rng.randint(0, 200), seconds=rng.randint(0, 86_000)),
        list_price=price,
        cost=(price * Decimal("0.62")).quantize(_CENT),
        unit=sold.unit,
        erp_id=10_000 + index,
        template_id=50_000 + index,
        lead_time_days=sold.lead_time_days,
        tracked=not sold.made_to_order,
    )


def _parent(spot: _Spot) -> str | None:
    if not spot.sold.axes:
        return None
    return spot.sold.submodel.format_map(spot.dims) or spot.group


def _gtin(index: int) -> str:
    """An EAN-13 of a French prefix with its check digit."""
    digits = f"37600{index:07d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"
