"""From a file and the environment to settings, or to the list of all that is wrong with them."""

import re
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors import registry
from gateway.settings.environment import overlay
from gateway.settings.problems import Problem, SettingsError, suggestion
from gateway.settings.tree import Roles, Settings
from gateway.settings.validation import no_table, validated
from upstream.config import UpstreamConfig
from upstream.connector import Manifest

# No double underscore, which a variable could not spell.
_NAME = re.compile(r"(?!.*__)[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_SECTIONS = tuple(Settings.model_fields)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings of a TOML file, if there is one, and of `PASSERELLE_...` variables.

    Raises SettingsError with every problem.
    """
    return read({} if path is None else _file(path), environ)


def read(tables: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of tables as a TOML file holds them. Raises SettingsError with every problem."""
    tree, problems = overlay(tables, environ or {}, _SECTIONS)
    tables_of_upstreams = tree.pop("upstreams", {})
    settings, found = validated(Settings, tree)
    problems += found
    if isinstance(tables_of_upstreams, Mapping):
        upstreams = {name: _Upstream(name, table) for name, table in tables_of_upstreams.items()}
    else:
        upstreams = {}
        problems.append(no_table(tables_of_upstreams, "upstreams"))
    for upstream in upstreams.values():
        problems += upstream.problems
    roles, fallbacks = tree.get("roles", {}), tree.get("fallbacks", {})
    problems += _role_problems("roles", roles, upstreams)
    problems += _role_problems("fallbacks", fallbacks, upstreams)
    problems += _pair_problems(roles, fallbacks)
    problems += _polling_problems(tree.get("polling", {}), upstreams)
    if settings is None or problems:
        raise SettingsError(problems)
    configs = {name: upstream.config for name, upstream in upstreams.items()}
    return settings.model_copy(update={"upstreams": configs})


def _file(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"at line {text.count(chr(10)) + 1}, the end"
        problem = f"is not TOML: {error}".replace("at end of document", end)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
    except FileNotFoundError:
        problem = "there is no such file"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise SettingsError([Problem(str(path), problem)])


class _Upstream:
    """One table of `[upstreams]`, read by the connector that its kind names."""

    def __init__(self, name: str, table: object) -> None:
        self.problems: list[Problem] = []
        self.manifest: Manifest | None = None
        self.config: UpstreamConfig | None = None
        path = f"upstreams.{name}"
        if not _NAME.fullmatch(name):
            text = "a name has letters, digits, dashes and single underscores, 63 at most"
            self.problems.append(Problem(path, text))
        if not isinstance(table, Mapping):
            self.problems.append(no_table(table, path))
            return
        model = self._model(table.get("kind"), path)
        self.config, found = validated(model or UpstreamConfig, table, path)
        if model is None:
            # Which keys there are is its kind's to say.
            found = [problem for problem in found if not problem.text.startswith("unknown key")]
            found = [problem for problem in found if problem.path != f"{path}.kind"]
        self.problems += found
        if self.config is not None and self.config.ca_file is not None:
            self.problems += _certificate_problems(self.config.ca_file, f"{path}.ca_file")

    def _model(self, kind: object, path: str) -> type[UpstreamConfig] | None:
        if not isinstance(kind, str):
            text = "missing" if kind is None else "must be a valid string"
        else:
            try:
                found = registry.find(kind)
                model = found.config()
            except registry.UnknownKindError as error:
                text = str(error) + suggestion(kind, registry.manifests())
            except Exception as error:  # noqa: BLE001 - somebody else's module is imported
                text = f"{kind!r} cannot be imported: {type(error).__name__}"
            else:
                if _is_config(model):
                    self.manifest = found.manifest
                    return model
                text = f"{found.manifest.config!r} is no subclass of upstream.config.UpstreamConfig"
        self.problems.append(Problem(f"{path}.kind", text))
        return None


def _certificate_problems(file: str, path: str) -> Iterator[Problem]:
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        yield Problem(path, "holds no certificate in PEM form")
    except OSError as error:
        yield Problem(path, f"cannot be read: {error.strerror}")


def _is_config(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, UpstreamConfig)


def _role_problems(
    table: str, roles: object, upstreams: Mapping[str, _Upstream]
) -> Iterator[Problem]:
    for key, role, name in _assignments(roles):
        path = f"{table}.{key}"
        upstream = upstreams.get(name)
        if upstream is None:
            there = f"there are {', '.join(upstreams)}" if upstreams else "there is none"
            text = f"no upstream {name!r}; {there}{suggestion(name, upstreams)}"
            yield Problem(path, text)
        elif upstream.manifest is not None and role not in upstream.manifest.ports:
            manifest = upstream.manifest
            served = ", ".join(manifest.ports)
            yield Problem(path, f"{name!r} is {manifest.title}, which serves {served}, not {role}")


def _polling_problems(polling: object, upstreams: Mapping[str, _Upstream]) -> Iterator[Problem]:
    names = polling if isinstance(polling, Mapping) else {}
    for name in names:
        if name not in upstreams:
            yield Problem(f"polling.{name}", f"no upstream {name!r}{suggestion(name, upstreams)}")


def _pair_problems(roles: object, fallbacks: object) -> Iterator[Problem]:
    """A second upstream needs a first one, which is another."""
    first = {key.lower(): name for key, _, name in _assignments(roles)}
    for key, _, name in _assignments(fallbacks):
        if key.lower() not in first:
            yield Problem(f"fallbacks.{key}", f"no upstream comes first; name it in roles.{key}")
        elif first[key.lower()] == name:
            yield Problem(f"fallbacks.{key}", f"{name!r} is roles.{key} already; name another one")


def _assignments(roles: object) -> Iterator[tuple[str, str, str]]:
    """Key, role and upstream of what can be read; the rest is told of by validation."""
    if not isinstance(roles, Mapping):
        return
    for role, name in roles.items():
        if role not in Roles.model_fields:
            continue
        if role == "tracking" and isinstance(name, Mapping):
            for code, carrier in name.items():
                if isinstance(carrier, str):
                    yield f"tracking.{code}", role, str(carrier)
        elif role != "tracking" and isinstance(name, str):
            yield role, role, str(name)
