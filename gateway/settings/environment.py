"""Settings from environment variables, laid over those of the file.

`PASSERELLE_UPSTREAMS__ERP_FR__API_KEY` is `upstreams.erp-fr.api_key`, and the same name with
`_FILE` at its end names a file that holds the secret. An empty variable counts as absent.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gateway.settings.annotations import arms, is_secret, table_of
from gateway.settings.problems import Problem

PREFIX = "PASSERELLE_"
DELIMITER = "__"
_SHORT = {"PORT": ("server", "port")}
_FILE = "_file"
# What Kubernetes sets for a service that is called `passerelle` or `passerelle-...`.
_OF_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)")
_CONTAINERS = (tuple, list, set, frozenset, dict, Mapping, Sequence)


class Variable(str):
    """A value together with the variable that it was read from."""

    __slots__ = ("variable",)
    variable: str

    @classmethod
    def read(cls, name: str, text: str) -> "Variable":
        value = cls(text)
        value.variable = name
        return value


def overlay(
    tree: Mapping[str, Any], environ: Mapping[str, str], sections: Sequence[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """A copy of the tree with the variables in it, and the variables that are misspelt."""
    merged, problems = _copied(tree), []
    for name, text in sorted(environ.items()):
        if not text or not name.upper().startswith(PREFIX) or _OF_KUBERNETES.search(name):
            continue
        rest = name.upper().removeprefix(PREFIX)
        if rest in _SHORT and not text.startswith("tcp://"):
            _put(merged, _SHORT[rest], Variable.read(name, text))
        elif DELIMITER in rest:
            _put(merged, rest.split(DELIMITER), Variable.read(name, text))
        elif any(rest.startswith(f"{section.upper()}_") for section in sections):
            advice = f"two underscores stand between keys: {PREFIX}SERVER__HOST"
            problems.append(Problem(name, advice))
    return merged, problems


def typed(
    table: Mapping[str, Any], model: type[BaseModel], path: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The table with its variables read as its model wants them: files of secrets, lists, tables."""
    result: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in table.items():
        field = model.model_fields.get(key)
        inner = table_of(field.annotation) if field else None
        if inner is not None and isinstance(value, Mapping):
            result[key], more = typed(value, inner, _joined(path, key))
            problems += more
        elif isinstance(value, Variable) and field is not None:
            result[key] = _value(value, field.annotation)
        elif isinstance(value, Variable) and (name := _secret_of_file(key, model)):
            problems += _read_secret(result, name, value, _joined(path, key))
        else:
            result[key] = value
    return result, problems


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()
    }


def _put(tree: dict[str, Any], names: Sequence[str], value: Variable) -> None:
    *above, last = names
    for name in above:
        tree = tree.setdefault(_known(tree, name), {})
        if not isinstance(tree, dict):
            return  # the file has a value where a table belongs, which is told of elsewhere
    tree[_known(tree, last)] = value


def _known(table: Mapping[str, Any], name: str) -> str:
    """A variable cannot tell `erp-fr` from `erp_fr` or `ERP_FR`; a key that is there decides."""
    folded = name.lower()
    for key in table:
        if key.lower().replace("-", "_") == folded:
            return key
    return folded


def _value(text: Variable, annotation: Any) -> Any:
    """Text, for pydantic to convert; but TOML, where a list or table is wanted or text is not."""
    accepted = tuple(arms(annotation))
    containers = tuple(arm for arm in accepted if arm in _CONTAINERS)
    if not containers and not {int, str} <= set(accepted):
        return text
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return _words(text) if containers and str not in accepted else text
    return value if isinstance(value, (int, list, dict)) else text


def _words(text: Variable) -> Any:
    return [word.strip() for word in text.split(",")] if "{" not in text else text


def _secret_of_file(key: str, model: type[BaseModel]) -> str | None:
    name = key.removesuffix(_FILE)
    field = model.model_fields.get(name)
    return name if name != key and field is not None and is_secret(field.annotation) else None


def _read_secret(table: dict[str, Any], name: str, file: Variable, path: str) -> list[Problem]:
    if name in table:
        return [Problem(path, f"{name} is given too; one of both has to go (from {file.variable})")]
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        # Present, so that it is not reported as missing as well.
        table[name] = "unreadable"
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        return [Problem(path, f"cannot be read: {reason} (from {file.variable})")]
    table[name] = text.rstrip("\r\n")
    return []


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
