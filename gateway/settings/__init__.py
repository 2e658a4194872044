"""Settings: one frozen tree from a TOML file and the environment, unknown keys refused."""

from gateway.settings.json_schema import json_schema
from gateway.settings.problems import Problem, SettingsError
from gateway.settings.reading import load, read
from gateway.settings.tree import (
    GraphQLSettings,
    MediaSettings,
    Roles,
    ServerSettings,
    Settings,
)

__all__ = [
    "GraphQLSettings",
    "MediaSettings",
    "Problem",
    "Roles",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "json_schema",
    "load",
    "read",
]
