"""The whole of /metrics, read as strictly as the text format may be."""

import re
from collections import defaultdict
from math import inf
from typing import Any

from gateway.settings import read
from gateway.telemetry.instruments import Instruments
from ports.caller import Call, Caller, CallerKind
from upstream.exchanges import Exchange
from upstream.uses import Use

HOSTILE = 'a"b\\c\nd\u2028{},=é'
_HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)")
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")
Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]


def labels_of(text: str | None) -> Labels:
    found, place = [], 0
    while text and place < len(text):
        one = _LABEL.match(text, place)
        assert one, text
        value = _ESCAPED.sub(lambda seen: "\n" if seen[1] == "n" else seen[1], one[2])
        found.append((one[1], value))
        place = one.end()
    assert len({name for name, _ in found}) == len(found)
    return tuple(sorted(found))


def parsed(text: str) -> tuple[dict[str, str], Samples]:
    """Types of the families, and samples; asserts whatever the format asks for."""
    assert text.endswith("\n")
    helped, types, samples = set[str](), dict[str, str](), defaultdict[str, Any](dict)
    family, done = "", set[str]()
    for line in text.removesuffix("\n").split("\n"):
        if head := _HEAD.fullmatch(line):
            kind, name, told = head.groups()
            known = helped if kind == "HELP" else types
            assert name not in known
            if name != family:
                assert name not in done  # a family's lines stand together
                done.add(name)
                family = name
            if kind == "HELP":
                helped.add(name)
            else:
                types[name] = told
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample, line
        name, own, value = sample.groups()
        endings = ("", "_bucket", "_sum", "_count") if types[family] == "histogram" else ("",)
        assert name in {f"{family}{one}" for one in endings}
        labels = labels_of(own)
        assert labels not in samples[name]
        samples[name][labels] = inf if value == "+Inf" else float(value)
    assert helped == types.keys()
    assert set(types.values()) <= {"counter", "gauge", "histogram"}
    return types, samples


def hold_together(name: str, samples: Samples) -> None:
    """Buckets of a histogram grow, and the last one is its count."""
    buckets: dict[Labels, dict[float, float]] = defaultdict(dict)
    for labels, value in samples[f"{name}_bucket"].items():
        bound = dict(labels)["le"]
        rest = tuple(one for one in labels if one[0] != "le")
        buckets[rest][inf if bound == "+Inf" else float(bound)] = value
    assert buckets.keys() == samples[f"{name}_count"].keys() == samples[f"{name}_sum"].keys()
    for labels, found in buckets.items():
        values = [found[bound] for bound in sorted(found)]
        assert values == sorted(values)
        assert found[inf] == samples[f"{name}_count"][labels]


def test_all_that_is_exposed_holds_to_the_format() -> None:
    instruments = Instruments(read({"tracing": {"endpoint": "http://127.0.0.1:9"}}))
    figures = instruments.figures
    assert figures is not None
    for seconds in (0.0001, 0.001, 0.3, 100):
        figures.request("POST", 200, seconds)
        figures.operation_seconds.observe(seconds, figures.names.of(HOSTILE, stranger=False))
        figures.exchange("erp", Exchange("orders", seconds, 200, None, "r", 2))
    figures.operations.add(HOSTILE, "ok")
    figures.errors.add("INTERNAL")
    call = Call(Caller("a", CallerKind.USER), "en", 1.0)
    figures.use(call, Use("erp", "orders.orders", (), cached=1, live=1, stale=1, fallback=1))

    types, samples = parsed("".join(f"{line}\n" for line in instruments.lines()))

    counters = {name for name, kind in types.items() if kind == "counter"}
    assert all(name.endswith("_total") for name in counters)
    assert (("operation", HOSTILE), ("outcome", "ok")) in samples[
        "passerelle_graphql_operations_total"
    ]
    histograms = [name for name, kind in types.items() if kind == "histogram"]
    assert len(histograms) == 3
    for name in histograms:
        assert samples[f"{name}_count"]
        hold_together(name, samples)
