"""The journal's table alone, for commands that must work while the rest is out of order."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from gateway.settings.journal import JournalSettings

_VARIABLE = "PASSERELLE_JOURNAL__FILE"


class JournalPlaceError(Exception):
    """The table cannot be read; the text says why."""


def journal_settings(config: Path, environ: Mapping[str, str]) -> JournalSettings:
    """Raises JournalPlaceError. Without a file of configuration: the defaults."""
    try:
        tables = tomllib.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
        table = dict(tables.get("journal", {}))
        if environ.get(_VARIABLE):
            table["file"] = environ[_VARIABLE]
        return JournalSettings.model_validate(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise JournalPlaceError(f"{config}: cannot be read: {problem}") from problem
    except (ValidationError, TypeError, ValueError) as problem:
        raise JournalPlaceError(f"{config}: [journal] is not valid") from problem
