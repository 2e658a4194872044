"""`passerelle serve --workers`: processes that share a port."""

import http.client
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

EMPTY = "[access]\nanonymous = true\n"

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads processes of Linux")


def children(process: int) -> set[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return set(map(int, found.split()))


def listeners(port: int) -> int:
    """How many sockets listen on a port of 127.0.0.1."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(1 for line in lines if re.search(rf": 0100007F:{port:04X} \S+ 0A ", line))


def until(told: Callable[[], bool], process: Any, tries: int = 600) -> None:
    for _ in range(tries):
        if told():
            return
        assert process.poll() is None, process.communicate()
        with suppress(Exception):
            process.wait(0.05)
    pytest.fail("it never came")


def health(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/healthz")
        return connection.getresponse().status


@pytest.fixture
def two(start: Any, config: Any, port: int) -> Iterator[Any]:
    config(EMPTY)
    process = start("serve", "--port", str(port), "--workers", "2")
    until(lambda: listeners(port) == 2, process)
    yield process
    process.kill()


def test_workers_share_the_port_and_end_together(two: Any, port: int) -> None:
    workers = children(two.pid)
    assert len(workers) == 2
    assert {health(port) for _ in range(20)} == {200}

    two.send_signal(signal.SIGTERM)
    _, err = two.communicate(timeout=60)

    assert two.returncode == 0
    assert "Traceback" not in err
    assert listeners(port) == 0


def test_a_worker_that_ends_is_started_anew(two: Any, port: int) -> None:
    before = children(two.pid)
    lost = min(before)

    os.kill(lost, signal.SIGKILL)
    until(lambda: len(children(two.pid) - {lost}) == 2 and listeners(port) == 2, two)

    assert {health(port) for _ in range(20)} == {200}
    two.terminate()
    _, err = two.communicate(timeout=60)
    assert "worker ended" in err


def test_workers_do_not_outlive_their_parent(two: Any, port: int) -> None:
    workers = children(two.pid)

    two.kill()
    two.wait(60)

    for worker in workers:
        while Path(f"/proc/{worker}/stat").exists() and "Z" not in state(worker):
            pass
    assert listeners(port) == 0


def state(process: int) -> str:
    with suppress(OSError):
        return (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        )
    return "Z"


def test_a_port_in_use_is_told(start: Any, config: Any, port: int) -> None:
    config(EMPTY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start("serve", "--port", str(port), "--workers", "2")
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}" in err
