"""`passerelle serve` as a process."""

import http.client
import json
import signal
import socket
from contextlib import closing
from typing import Any

import pytest

DOWN = """
[access]
anonymous = true
[upstreams.erp]
kind = "odoo"
base_url = "http://127.0.0.1:9"
api_key = "correct-horse"
[roles]
stock = "erp"
"""


def ask(port: int, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        headers = {"content-type": "application/json"}
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(
    start: Any, config: Any, answers: Any, port: int, number: signal.Signals
) -> None:
    """An upstream that is down does not keep it from starting."""
    config(DOWN)
    process = start("serve", "--port", str(port))

    assert answers(f"http://127.0.0.1:{port}/healthz", process)
    status, headers, _ = ask(port, "/readyz")
    _, _, answer = ask(port, "/graphql", b'{"query": "{ __typename }"}')
    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert status == 200
    assert "server" not in headers
    assert json.loads(answer) == {"data": {"__typename": "Query"}}
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert f"listening address=http://127.0.0.1:{port}" in err
    assert "/healthz" not in err, "no access log"


def test_options_win_over_the_environment_and_that_over_the_file(
    start: Any, config: Any, answers: Any, port: int
) -> None:
    config('[server]\nhost = "127.0.0.2"\nport = 1\nlog_format = "json"\n')
    environ = {"PASSERELLE_PORT": str(port), "PASSERELLE_SERVER__HOST": "127.0.0.3"}
    process = start("serve", "--host", "127.0.0.1", env=environ)

    assert answers(f"http://127.0.0.1:{port}/healthz", process)
    process.terminate()
    _, err = process.communicate(timeout=30)

    events = [json.loads(line) for line in err.splitlines()]
    assert {"event": "listening", "address": f"http://127.0.0.1:{port}"}.items() <= events[
        -1
    ].items()


@pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]], ids=["nobody", "this machine"])
def test_only_trusted_proxies_tell_the_client(
    start: Any, config: Any, answers: Any, port: int, trusted: list[str]
) -> None:
    """A stranger who may ask once, and says to be another each time."""
    config(
        "[access]\nanonymous = true\n"
        "[rates.anonymous]\nburst = 1\ncost_per_second = 0.0001\n"
        f"[http]\ntrusted_proxies = {json.dumps(trusted)}\n"
    )
    process = start("serve", "--port", str(port))
    assert answers(f"http://127.0.0.1:{port}/healthz", process)

    found = set()
    for number in range(3):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            headers = {"content-type": "application/json", "x-forwarded-for": f"192.0.2.{number}"}
            connection.request("POST", "/graphql", b'{"query": "{ __typename }"}', headers)
            found.add(connection.getresponse().status)
    process.terminate()
    process.communicate(timeout=30)

    assert found == ({200} if trusted else {200, 429})


def test_a_port_in_use_is_one_line(start: Any, config: Any) -> None:
    config("")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        process = start("serve", "--port", str(port))
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err == f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"


def test_a_host_that_does_not_exist_is_one_line(start: Any, config: Any) -> None:
    config('[server]\nhost = "no such host"\n')

    process = start("serve")
    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err.startswith("Cannot listen on no such host: ")
    assert len(err.splitlines()) == 1


def test_the_sandbox_alone(start: Any, answers: Any, port: int) -> None:
    process = start("sandbox", env={"PASSERELLE_SANDBOX_PORT": str(port)})

    assert answers(f"http://127.0.0.1:{port}/_control/calls", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_the_sandbox_has_its_port_or_one_line(start: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        process = start("sandbox", "--port", str(port))
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err == f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"
