"""The report to hand to the client: one HTML file that needs nothing else and prints well."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from gateway.doctor.report import Examination, Field, Report, in_milliseconds
from upstream.diagnosis import Finding

_WORDS = {"passed": "OK", "warning": "Warning", "failed": "Failed", "skipped": "Skipped"}


def as_html(report: Report) -> str:
    verdict = "failed" if report.failed else "warning" if report.counts["warning"] else "passed"
    title = {
        "passed": "All connections are well",
        "warning": "All connections work; some points need attention",
        "failed": "Not all connections work",
    }[verdict]
    return _PAGE % {
        "style": _STYLE,
        "title": escape(title),
        "verdict": verdict,
        "at": f"{report.at:%Y-%m-%d %H:%M} UTC",
        "version": escape(report.version),
        "counts": "".join(_count(*one) for one in report.counts.items()),
        "overview": "".join(_overview(one) for one in report.examinations),
        "examinations": "".join(_examination(one) for one in report.examinations),
    }


def _count(outcome: str, number: int) -> str:
    return f'<li class="{outcome}"><b>{number}</b> {_WORDS[outcome].lower()}</li>'


def _overview(one: Examination) -> str:
    failed = [finding.step for finding in one.findings if finding.outcome == "failed"]
    warned = sum(finding.outcome == "warning" for finding in one.findings)
    outcome = "failed" if failed else "warning" if warned else "passed"
    served = sum(field.state == "served" for field in one.coverage)
    fields = f"{served} of {len(one.coverage)}" if one.coverage else "–"  # noqa: RUF001 - a dash
    name = escape(one.upstream)
    return (
        f'<tr><th scope="row"><a href="#{name}">{name}</a></th><td>{escape(one.kind)}</td>'
        f"<td>{escape(', '.join(one.roles))}</td><td>{_badge(outcome)}</td>"
        f'<td class="n">{fields}</td><td>{escape(", ".join(failed))}</td></tr>'
    )


def _examination(one: Examination) -> str:
    steps = "".join(_step(finding) for finding in one.findings)
    return (
        f'<section id="{escape(one.upstream)}"><h2>{escape(one.upstream)} '
        f"<small>{escape(one.kind)} {escape(one.address)}</small></h2>"
        f'<div class="wide" tabindex="0" role="region" aria-label="Steps of {escape(one.upstream)}">'
        '<table class="steps"><thead><tr><th scope="col">Step</th>'
        '<th scope="col">Result</th><th scope="col" class="n">Time</th><th scope="col">Found</th>'
        f"</tr></thead><tbody>{steps}</tbody></table></div>{_coverage(one.coverage)}</section>"
    )


def _step(finding: Finding) -> str:
    seconds = in_milliseconds(finding.seconds) if finding.seconds else ""
    remedy = ""
    if finding.remedy and finding.outcome != "passed":
        remedy = f'<p class="remedy">{escape(finding.remedy)}</p>'
    return (
        f'<tr class="{finding.outcome}"><th scope="row">{escape(finding.step)}</th>'
        f'<td>{_badge(finding.outcome)}</td><td class="n">{seconds}</td>'
        f"<td>{escape(finding.detail)}{remedy}</td></tr>"
    )


def _badge(outcome: str) -> str:
    return f'<span class="badge {outcome}">{_WORDS[outcome]}</span>'


def _coverage(fields: Sequence[Field]) -> str:
    if not fields:
        return ""
    types = groupby(fields, key=lambda one: (one.name.partition(".")[0], one.role))
    return (
        '<h3>Fields of the contract</h3><div class="types">'
        f"{''.join(_type(name, list(some)) for (name, _), some in types)}</div>"
    )


def _type(name: str, fields: Sequence[Field]) -> str:
    rows = "".join(_field(one) for one in fields)
    return (
        f"<table><caption>{escape(name)} <small>{fields[0].records} records of {escape(fields[0].role)}</small></caption>"
        f"<tbody>{rows}</tbody></table>"
    )


def _field(one: Field) -> str:
    share = 100 * one.filled // one.records if one.records else 0
    told = f"{share} %" if one.state == "served" else one.state
    return (
        f'<tr class="{one.state}"><th scope="row">{escape(one.name.partition(".")[2])}</th>'
        f'<td><span class="bar" style="--share:{share}%"></span></td><td class="n">{told}</td></tr>'
    )


_STYLE = """
:root{color-scheme:light dark;--ink:#1a1c20;--soft:#5b616b;--line:#dcdfe4;--page:#fff;--card:#f6f7f9;
--passed:#146c3a;--warning:#8a5300;--failed:#b3141c;--skipped:#5b616b;--bar:#2f7d55}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a3a9b4;--line:#353a43;--page:#15171b;
--card:#1d2026;--passed:#62cf93;--warning:#f0b64f;--failed:#ff8a87;--skipped:#a3a9b4;--bar:#4fae7e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:2rem 1.25rem 4rem;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.6rem;margin:0 0 .25rem}h1.failed{color:var(--failed)}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
small,.meta{color:var(--soft);font-weight:400;font-size:.85rem}
ul.counts{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;list-style:none;margin:1rem 0 1.5rem;padding:0}
ul.counts b{font-size:1.25rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-size:.8rem;font-weight:600}
tbody th{font-weight:600}
td:last-child{overflow-wrap:anywhere}
.steps th:first-child{min-width:11rem}.steps td:nth-child(2),.n{white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums}
.steps td:nth-child(3){padding-right:1.25rem}
.overview td:nth-child(4){white-space:nowrap}
.overview td:nth-child(5),.overview th.n{padding-right:1.5rem}
.wide{overflow-x:auto}.wide table{min-width:38rem}
.badge{font-weight:600}
.passed b,.badge.passed{color:var(--passed)}.warning b,.badge.warning{color:var(--warning)}
.failed b,.badge.failed{color:var(--failed)}.skipped b,.badge.skipped{color:var(--skipped)}
.badge::before{content:"";display:inline-block;width:.6em;height:.6em;margin-right:.45em;border-radius:50%;
background:currentColor}
.remedy{margin:.25rem 0 0;padding:.35rem .6rem;border-left:3px solid currentColor;background:var(--card)}
.failed .remedy{border-color:var(--failed)}.warning .remedy{border-color:var(--warning)}
a{color:inherit}
.types{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1.25rem 2rem;align-items:start}
caption{text-align:left;font-weight:600;padding:.25rem 0}
.types th,.types td{padding:.2rem .5rem .2rem 0;font-size:.85rem;font-weight:400}
.types table{table-layout:fixed}.types th{width:50%;overflow-wrap:anywhere}
.bar{display:block;height:.5rem;margin-top:.45rem;border-radius:.25rem;
background:linear-gradient(var(--bar),var(--bar)) 0/var(--share) 100% no-repeat var(--line)}
.empty th,.empty .n{color:var(--warning)}.unmapped th,.unmapped .n{color:var(--soft)}
.unmapped .bar,.empty .bar{background:var(--line)}
@media screen and (max-width:40rem){.steps thead{display:none}.wide .steps{min-width:0}
.steps tr{display:grid;grid-template-columns:1fr auto 5rem;border-bottom:1px solid var(--line)}
.steps td,.steps th{border:0}.steps td:last-child{grid-column:1/-1;padding-top:0}}
@media print{.wide{overflow:visible}.wide table{min-width:0}:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#f4f4f4;
--passed:#146c3a;--warning:#8a5300;--failed:#b3141c;--skipped:#444;--bar:#2f7d55}
body{max-width:none;padding:0;font-size:10pt}section{break-before:page}tr,.types table{break-inside:avoid}
h2{border:0;margin-top:0}.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@page{margin:16mm 14mm}
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<title>Connections: %(title)s</title><style>%(style)s</style></head><body>
<header><h1 class="%(verdict)s">%(title)s</h1>
<p class="meta">Examined on %(at)s by Passerelle %(version)s. Nothing was written to any system.</p>
<ul class="counts">%(counts)s</ul></header>
<main><div class="wide" tabindex="0" role="region" aria-label="All connections">
<table class="overview"><thead><tr><th scope="col">Connection</th><th scope="col">System</th>
<th scope="col">Serves</th><th scope="col">Result</th><th scope="col" class="n">Fields served</th>
<th scope="col">Failed steps</th></tr></thead><tbody>%(overview)s</tbody></table></div>
%(examinations)s</main></body></html>
"""
