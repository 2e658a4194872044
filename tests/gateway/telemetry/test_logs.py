"""What stands in the log, and what does not."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from gateway.telemetry import logs


@pytest.fixture
def written() -> Iterator[Any]:
    """Configures the log of this process for a test: the lines that were written."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()

    def configure(log_format: Literal["console", "json"]) -> Any:
        logs.configure(log_format, stream)
        return lambda: stream.getvalue().splitlines()

    yield configure
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_is_an_object_a_line(written: Any) -> None:
    lines = written("json")

    with bound_contextvars(request_id="r-1"):
        structlog.get_logger().info("exchange failed", upstream="erp", attempt=2, other=object)

    [line] = map(json.loads, lines())
    expected = {
        "event": "exchange failed",
        "level": "info",
        "upstream": "erp",
        "attempt": 2,
        "request_id": "r-1",
    }
    assert expected.items() <= line.items()
    assert line["timestamp"].endswith("Z")


def test_the_console_is_for_people(written: Any) -> None:
    lines = written("console")

    structlog.get_logger().warning("exchange failed", upstream="erp")

    [line] = lines()
    assert line.endswith("Z [warning] exchange failed upstream=erp")


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_nobody_can_forge_a_line(written: Any, log_format: str) -> None:
    lines = written(log_format)

    structlog.get_logger().info("asked", sku="A\n2026 [info] paid\x1b[2K\u2028", query="a\rb")
    logging.getLogger("uvicorn.error").error("odd %s", "x\ny")

    assert len(lines()) == 2
    assert "\x1b" not in "".join(lines())


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_secrets_are_hidden(written: Any, log_format: str) -> None:
    lines = written(log_format)

    structlog.get_logger().info(
        "exchange failed",
        authorization="hush",
        api_key="hush",
        client_secret="hush",
        password=b"hush",
        access_token="hush",
        tokens=7,
    )

    assert "hush" not in lines()[0]
    assert "7" in lines()[0]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_has_no_local_variables(written: Any, log_format: str) -> None:
    lines = written(log_format)

    def fail() -> None:
        pin = "hu" + "sh"
        raise ValueError(f"wrong {len(pin)}")

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("request failed")

    text = "\n".join(lines())
    assert "ValueError: wrong 4" in text
    assert "in fail" in text
    assert "hush" not in text


def test_a_deep_recursion_is_told_shortly(written: Any) -> None:
    lines = written("json")

    def ping(depth: int) -> int:
        return pong(depth) + 1

    def pong(depth: int) -> int:
        return ping(depth) + 1

    try:
        ping(0)
    except RecursionError:
        structlog.get_logger().exception("request failed")

    [line] = map(json.loads, lines())
    assert "RecursionError" in line["exception"]
    assert line["exception"].count("File ") <= 40


def test_others_are_heard_from_warning_on(written: Any) -> None:
    lines = written("json")

    for name in ("uvicorn.error", "strawberry.execution", "aiohttp.client"):
        logging.getLogger(name).info("noise of %s", name)
        logging.getLogger(name).warning("trouble of %s", name)

    found = [json.loads(line) for line in lines()]
    assert [(one["logger"], one["event"], one["level"]) for one in found] == [
        (name, f"trouble of {name}", "warning")
        for name in ("uvicorn.error", "strawberry.execution", "aiohttp.client")
    ]


def test_a_lone_surrogate_is_no_failure(written: Any) -> None:
    lines = written("json")

    structlog.get_logger().info("asked", sku="\ud800", count=2**70)

    assert json.loads(lines()[0])["count"] == 2**70
