"""Attribute values as the PIM sends them, and the views (channel, locales, attributes) on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.akeneo import settings
from sandbox.akeneo.answers import unprocessable
from sandbox.akeneo.paging import flag
from sandbox.world import Attribute, Value

_SELECT, _MULTISELECT = "pim_catalog_simpleselect", "pim_catalog_multiselect"
_MEDIA = frozenset({"pim_catalog_image", "pim_catalog_file"})


@dataclass(frozen=True, slots=True)
class View:
    """Which values are shown. Hashable: what is rendered once for a view is kept."""

    scope: str | None = None
    locales: frozenset[str] | None = None
    attributes: frozenset[str] | None = None
    with_options: bool = False
    with_completenesses: bool = False
    with_scores: bool = False

    def shows(self, value: Value) -> bool:
        if self.scope and value.scope not in {None, self.scope}:
            return False
        return self.locales is None or value.locale is None or value.locale in self.locales


def asked(query: Mapping[str, Any], attributes: Mapping[str, Attribute]) -> View:
    """The view a query asks for. Refuses unknown channels, locales and attributes."""
    scope = query.get("scope") or None
    if scope is not None and scope not in settings.CHANNELS:
        raise unprocessable(f'Scope "{scope}" does not exist.')
    codes = _listed(query.get("attributes"))
    for code in codes or ():
        if code not in attributes:
            raise unprocessable(f'Attribute "{code}" does not exist.')
    return View(
        scope,
        _locales(_listed(query.get("locales")), scope),
        codes,
        flag(query.get("with_attribute_options")),
        flag(query.get("with_completenesses")),
        flag(query.get("with_quality_scores")) or flag(query.get("with_quality_scores__products")),
    )


def _listed(text: object) -> frozenset[str] | None:
    if not text or not isinstance(text, str):
        return None
    return frozenset(part.strip() for part in text.split(","))


def _locales(codes: frozenset[str] | None, scope: str | None) -> frozenset[str] | None:
    for code in codes or ():
        if not settings.LOCALES.get(code):
            raise unprocessable(f'Locale "{code}" does not exist or is not activated.')
        if scope and code not in settings.CHANNELS[scope].locales:
            raise unprocessable(f'Locale "{code}" is not activated for the scope "{scope}".')
    return codes or (frozenset(settings.CHANNELS[scope].locales) if scope else None)


def rendered(
    values: Mapping[str, Iterable[Value]],
    view: View,
    attributes: Mapping[str, Attribute],
    url: str,
) -> dict[str, list[dict[str, Any]]]:
    """`url` is the API's root, which links to files start with."""
    shown = {}
    for code, held in values.items():
        if view.attributes is not None and code not in view.attributes:
            continue
        attribute = attributes[code]
        if rows := [_row(value, attribute, view, url) for value in held if view.shows(value)]:
            shown[code] = rows
    return shown


def _row(value: Value, attribute: Attribute, view: View, url: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "locale": value.locale,
        "scope": value.scope,
        "data": value.data,
        "attribute_type": attribute.type,
    }
    if attribute.type in _MEDIA:
        path = quote(str(value.data))
        row["_links"] = {"download": {"href": f"{url}/media-files/{path}/download"}}
    elif view.with_options and attribute.type == _SELECT:
        row["linked_data"] = _option(attribute, value.data)
    elif view.with_options and attribute.type == _MULTISELECT and isinstance(value.data, list):
        row["linked_data"] = {code: _option(attribute, code) for code in value.data}
    return row


def _option(attribute: Attribute, code: Any) -> dict[str, Any]:
    return {"attribute": attribute.code, "code": code, "labels": attribute.options[code]}
