"""The demo as a newcomer has it: one command, then queries against systems that speak for real."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.http.ide import storefront_query

SECONDS = 60


def free_ports() -> dict[str, str]:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return {
            "PASSERELLE_PORT": str(one.getsockname()[1]),
            "PASSERELLE_SANDBOX_PORT": str(other.getsockname()[1]),
        }


@contextmanager
def demo(folder: Path, ports: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("PASSERELLE_")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gateway.cli", "demo"],
        env=own | dict(ports),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool]) -> bool:
    last = time.monotonic() + SECONDS
    while time.monotonic() < last:
        if condition():
            return True
        time.sleep(0.05)
    return False


def notes_of(folder: Path, process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the demo wrote once it answered."""
    file = folder / "var" / "demo.json"
    assert until(lambda: file.is_file() or process.poll() is not None)
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def asked(notes: Mapping[str, Any], query: str, **variables: object) -> dict[str, Any]:
    request = urllib.request.Request(
        notes["graphql"],
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json", **notes["headers"]},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def is_gone(address: str) -> bool:
    try:
        fetched(address)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return True
    return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The notes of a demo that serves all tests which only read."""
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder, free_ports()) as process:
        yield notes_of(folder, process)


def test_the_notes_tell_all_that_a_query_needs(running: Mapping[str, Any]) -> None:
    assert set(running) >= {"graphql", "ide", "sandbox", "examples", "headers"}
    assert set(running["examples"]) == {"sku", "category", "customer", "order", "trackingNumber"}
    assert all(running["examples"].values())


def test_the_editor_and_the_sandbox_answer(running: Mapping[str, Any]) -> None:
    assert b"<html" in fetched(running["ide"]).lower()
    tabs = json.loads(fetched(f"{running['ide']}ide/config.json"))["tabs"]
    assert tabs[0]["variables"] == {"sku": running["examples"]["sku"]}
    assert "akeneo" in json.loads(fetched(f"{running['sandbox']}/_control/calls"))


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("product", {"sku": "sku"}),
        ("listing", {"category": "category"}),
        ("order-history", {"customer": "customer"}),
        ("tracking", {"trackingNumber": "trackingNumber"}),
    ],
)
def test_the_storefront_pages_are_answered(
    running: Mapping[str, Any], name: str, variables: Mapping[str, str]
) -> None:
    values = {key: running["examples"][example] for key, example in variables.items()}

    answer = asked(running, storefront_query(name), **values)

    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


def test_the_demo_caller_is_the_example_customer(running: Mapping[str, Any]) -> None:
    answer = asked(running, "{ viewer { customer { number } scopes } }")

    assert answer["data"]["viewer"]["customer"]["number"] == running["examples"]["customer"]


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    ports = free_ports()
    for name, port in ports.items():
        with (
            closing(socket.create_server(("127.0.0.1", int(port)))),
            demo(tmp_path, ports) as process,
        ):
            out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 1, name
        assert (out, err) == (
            "",
            f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n",
        )
    assert not (tmp_path / "var" / "demo.json").exists()


def test_a_port_has_to_be_one(tmp_path: Path) -> None:
    with demo(tmp_path, {"PASSERELLE_PORT": "http"}) as process:
        _, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 2
    assert err == "PASSERELLE_PORT: must be a port, 1 to 65535\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_both(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.json").write_text("of the last time", encoding="utf-8")
    with demo(tmp_path, free_ports()) as process:
        file = tmp_path / "var" / "demo.json"
        assert until(lambda: file.is_file() and file.read_text(encoding="utf-8")[:1] == "{")
        notes = json.loads(file.read_text(encoding="utf-8"))
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 0
    assert "Traceback" not in out + err
    assert is_gone(notes["ide"])
    assert is_gone(notes["sandbox"])
    left = {path.name for path in (tmp_path / "var").iterdir()}
    assert left == {"demo.json", "demo.toml", "demo-keys.db", "journal.db"}


def test_the_sandbox_ends_with_its_parent(tmp_path: Path) -> None:
    """Even if that is killed and cannot tell it."""
    with demo(tmp_path, free_ports()) as process:
        notes = notes_of(tmp_path, process)
        process.kill()
        process.wait()

        assert until(lambda: is_gone(f"{notes['sandbox']}/_control/calls"))


def test_what_is_printed_can_be_pasted(tmp_path: Path) -> None:
    with demo(tmp_path, free_ports()) as process:
        notes = notes_of(tmp_path, process)
        lines: list[str] = []
        assert process.stdout is not None
        while not lines or not lines[-1].startswith("curl "):
            lines.append(process.stdout.readline())
        [_, *words] = shlex.split(lines[-1])
        body = json.loads(words[words.index("-d") + 1])
        printed = "".join(lines)

        answer = asked(notes, body["query"])

    assert notes["graphql"] in words
    assert notes["ide"] in printed
    assert notes["sandbox"] in printed
    assert answer["data"]["product"]["price"]["freshness"]["state"] == "LIVE"
    query = re.search(r"^\{\n.*?^\}$", printed, re.MULTILINE | re.DOTALL)
    assert query is not None
    assert query[0].split() == body["query"].split()
