"""Starts a connector: `scripts/new-connector NAME` makes connectors/NAME and tests/connectors/NAME.

What it makes works: it serves the port `stock` of an invented system, passes every check, and
is to be rewritten towards the real one file by file (CONTRIBUTING.md tells in which order).
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

TEMPLATES = Path(__file__).parent / "connector"


def main() -> int:
    arguments = _arguments()
    name, root = arguments.name, arguments.root
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        sys.stderr.write(f"{name!r} is no name: small letters, digits and _, a letter first.\n")
        return 2
    folders = {"connector": root / "connectors" / name, "tests": root / "tests/connectors" / name}
    if taken := [str(folder) for folder in folders.values() if folder.exists()]:
        sys.stderr.write(f"Already there: {', '.join(taken)}\n")
        return 2
    for kind, folder in folders.items():
        _fill(folder, TEMPLATES / kind, name)
    _format(folders.values())
    sys.stdout.write(f"Made connectors/{name} and tests/connectors/{name}.\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="new-connector", description=__doc__)
    parser.add_argument("name", help="of the connector, as a configuration's `kind` will say it")
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parents[1], help="the checkout to write into"
    )
    return parser.parse_args()


def _fill(folder: Path, templates: Path, name: str) -> None:
    folder.mkdir(parents=True)
    words = {"@name@": name, "@Name@": name.replace("_", " ").title().replace(" ", "")}
    for template in sorted(templates.iterdir()):
        text = template.read_text(encoding="utf-8")
        for word, replacement in words.items():
            text = text.replace(word, replacement)
        (folder / template.name.removesuffix(".template")).write_text(text, encoding="utf-8")


def _format(folders: Iterable[Path]) -> None:
    """A long name breaks lines that a short one does not."""
    ruff = Path(__file__).parents[1] / ".venv" / "bin" / "ruff"
    if ruff.is_file():
        subprocess.run([ruff, "format", "--quiet", *folders], check=True)


if __name__ == "__main__":
    sys.exit(main())
