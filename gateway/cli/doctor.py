"""`passerelle doctor`: every connection examined, one after the other, and told in every form."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from gateway.app import Wiring
from gateway.doctor import machine, page, table
from gateway.doctor.examination import Doctor, Wishes
from gateway.doctor.report import Examination, Report
from gateway.doctor.secrets import Secrets
from gateway.settings import Settings
from upstream.drift import file_of

Examined = Callable[[Examination], object]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the report goes besides the terminal; `json` takes the terminal's place."""

    json: bool = False
    junit: Path | None = None
    html: Path | None = None


def doctor(settings: Settings, wishes: Wishes, outputs: Outputs) -> int:
    """0 when all is well, 1 when a step failed, 2 when it cannot be done as asked."""
    problem = _impossible(settings, wishes, outputs)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 2
    if outputs.json:
        found = asyncio.run(examine(settings, wishes))
    else:
        console = table.console()
        found = asyncio.run(examine(settings, wishes, partial(table.show, console)))
        table.conclude(console, found)
    return _written(found, outputs) or int(found.failed)


async def examine(
    settings: Settings, wishes: Wishes, examined: Examined = lambda _: None
) -> Report:
    """`examined` hears of each upstream as soon as it is done."""
    wiring, at = Wiring(settings), datetime.now(UTC).replace(microsecond=0)
    found: list[Examination] = []
    try:
        own = Doctor(settings, wiring, wishes)
        for name in wishes.names or settings.upstreams:
            one = await own.examine(name)
            found.append(Secrets(settings.upstreams[name]).taken_out(one))
            examined(found[-1])
    finally:
        await wiring.aclose()
    return Report(at, version("passerelle"), found)


def _impossible(settings: Settings, wishes: Wishes, outputs: Outputs) -> str | None:
    known = ", ".join(settings.upstreams) or "none"
    for name in wishes.names:
        if name not in settings.upstreams:
            return f"{name}: no such upstream; there are {known}"
    for path in (outputs.junit, outputs.html):
        if path is not None and not path.resolve().parent.is_dir():
            return f"{path}: there is no such folder"
    if wishes.against is not None:
        names = wishes.names or tuple(settings.upstreams)
        files = [file_of(wishes.against, name) for name in names]
        absent = [str(file) for file in files if not file.is_file()]
        if absent:
            return f"{', '.join(absent)}: nothing is recorded there; run doctor --record first"
    return None


def _written(found: Report, outputs: Outputs) -> int:
    """2 when a file cannot be written, else 0."""
    try:
        if outputs.json:
            sys.stdout.write(machine.as_json(found).decode())
        if outputs.junit is not None:
            outputs.junit.write_text(machine.as_junit(found), encoding="utf-8")
        if outputs.html is not None:
            outputs.html.write_text(page.as_html(found), encoding="utf-8")
    except OSError as problem:
        print(f"{problem.filename}: {problem.strerror}", file=sys.stderr)
        return 2
    return 0
