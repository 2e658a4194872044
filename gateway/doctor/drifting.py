"""The answers of an examination, kept as a recording or held against one."""

import re
from collections.abc import Sequence
from pathlib import Path

from gateway.doctor.risk import at_risk
from upstream.diagnosis import Finding
from upstream.drift import GRAVE, Drift, Recording, RecordingError, drifts, read, write

_MOST_FIELDS = 8
# What vendors call it, and what the graph does.
_SAME = {"state": "status", "ref": "number", "reference": "number", "qty": "quantity"}
_WORD = re.compile(r"[A-Z]?[a-z]+")


def written(recording: Recording, folder: Path) -> Finding:
    try:
        path = write(recording, folder)
    except OSError as problem:
        remedy = "Name a folder that can be written to."
        return Finding("record", "failed", f"{folder}: {problem.strerror or problem}", remedy)
    return Finding("record", "passed", f"{len(recording.operations)} operations in {path}")


def compared(seen: Recording, folder: Path, roles: Sequence[str]) -> list[Finding]:
    """A finding for each change; one that all is as recorded where there is none."""
    try:
        known = read(folder, seen.upstream)
    except RecordingError as problem:
        return [Finding("drift", "failed", str(problem), f"Run doctor --record {folder} first.")]
    found = [_finding(drift, roles) for drift in drifts(known, seen)]
    both = known.operations.keys() & seen.operations.keys()
    return found or [Finding("drift", "passed", f"{len(both)} operations are as recorded")]


def likeliest_first(fields: Sequence[str], place: str) -> list[str]:
    """By words that field and place have in common: mappings mostly keep them."""
    words = _words_of(place.rpartition(".")[2])
    return sorted(fields, key=lambda one: -len(words & _words_of(one.partition(".")[2])))


def _words_of(name: str) -> set[str]:
    """`tracking`, `code` of both `tracking_code` and `trackingCode`."""
    words = {word.lower() for word in _WORD.findall(name)}
    return {_SAME.get(word, word) for word in words}


def _finding(drift: Drift, roles: Sequence[str]) -> Finding:
    fields = likeliest_first(at_risk(drift.operation, roles), drift.place)
    told = ", ".join(fields[:_MOST_FIELDS])
    more = f" and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
    return Finding(
        f"drift {drift.operation}",
        "failed" if drift.change in GRAVE else "warning",
        f"{drift.change}: {drift.place} ({drift.detail}); at risk: {told}{more}",
        "Look what changed at the vendor; correct the mapping if these fields are read from it, "
        "then record again (--record).",
    )
