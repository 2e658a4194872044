"""`passerelle explain`: told from the configuration alone, and by a gateway that runs it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app

ERP = """\
[upstreams.erp]
kind = "odoo"
base_url = "http://127.0.0.1:9"
database = "shop"
api_key = "0123456789abcdef0123456789abcdef01234567"
timeout_seconds = 1
tries = 2

[roles]
orders = "erp"
shipments = "erp"

[limits]
cost = 100
"""
QUERY = (
    "query($n: String!) { order(number: $n) { number shipments { number tracking { status } } } }"
)


@pytest.fixture
def explain(
    config: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Explain":
    file = config(ERP)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **env: str) -> tuple[int, str, str]:
        given = ["explain", *arguments, "--config", str(file)]
        found = CliRunner().invoke(app, given, env={"PASSERELLE_API_KEY": None, **env})
        assert found.exception is None or isinstance(found.exception, SystemExit)
        return found.exit_code, found.stdout, found.stderr

    return run


Explain = Callable[..., tuple[int, str, str]]


def test_a_table_for_people(explain: Explain) -> None:
    code, out, err = explain(QUERY, "--variables", '{"n": "S1"}')

    assert (code, err) == (0, "")
    assert "at most 2 calls in 2 waves" in out
    assert "orders.orders" in out
    assert "1 call of 1 key" in out
    assert "Shipment.tracking asks nobody: nobody serves tracking.track" in out


def test_json_for_programs(explain: Explain) -> None:
    code, out, _ = explain(QUERY, "--variables", '{"n": "S1"}', "--json")

    told = json.loads(out)
    assert code == 0
    assert told["cost"]["limit"] == 100
    assert [one["operation"] for wave in told["plan"]["waves"] for one in wave["calls"]] == [
        "orders.orders",
        "shipments.of_orders",
    ]
    (order,) = told["plan"]["waves"][0]["calls"]
    assert order["worst"] == {"milliseconds": 2_000, "by": "timeout"}
    assert order["cache"]["maxAge"] > 0
    assert "run" not in told


def test_a_file_and_one_operation_of_it(explain: Explain, tmp_path: Path) -> None:
    text = '{ a: __typename } query B { order(number: "x") { number } }'
    (tmp_path / "q.graphql").write_text(text.replace("{ a:", "query A { a:"), encoding="utf-8")

    nothing = explain("q.graphql", "--operation", "A")
    order = explain("q.graphql", "--operation", "B")

    assert "at most 0 calls in 0 waves" in nothing[1]
    assert "at most 1 call in 1 wave" in order[1]


def test_what_costs_too_much_ends_with_1(explain: Explain) -> None:
    code, out, _ = explain("{ orders(first: 100) { nodes { lines { sku } } } }")

    assert code == 1
    assert "which is refused" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{ nope }"], "1:3: Cannot query field 'nope'"),
        (["{ order("], "Syntax Error"),
        (["absent.graphql"], "absent.graphql: No such file"),
        ([QUERY], "Variable '$n' has invalid value"),
        ([QUERY, "--variables", "{"], "is not valid JSON"),
        ([QUERY, "--variables", "[]"], "must be a JSON object"),
        (["{ __typename } query B { __typename }", "--operation", "C"], ""),
        (["subscription { orderChanged { number } }"], "not served"),
        (["query @fresh(maxAge: -1) { viewer { name } }"], "must not be negative"),
        (["{ viewer { name } }", "--url", "http://127.0.0.1:9/graphql"], "ConnectError"),
    ],
    ids=str,
)
def test_what_is_no_operation_ends_with_2(
    explain: Explain, arguments: list[str], told: str
) -> None:
    code, out, err = explain(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


EXPLAINED = {
    "cost": {"requested": 1, "limit": 2},
    "plan": {"waves": [], "calls": 0, "worstMilliseconds": 0, "deadlineMilliseconds": 9},
    "run": {
        "milliseconds": 10,
        "calls": 1,
        "waves": [
            {
                "wave": 1,
                "start": 2,
                "milliseconds": 8,
                "questions": [
                    {
                        "operation": "stock.availability",
                        "start": 2,
                        "milliseconds": 8,
                        "keys": 24,
                        "live": 20,
                        "cached": 4,
                        "upstreams": ["erp"],
                        "calls": [{"upstream": "erp", "start": 3, "milliseconds": 7, "keys": 20}],
                    }
                ],
            }
        ],
    },
}


@contextmanager
def gateway(answer: Any, heard: list[Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((self.headers["x-api-key"], json.loads(body)))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/graphql"
        server.shutdown()
        thread.join()


def test_a_gateway_runs_it_and_tells(explain: Explain) -> None:
    heard: list[Any] = []
    with gateway({"data": {}, "extensions": {"explain": EXPLAINED}}, heard) as address:
        code, out, err = explain("{ viewer { name } }", "--url", address, PASSERELLE_API_KEY="k")

    assert (code, err) == (0, "")
    assert "took 10.0 ms; 1 call in 1 wave" in out
    assert "4 cached, 20 live, by 1 call" in out
    assert "#" * 32 in out
    ((key, body),) = heard
    assert (key, body["extensions"]) == ("k", {"explain": True})


@pytest.mark.parametrize(
    "answer",
    [
        {"extensions": {"explain": {"error": {"code": "FORBIDDEN", "message": "not you"}}}},
        {"errors": [{"message": "not you"}]},
    ],
    ids=["no scope", "refused"],
)
def test_a_gateway_that_does_not_tell_is_quoted(explain: Explain, answer: Any) -> None:
    with gateway(answer, []) as address:
        code, out, err = explain("{ viewer { name } }", "--url", address)

    assert (code, out) == (2, "")
    assert err == "not you\n"


@pytest.mark.parametrize("answer", [[], {}, {"extensions": {"explain": {"cost": 1}}}], ids=str)
def test_nor_is_nonsense_a_crash(explain: Explain, answer: Any) -> None:
    with gateway(answer, []) as address:
        code, _, err = explain("{ viewer { name } }", "--url", address)

    assert code == 2
    assert "Traceback" not in err
