"""An explanation for people: a table of what will be asked, and a waterfall of what was."""

from rich.console import Console
from rich.table import Table

from gateway.execution.explain_report import (
    Batch,
    Explanation,
    Happened,
    Keeping,
    Made,
    Plan,
    Planned,
    Run,
    Worst,
)

_WIDE = 220
_BAR = 40
_EXACT = 100  # milliseconds; of more, a part tells nobody anything
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def show(told: Explanation) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    _show_plan(console, told)
    if told.run is not None:
        console.print()
        _show_run(console, told.run)


def _show_plan(console: Console, told: Explanation) -> None:
    plan, cost = told.plan, told.cost
    refused = ", which is refused" if cost.requested > cost.limit else ""
    console.print(
        f"cost {cost.requested:,} of {cost.limit:,}{refused}; at most {_counted(plan.calls, 'call')} "
        f"in {_counted(len(plan.waves), 'wave')}; at worst {_time(plan.worst_milliseconds)}"
        f"{_cut(plan)}"
    )
    if plan.waves:
        console.print(_plan_table(plan))
    for one in plan.unasked:
        why = f"needs the scope {one.scope}" if one.scope else f"nobody serves {one.operation}"
        console.print(f"{one.field} asks nobody: {why}")
    if plan.unplanned:
        console.print(f"not known beforehand: {', '.join(plan.unplanned)}")


def _plan_table(plan: Plan) -> Table:
    table = Table("wave", "operation", "upstream", "calls", box=None, pad_edge=False)
    for name in ("kept", "at worst", "for"):
        table.add_column(name)
    for wave in plan.waves:
        for one in wave.calls:
            spare = f", else {one.fallback}" if one.fallback else ""
            table.add_row(
                str(wave.wave),
                one.operation,
                f"{one.upstream} ({one.system}){spare}",
                _batches(one),
                _kept(one.cache),
                _worst(one.worst),
                ", ".join(one.fields),
            )
    return table


def _show_run(console: Console, run: Run) -> None:
    waves = _counted(len(run.waves), "wave")
    console.print(f"took {_time(run.milliseconds)}; {_counted(run.calls, 'call')} in {waves}")
    table = Table("wave", "operation", "upstream", "answers", box=None, pad_edge=False)
    table.add_column("start", justify="right")
    table.add_column("time", justify="right")
    table.add_column("")
    for wave in run.waves:
        for one in wave.questions:
            names = ", ".join(one.upstreams)
            table.add_row(
                str(wave.wave),
                one.operation,
                names,
                _answers(one),
                _time(one.start),
                _time(one.milliseconds),
                _bar(one, run),
            )
    if run.waves:
        console.print(table)
    if run.left_off:
        console.print(f"{run.left_off} more questions are not told")


def _bar(one: Happened | Made, run: Run) -> str:
    whole = run.milliseconds or 1.0
    before = min(_BAR - 1, int(_BAR * one.start / whole))
    length = max(1, min(_BAR - before, round(_BAR * one.milliseconds / whole)))
    return " " * before + "#" * length


def _answers(one: Happened) -> str:
    parts = [
        f"{number} {name}"
        for name in ("cached", "stale", "live", "fallback", "failed")
        if (number := getattr(one, name))
    ]
    if one.calls:
        parts.append(f"by {_counted(len(one.calls), 'call')}")
    if one.error:
        parts.append(one.error)
    return ", ".join(parts) or "nothing"


def _batches(one: Planned) -> str:
    maybe = "up to " if one.maybe else ""
    return maybe + " + ".join(map(_batch, one.batches))


def _batch(batch: Batch) -> str:
    calls = _counted(batch.calls, "call")
    return calls if batch.keys is None else f"{calls} of {_counted(batch.keys, 'key')}"


def _kept(cache: Keeping | None) -> str:
    if cache is None:
        return "not kept"
    stale = f", {_age(cache.stale_if_error)} if it fails" if cache.stale_if_error else ""
    return f"{_age(cache.max_age)}{stale} ({cache.store})"


def _worst(worst: Worst) -> str:
    known = f"p95 of {worst.samples}" if worst.by == "p95" else "limits"
    return f"{_time(worst.milliseconds)} ({known})"


def _cut(plan: Plan) -> str:
    is_cut = plan.worst_milliseconds >= plan.deadline_milliseconds
    return ", the deadline" if is_cut else ""


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < _EXACT else f"{milliseconds:,.0f} ms"


def _age(seconds: float) -> str:
    for length, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= length and not seconds % length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
