"""The invented company: the sandbox in a process of its own, the gateway in front of it here."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.cli.listening import end_on_signals, listen
from sandbox import credentials

HOST = "127.0.0.1"
NOTES = Path("var") / "demo.json"
_ERP_ROLES = ("pricing", "stock", "accounts", "orders", "invoices", "shipments")
_SANDBOX_SECONDS = 30
_QUERY = """\
{
  product(sku: "%s") {
    name
    price { unit { net { amount currency } } freshness { state } }
    availability { status available }
  }
}"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo listens."""

    port: int = 8000
    sandbox_port: int = 8100

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Demo":
        """Ends the process with one line and 2 when a port is no port."""
        return cls(
            _port(environ, "PASSERELLE_PORT", cls().port),
            _port(environ, "PASSERELLE_SANDBOX_PORT", cls().sandbox_port),
        )

    @property
    def root(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM."""
        end_on_signals()
        NOTES.unlink(missing_ok=True)
        with listen(HOST, self.port) as listener, self._sandbox() as process:
            # Heavy, and so imported while the sandbox starts.
            from gateway.app import build
            from gateway.cli import serving
            from gateway.settings import read
            from gateway.telemetry import logs

            logs.configure("console")
            examples = self._examples(process)
            app = build(read(self.tables(examples)), examples=examples)
            serving.run(app, listener, lambda: self._announce(examples))

    def tables(self, examples: Mapping[str, str]) -> dict[str, Any]:
        """What a user's own file would hold for the sandbox."""
        return {
            "server": {"host": HOST, "port": self.port},
            "access": {"caller": _caller(examples["customer"])},
            "upstreams": {
                name: {"base_url": f"{self.sandbox}/{table['kind']}", **table}
                for name, table in _UPSTREAMS.items()
            },
            "roles": {
                "catalog": "pim",
                "customers": "crm",
                "tracking": {"dhl": "dhl", "ups": "ups"},
                **dict.fromkeys(_ERP_ROLES, "erp"),
            },
        }

    def notes(self, examples: Mapping[str, str]) -> dict[str, Any]:
        """What `var/demo.json` holds."""
        return {
            "graphql": f"{self.root}/graphql",
            "ide": f"{self.root}/",
            "sandbox": self.sandbox,
            "examples": dict(examples),
            "headers": {},
        }

    @contextmanager
    def _sandbox(self) -> Iterator["subprocess.Popen[bytes]"]:
        """It ends when its input does, even if this process is killed."""
        listen(HOST, self.sandbox_port).close()
        # -P: what lies in the working directory is not imported.
        command = [sys.executable, "-P", "-m", "gateway.cli", "sandbox", "--until-input-ends"]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--port", str(self.sandbox_port)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _examples(self, process: "subprocess.Popen[bytes]") -> dict[str, str]:
        """Waits for the sandbox to tell them; without it the demo ends with 1."""
        last = time.monotonic() + _SANDBOX_SECONDS
        while process.poll() is None and time.monotonic() < last:
            try:
                return _asked(f"{self.sandbox}/_control/examples")
            except OSError:
                time.sleep(0.02)
        sys.exit("The sandbox did not start.")

    def _announce(self, examples: Mapping[str, str]) -> None:
        _write(NOTES, json.dumps(self.notes(examples), indent=2) + "\n")
        query = _QUERY % examples["sku"]
        body = json.dumps({"query": " ".join(query.split())})
        print(
            f"Query editor  {self.root}/\n"
            f"GraphQL       {self.root}/graphql\n"
            f"Sandbox       {self.sandbox}\n"
            f"Examples      {', '.join(f'{name} {key}' for name, key in examples.items())}\n"
            f"No credentials are needed; all this is in {NOTES} too.\n\n"
            f"A first query, to paste into the editor:\n\n{query}\n\n"
            f"or into a terminal:\n\n"
            f"curl -s {self.root}/graphql -H 'content-type: application/json' -d '{body}'\n\n"
            "Ctrl-C ends both.",
            flush=True,
        )


_UPSTREAMS: Mapping[str, Mapping[str, str]] = {
    "pim": {
        "kind": "akeneo",
        "client_id": credentials.AKENEO_CLIENT_ID,
        "client_secret": credentials.AKENEO_CLIENT_SECRET,
        "username": credentials.AKENEO_USERNAME,
        "password": credentials.AKENEO_PASSWORD,
    },
    "erp": {
        "kind": "odoo",
        "api_key": credentials.ODOO_API_KEY,
        "database": credentials.ODOO_DATABASE,
    },
    "crm": {"kind": "hubspot", "token": credentials.HUBSPOT_TOKEN},
    "dhl": {"kind": "dhl", "api_key": credentials.DHL_API_KEY},
    "ups": {
        "kind": "ups",
        "client_id": credentials.UPS_CLIENT_ID,
        "client_secret": credentials.UPS_CLIENT_SECRET,
    },
}


def _caller(customer: str) -> dict[str, str]:
    return {
        "subject": "demo",
        "name": "Demo Buyer",
        "email": "demo@example.com",
        "customer": customer,
    }


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):  # noqa: PLR2004
        print(f"{name}: must be a port, 1 to 65535", file=sys.stderr)
        sys.exit(2)
    return int(text)


def _asked(address: str) -> dict[str, str]:
    """The sandbox's names in ours."""
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own sandbox
        found: dict[str, str] = json.load(answer)
    return {_camel(name): key for name, key in found.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _write(path: Path, text: str) -> None:
    """Whoever waits for the file finds all of it."""
    path.parent.mkdir(exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.tmp")
    half.write_text(text, encoding="utf-8")
    half.replace(path)
