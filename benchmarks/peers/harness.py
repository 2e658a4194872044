"""Drives the harness of the peers: sets it up, tells it how our gateway is started, reads its figures."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
UPSTREAMS = ("PIM", "ERP", "CRM", "CARRIER")
SCOPES = "catalog:read,prices:read,stock:read,customers:read,orders:read"

Results = dict[str, Any]
"""The harness's own: by server, its kind and for each query what was measured."""


class HarnessError(Exception):
    """The harness is not there, or did not run."""


@dataclass(frozen=True)
class Server:
    """One way to start our gateway. `without` names what `without.py` takes out."""

    name: str
    config: str = "bench.toml"
    without: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        told = [f"{name}={value}" for name, value in self.environment.items()]
        taken = self.without or "nothing"
        program = [sys.executable, str(HERE / "without.py"), taken, str(HERE / self.config)]
        return " ".join(["env", *told, *program, "{port}"])


@dataclass(frozen=True)
class Workplace:
    """The environment that our gateways run in, and the key that they are asked with."""

    environment: Mapping[str, str]
    key: str


@dataclass(frozen=True)
class Harness:
    """`folder` holds bench.py. Servers are measured for `secs` seconds, on ports from `port` on."""

    folder: Path
    workplace: Workplace
    port: int
    secs: int

    def run(self, servers: Sequence[Server], peers: Sequence[str], *options: str) -> Results:
        """Prints the harness's table; gives its figures. Raises HarnessError."""
        figures = Path(self.workplace.environment["PASSERELLE_BENCH_FOLDER"]) / "figures.json"
        command = [sys.executable, str(self.folder / "bench.py"), *self._options(figures)]
        for server in servers:
            command += self._of(server)
        names = [*(peers or self._all_peers()), *(server.name for server in servers)]
        environment = {**os.environ, **self.workplace.environment}
        done = subprocess.run([*command, *options, *names], env=environment, check=False)
        if done.returncode != 0:
            raise HarnessError("the harness failed; what it said stands above")
        results: Results = json.loads(figures.read_text(encoding="utf-8"))["results"]
        return results

    def _options(self, figures: Path) -> list[str]:
        return ["--port", str(self.port), "--secs", str(self.secs), "--json", str(figures)]

    def _of(self, server: Server) -> list[str]:
        name = server.name
        return [
            *("--peer-cmd", f"{name}={server.command}"),
            *("--peer-queries", f"{name}={HERE / 'ours.json'}"),
            *("--peer-header", f"{name}:X-API-Key={self.workplace.key}"),
        ]

    def _all_peers(self) -> list[str]:
        listed = subprocess.run(
            [sys.executable, str(self.folder / "bench.py"), "list"],
            check=True,
            capture_output=True,
            text=True,
        )
        return [line.split()[0] for line in listed.stdout.splitlines()]


def installed() -> Path:
    """The harness's folder; its peers are installed first where they are not. Raises HarnessError."""
    folder = Path(os.environ.get("BENCH_PEERS", ROOT.parent / "shared" / "bench-peers"))
    if not (folder / "bench.py").is_file():
        raise HarnessError(f"no harness at {folder}; set BENCH_PEERS to where it is")
    home = Path(os.environ.get("BENCH_HOME", Path.home() / ".cache" / "bench-peers"))
    if not (home / "bin" / "root" / "usr" / "bin" / "wrk").is_file():
        subprocess.run([str(folder / "setup.sh")], check=True)
    return folder


def workplace(folder: Path, port: int) -> Workplace:
    """A key made in a store of its own, and the mock's address for every upstream."""
    addresses = {
        f"PASSERELLE_UPSTREAMS__{name}__BASE_URL": f"http://127.0.0.1:{port}" for name in UPSTREAMS
    }
    environment = {
        **addresses,
        "PASSERELLE_BENCH_FOLDER": str(folder),
        "PASSERELLE_ACCESS__KEYS__STORE": f"sqlite:{folder / 'keys.db'}",
        "PASSERELLE_JOURNAL__FILE": str(folder / "journal.db"),
        "PASSERELLE_ACCESS__KEYS__PEPPER": secrets.token_urlsafe(32),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]),
    }
    return Workplace(environment, _key(environment))


def _key(environment: Mapping[str, str]) -> str:
    """That of an application which may act for every customer."""
    command = [sys.executable, "-m", "gateway.cli", "keys", "create", "peers", "--json"]
    options = ["--customer", "*", "--scope", SCOPES, "--config", str(HERE / "bench.toml")]
    made = subprocess.run(
        [*command, *options],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    key: str = json.loads(made.stdout)["key"]
    return key
