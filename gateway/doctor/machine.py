"""The report for machines: JSON, and JUnit's XML for CI."""

import re
from dataclasses import asdict
from xml.sax.saxutils import escape, quoteattr

import msgspec

from gateway.doctor.report import Examination, Report
from upstream.diagnosis import Finding

# What XML 1.0 cannot hold at all.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(report: Report) -> bytes:
    told = {
        "at": report.at.isoformat(),
        "version": report.version,
        "ok": not report.failed,
        "counts": report.counts,
        "upstreams": [_examination(one) for one in report.examinations],
    }
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"


def _examination(one: Examination) -> dict[str, object]:
    return {
        "upstream": one.upstream,
        "kind": one.kind,
        "address": one.address,
        "roles": list(one.roles),
        "ok": not one.failed,
        "steps": [asdict(finding) for finding in one.findings],
        "coverage": [asdict(field) for field in one.coverage],
    }


def as_junit(report: Report) -> str:
    """A suite an upstream, a case a step. Warnings pass, and say so in the case's output."""
    suites = "".join(_suite(one, report) for one in report.examinations)
    seconds = sum(one.seconds for one in report.examinations)
    count, cases = report.counts, sum(report.counts.values())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="passerelle doctor" tests="{cases}" failures="{count["failed"]}" '
        f'errors="0" skipped="{count["skipped"]}" time="{seconds:.3f}">\n{suites}</testsuites>\n'
    )


def _suite(one: Examination, report: Report) -> str:
    outcomes = [finding.outcome for finding in one.findings]
    cases = "".join(_case(finding, one) for finding in one.findings)
    return (
        f'<testsuite name={_attribute(one.upstream)} timestamp="{report.at:%Y-%m-%dT%H:%M:%S}" '
        f'tests="{len(outcomes)}" failures="{outcomes.count("failed")}" errors="0" '
        f'skipped="{outcomes.count("skipped")}" time="{one.seconds:.3f}">\n{cases}</testsuite>\n'
    )


def _case(finding: Finding, one: Examination) -> str:
    name, where = _attribute(finding.step), _attribute(f"{one.upstream}.{one.kind}")
    start = f'<testcase name={name} classname={where} time="{finding.seconds:.3f}">'
    detail, text = _attribute(finding.detail), _text(finding)
    match finding.outcome:
        case "failed":
            inner = f"<failure message={detail}>{text}</failure>"
        case "skipped":
            inner = f"<skipped message={detail}/>"
        case _:
            inner = f"<system-out>{text}</system-out>"
    return f"{start}{inner}</testcase>\n"


def _text(finding: Finding) -> str:
    lines = (f"{finding.outcome}: {finding.detail}", finding.remedy)
    return escape(_printable("\n".join(line for line in lines if line)))


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
