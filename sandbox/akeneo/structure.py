"""The catalogue's structure as the PIM writes it: families, attributes, options and so on."""

from typing import Any

from sandbox.akeneo import settings
from sandbox.akeneo.catalog import Catalog
from sandbox.seed.attributes import VARIANT_LEVEL
from sandbox.world import Attribute, Family, MediaFile, World

Row = dict[str, Any]
_NULLS = (
    "reference_data_name", "max_characters", "validation_rule", "validation_regexp", "number_min",
    "number_max", "date_min", "date_max", "max_file_size", "minimum_input_length",
    "decimal_places_strategy", "decimal_places", "default_value",
)  # fmt: skip
_EXTENSIONS = {"pim_catalog_image": ["png", "svg"], "pim_catalog_file": ["pdf"]}


def attribute(row: Attribute, place: int) -> Row:
    described: Row = {
        "code": row.code,
        "type": row.type,
        "group": row.group,
        "group_labels": settings.GROUPS[row.group],
        "unique": row.type == "pim_catalog_identifier",
        "useable_as_grid_filter": True,
        "allowed_extensions": _EXTENSIONS.get(row.type, []),
        "metric_family": row.metric_family,
        "default_metric_unit": row.unit,
        "available_locales": [],
        "wysiwyg_enabled": False if row.type == "pim_catalog_textarea" else None,
        "decimals_allowed": row.metric_family is not None,
        "negative_allowed": row.metric_family == "Temperature",
        "sort_order": place,
        "localizable": row.localizable,
        "scopable": row.scopable,
        "labels": row.labels,
        "guidelines": {},
        "auto_option_sorting": False if row.options else None,
        "is_mandatory": row.code == settings.IDENTIFIER,
        "is_read_only": None,
        **dict.fromkeys(_NULLS),
    }
    if row.type == "pim_catalog_identifier":
        described["is_main_identifier"] = row.code == settings.IDENTIFIER
    if row.table_columns:
        described["table_configuration"] = [_column(code) for code in row.table_columns]
    return described


def _column(code: str) -> Row:
    first = code == "characteristic"
    column: Row = {
        "code": code,
        "data_type": "select" if first else "text",
        "labels": settings.TABLE_COLUMNS[code],
        "validations": {},
        "is_required_for_completeness": first,
    }
    return column


def with_table_options(described: Row) -> Row:
    """The attribute with the options of its table's select columns."""
    if "table_configuration" not in described:
        return described
    options = [{"code": code, "labels": labels} for code, labels in settings.TABLE_CHOICES.items()]
    columns = [
        {**column, "options": options} if column["data_type"] == "select" else column
        for column in described["table_configuration"]
    ]
    return {**described, "table_configuration": columns}


def options(row: Attribute) -> list[Row]:
    return [
        {"code": code, "attribute": row.code, "sort_order": place, "labels": labels}
        for place, (code, labels) in enumerate(row.options.items(), start=1)
    ]


def family(row: Family) -> Row:
    return {
        "code": row.code,
        "attributes": sorted(row.attributes),
        "attribute_as_label": "name",
        "attribute_as_image": "image",
        "attribute_requirements": {
            channel.code: list(channel.required) for channel in settings.CHANNELS.values()
        },
        "labels": row.labels,
        "parent": None,
    }


def variants(row: Family, catalog: Catalog) -> list[Row]:
    """The family's one way to vary; none without axes."""
    if not row.axes:
        return []
    levels = [(axis,) for axis in row.axes] if catalog.has_sub_models(row.code) else [row.axes]
    own = [code for code in VARIANT_LEVEL if code in row.attributes]
    sets = [
        {
            "level": level,
            "axes": list(axes),
            "attributes": [*axes, *(own if level == len(levels) else ())],
        }
        for level, axes in enumerate(levels, start=1)
    ]
    varying = {*row.axes, *own}
    return [
        {
            "code": catalog.variant_code(row.code),
            "labels": row.labels,
            "common_attributes": [code for code in row.attributes if code not in varying],
            "variant_attribute_sets": sets,
        }
    ]


def categories(world: World) -> list[Row]:
    """In the order of the tree, with positions among siblings."""
    positions: dict[str | None, int] = {}
    rows = []
    for row in world.categories:
        positions[row.parent] = positions.get(row.parent, 0) + 1
        rows.append(
            {
                "code": row.code,
                "parent": row.parent,
                "updated": world.now.isoformat(timespec="seconds"),
                "position": positions[row.parent],
                "labels": row.labels,
                "values": {},
                "channel_requirements": list(settings.CHANNELS),
            }
        )
    return rows


def groups(world: World) -> list[Row]:
    return [
        {
            "code": code,
            "sort_order": place,
            "attributes": [row.code for row in world.attributes if row.group == code],
            "labels": labels,
        }
        for place, (code, labels) in enumerate(settings.GROUPS.items(), start=1)
    ]


def association_types() -> list[Row]:
    return [
        {"code": code, "labels": labels, "is_quantified": False, "is_two_way": False}
        for code, labels in settings.ASSOCIATION_TYPES.items()
    ]


def channels() -> list[Row]:
    return [
        {
            "code": channel.code,
            "currencies": list(channel.currencies),
            "locales": list(channel.locales),
            "category_tree": channel.category_tree,
            "conversion_units": {},
            "labels": channel.labels,
        }
        for channel in settings.CHANNELS.values()
    ]


def locales() -> list[Row]:
    return [{"code": code, "enabled": enabled} for code, enabled in settings.LOCALES.items()]


def currencies() -> list[Row]:
    return [
        {"code": code, "enabled": enabled, "label": label}
        for code, (enabled, label) in settings.CURRENCIES.items()
    ]


def media(file: MediaFile) -> Row:
    return {
        "code": file.code,
        "original_filename": file.filename,
        "mime_type": file.mime_type,
        "size": len(file.body),
        "extension": file.filename.rpartition(".")[2],
    }
