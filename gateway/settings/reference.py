"""Every key in writing: as an example file and as the documentation's tables.

Both are made from the models, so that neither can miss a key.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors import registry
from gateway.settings.access import IntrospectionSettings, IssuerSettings
from gateway.settings.alerts import AlertSettings
from gateway.settings.annotations import arms, is_secret, table_of
from gateway.settings.tree import Fallbacks, Settings
from gateway.settings.webhooks import PollingSettings, WebhookSettings
from upstream.config import UpstreamConfig

_ROLES_HEADING = "# Which upstream serves which role; without one its fields answer null."
_HEAD = """\
# Every key of Passerelle with its default, written by `passerelle config example`.
# Secrets belong into the environment: PASSERELLE_UPSTREAMS__ERP__API_KEY=...
"""
_FALLBACKS_HEADING = "# Which second upstream answers while the first is out."
_USUAL_NAMES = {"akeneo": "pim", "odoo": "erp", "hubspot": "crm"}
# They hold copies of what another system owns, and so come second where both serve a role.
_COPIES = frozenset({"nightly"})


def example() -> str:
    """A file with every key: what must be set has a value, all else is a comment."""
    blocks = [_HEAD]
    for path, model in sections():
        if path not in {"roles", "fallbacks"}:
            blocks.append("\n".join((f"[{path}]", *_example_keys(model, {}))) + "\n")
    for kind, manifest in registry.manifests().items():
        path = f"upstreams.{_USUAL_NAMES.get(kind, kind)}"
        config = registry.find(kind).config()
        keys = _example_keys(config, _minimal(config))
        blocks.append("\n".join((f"# {manifest.title}", f"[{path}]", *keys)) + "\n")
    roles, fallbacks = _example_roles()
    blocks.append("\n".join((_ROLES_HEADING, "[roles]", *_lines(roles))) + "\n")
    keys = _example_keys(Fallbacks, fallbacks)
    blocks.append("\n".join((_FALLBACKS_HEADING, "[fallbacks]", *keys)) + "\n")
    return "\n".join(blocks)


def key_tables() -> str:
    """A Markdown table of keys for each table of the file."""
    blocks = [_key_table(f"`[{path}]`", model, ()) for path, model in sections()]
    blocks.append(_key_table("`[[access.issuers]]`", IssuerSettings, ()))
    blocks.append(
        _key_table("`[access.issuers.introspection]` of an issuer", IntrospectionSettings, ())
    )
    blocks.append(_key_table("`[[alerts]]`", AlertSettings, ()))
    blocks.append(_key_table("`[webhooks.<upstream>]`", WebhookSettings, ()))
    blocks.append(_key_table("`[polling.<upstream>]`", PollingSettings, ()))
    blocks.append(_key_table("`[upstreams.<name>]` of every kind", UpstreamConfig, ()))
    for kind, manifest in registry.manifests().items():
        heading = f'`kind = "{kind}"`: {manifest.title}'
        config = registry.find(kind).config()
        blocks.append(_key_table(heading, config, UpstreamConfig.model_fields))
    return "\n".join(blocks)


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """The file's tables of known keys, upstreams apart, each with its path."""
    yield from _sections("", Settings)


def _sections(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    tables = {name: table_of(field.annotation) for name, field in model.model_fields.items()}
    if path and not all(tables.values()):
        yield path, model
    for name, table in tables.items():
        if table is not None:
            yield from _sections(f"{path}.{name}" if path else name, table)


def _key_table(heading: str, model: type[BaseModel], without: Iterable[str]) -> str:
    lines = [f"### {heading}", "", "| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if name not in without and table_of(field.annotation) is None:
            meaning = " ".join((field.description or "").split()).replace("|", "\\|")
            lines.append(f"| `{name}` | {_default_cell(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _default_cell(field: FieldInfo) -> str:
    if field.is_required():
        return "required, secret" if is_secret(field.annotation) else "required"
    value = _default(field)
    text = "" if value in (None, (), [], {}) else toml(value)
    if len(text) > 60:  # noqa: PLR2004 - wider makes the table unreadable
        text = "see the example"
    elif text:
        text = f"`{text}`"
    return ", ".join(filter(None, (text, "secret" if is_secret(field.annotation) else "")))


def _example_keys(model: type[BaseModel], given: Mapping[str, Any]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if table_of(field.annotation) is not None:
            continue  # a table of its own
        if name in given and not is_secret(field.annotation):
            yield f"{name} = {toml(given[name])}"
        else:
            yield f"# {name} = {toml(_shown(field))}"


def _example_roles() -> tuple[dict[str, Any], dict[str, Any]]:
    """Every role by the first of our connectors that serves it, and those who come second."""
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    carriers = {}
    for kind in sorted(registry.manifests(), key=_COPIES.__contains__):
        name = _USUAL_NAMES.get(kind, kind)
        for port in registry.manifests()[kind].ports:
            if port == "tracking":
                carriers[kind] = name
            elif first.setdefault(port, name) != name:
                second.setdefault(port, name)
    return {**first, "tracking": carriers}, second


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key} = {toml(value)}" for key, value in table.items())


def _minimal(config: type[UpstreamConfig]) -> Mapping[str, Any]:
    """What the connector itself gives as an example of a table, if it does."""
    found: Mapping[str, Any] = getattr(config, "example", dict)()
    return found


def _shown(field: FieldInfo) -> Any:
    """The default; where there is none, a value of the right type."""
    value = None if field.is_required() else _default(field)
    if value is not None:
        return value
    accepted = list(arms(field.annotation))
    empty = {int: 1, float: 1.0, bool: True, tuple: (), list: (), dict: {}}
    return next((empty[arm] for arm in accepted if arm in empty), "...")


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def toml(value: Any) -> str:
    """One value on one line, as TOML writes it."""
    if isinstance(value, Enum):
        return toml(value.value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(name)} = {toml(inner)}" for name, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    # A JSON string is a TOML string.
    return json.dumps(str(value), ensure_ascii=False)


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else json.dumps(name)
