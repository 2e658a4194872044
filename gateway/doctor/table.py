"""The report for people at a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.doctor.report import Examination, Report, in_milliseconds

_STYLES = {"passed": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
_SIGNS = {"passed": "ok", "warning": "warning", "failed": "FAILED", "skipped": "skipped"}
_WIDE = 160  # in a file or pipe


def show(console: Console, examination: Examination) -> None:
    """One upstream, as soon as it is examined."""
    address = f"  {examination.address}" if examination.address else ""
    console.print()
    console.print(
        Text(examination.upstream, style="bold"),
        Text(f"({examination.kind}){address}  {', '.join(examination.roles)}", style="dim"),
    )
    table = Table("step", "result", "time", "", box=None, pad_edge=False, header_style="dim")
    table.columns[2].justify = "right"
    table.columns[3].overflow = "fold"
    for one in examination.findings:
        told = Text(one.detail)
        if one.remedy and one.outcome != "passed":
            told.append(f"\n-> {one.remedy}", style=_STYLES[one.outcome])
        result = Text(_SIGNS[one.outcome], style=_STYLES[one.outcome])
        seconds = in_milliseconds(one.seconds) if one.seconds else ""
        table.add_row(one.step, result, seconds, told)
    console.print(table)
    _coverage(console, examination)


def _coverage(console: Console, examination: Examination) -> None:
    if not examination.coverage:
        return
    columns = ("field", "", "filled", "records", "from")
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    table.columns[2].justify = table.columns[3].justify = "right"
    styles = {"served": "green", "empty": "yellow", "unmapped": "dim"}
    for one in examination.coverage:
        state = Text(one.state, style=styles[one.state])
        table.add_row(one.name, state, str(one.filled), str(one.records), one.role)
    console.print()
    console.print(table)


def conclude(console: Console, report: Report) -> None:
    count = report.counts
    console.print()
    style = _STYLES["failed" if report.failed else "passed"]
    console.print(
        Text(
            f"{len(report.examinations)} upstreams: {count['passed']} ok, "
            f"{count['warning']} warnings, {count['failed']} failed, {count['skipped']} skipped",
            style=style,
        )
    )


def console() -> Console:
    made = Console(markup=False, highlight=False)
    if not made.is_terminal:
        made.width = _WIDE
    return made
