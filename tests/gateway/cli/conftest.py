"""The command line as its user has it: a process, an environment, a folder."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

SECONDS = 60
Start = Callable[..., "subprocess.Popen[str]"]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `passerelle` in the test's folder; what still runs at the end is killed."""
    with ExitStack() as stack:

        def begin(*arguments: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
            own = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "gateway.cli", *arguments],
                env=own | dict(env or {}),
                cwd=tmp_path,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def answers() -> Callable[..., bool]:
    """Waits until an address answers; False when the process ended instead."""

    def wait(address: str, process: "subprocess.Popen[str]") -> bool:
        last = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < last:
            try:
                with urllib.request.urlopen(address, timeout=5):
                    return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                time.sleep(0.05)
        return False

    return wait


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    """Writes `passerelle.toml` into the test's folder."""

    def write(text: str) -> Path:
        file = tmp_path / "passerelle.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write
