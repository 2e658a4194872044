"""The JSON Schema of `passerelle.toml`, for editors: every key, those of our connectors included."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from connectors import registry
from gateway.settings.tree import Settings
from upstream.config import UpstreamConfig

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Secrets are required nowhere: they may come from the environment.

    The keys of an upstream are those of its `kind`; of other people's kinds any key is right.
    """
    configs = {name: registry.find(name).config() for name in registry.manifests()}
    models: list[type[BaseModel]] = [Settings, UpstreamConfig, *configs.values()]
    references, definitions = models_json_schema([(model, "validation") for model in models])
    parts = {name: _plain(part) for name, part in definitions["$defs"].items()}
    root = parts.pop(_name(references[Settings, "validation"]))
    root.pop("description", None)
    parts.pop(_name(references[UpstreamConfig, "validation"]))
    kinds = {name: references[config, "validation"] for name, config in configs.items()}
    parts["Upstream"] = _upstream(kinds)
    root["properties"]["upstreams"] = {
        "type": "object",
        "description": Settings.model_fields["upstreams"].description,
        "additionalProperties": {"$ref": "#/$defs/Upstream"},
    }
    return {"$schema": _DIALECT, "title": "passerelle.toml", **root, "$defs": parts}


def _upstream(kinds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One system; what else the table holds depends on its `kind`.",
        "properties": {
            "kind": {
                "type": "string",
                "description": UpstreamConfig.model_fields["kind"].description,
                "examples": sorted(kinds),
            }
        },
        "required": ["kind"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": reference,
            }
            for kind, reference in sorted(kinds.items())
        ],
    }


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that repeat the keys, nor secrets among what is required."""
    keys: dict[str, Any] = part.get("properties", {})
    for key in keys.values():
        key.pop("title", None)
        if "$ref" in key:
            key.pop("default", None)
    required = [name for name in part.get("required", ()) if "writeOnly" not in keys[name]]
    rest = {name: value for name, value in part.items() if name not in {"title", "required"}}
    return rest | ({"required": required} if required else {})


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
