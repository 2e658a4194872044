"""Finds the connector that a configuration's `kind` names, without importing any other.

A name (`odoo`) is a folder here or an entry point of the group `passerelle.connectors`; an import
path (`company.sage:SageConnector`) is anybody's class, which carries its own `manifest`.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import msgspec

from upstream.config import UpstreamConfig
from upstream.connector import ConnectorType, Manifest

GROUP = "passerelle.connectors"
_HERE = Path(__file__).parent


class UnknownKindError(ValueError):
    """No connector answers to this kind; the text lists those that do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A connector's manifest, with its classes not imported before they are asked for."""

    manifest: Manifest

    def connector(self) -> ConnectorType:
        found: ConnectorType = load(self.manifest.connector)
        return found

    def config(self) -> type[UpstreamConfig]:
        found: type[UpstreamConfig] = load(self.manifest.config)
        return found


@cache
def manifests() -> dict[str, Manifest]:
    """The manifests of the connectors in this folder, by name."""
    files = sorted(_HERE.glob("*/manifest.toml"))
    found = (msgspec.toml.decode(file.read_bytes(), type=Manifest) for file in files)
    return {manifest.name: manifest for manifest in found}


def find(kind: str) -> Found:
    """Raises UnknownKindError, telling what is wrong and which kinds there are."""
    if ":" in kind:
        return _third_party(kind)
    if kind in manifests():
        return Found(manifests()[kind])
    for entry in entry_points(group=GROUP):
        if entry.name == kind:
            return _third_party(entry.value)
    raise UnknownKindError(f"no connector {kind!r}; there are {', '.join(sorted(manifests()))}")


def load(path: str) -> Any:
    """The object at `package.module:Name`. Raises UnknownKindError when it cannot be imported."""
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, TypeError, ValueError) as problem:
        raise UnknownKindError(f"{path!r} cannot be imported: {problem}") from problem


def _third_party(path: str) -> Found:
    manifest = getattr(load(path), "manifest", None)
    if not isinstance(manifest, Manifest):
        raise UnknownKindError(f"{path!r} has no attribute `manifest` of type Manifest")
    return Found(manifest)
