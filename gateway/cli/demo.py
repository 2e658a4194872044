"""The invented company: the sandbox in a process of its own, the gateway in front of it here."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.listening import end_on_signals, listen
from gateway.cli.toml_text import toml_text
from sandbox import credentials

if TYPE_CHECKING:
    from gateway.cli.demo_access import Credentials

HOST = "127.0.0.1"
NOTES = Path("var") / "demo.json"
CONFIG = Path("var") / "demo.toml"
KEYS = Path("var") / "demo-keys.db"
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
        _forget()
        with listen(HOST, self.port) as listener, self._sandbox() as process:
            # Heavy, and so imported while the sandbox starts.
            from gateway.app import build
            from gateway.cli import demo_access, serving
            from gateway.settings import read
            from gateway.telemetry import logs

            logs.configure("console")
            examples = self._examples(process)
            tables = self.tables(secrets.token_urlsafe(32))
            settings = read(tables)
            _write(CONFIG, toml_text(tables))
            given = demo_access.credentials(settings.access.keys, self.issuer, examples)
            page = demo_access.page(given, self.issuer, examples)
            app = build(settings, page=page)
            serving.run(app, listener, settings, lambda: self._announce(examples, given))

    @property
    def issuer(self) -> str:
        return f"{self.sandbox}/oauth"

    def tables(self, pepper: str) -> dict[str, Any]:
        """What a user's own file would hold for the sandbox."""
        return {
            "server": {"host": HOST, "port": self.port},
            "access": {
                "anonymous": True,
                "keys": {"store": f"sqlite:{KEYS}", "pepper": pepper},
                "claims": {"staff": "staff"},
                "issuers": {"sandbox": self._issuer()},
            },
            "upstreams": {
                name: {"base_url": f"{self.sandbox}/{table['kind']}", **table}
                for name, table in _UPSTREAMS.items()
            },
            "status": {"open": True},
            # The invented company's books never change.
            "polling": {"erp": {"enabled": False}},
            "roles": {
                "catalog": "pim",
                "customers": "crm",
                "tracking": {"dhl": "dhl", "ups": "ups"},
                **dict.fromkeys(_ERP_ROLES, "erp"),
            },
        }

    def _issuer(self) -> dict[str, Any]:
        name = credentials.OAUTH_INTROSPECTION_ID
        return {
            "issuer": self.issuer,
            "audience": credentials.OAUTH_AUDIENCE,
            "introspection": {
                "client_id": name,
                "client_secret": credentials.OAUTH_SECRETS[name],
            },
        }

    def notes(self, examples: Mapping[str, str], given: "Credentials") -> dict[str, Any]:
        """What `var/demo.json` holds. `headers` are those that every example works with."""
        return {
            "graphql": f"{self.root}/graphql",
            "ide": f"{self.root}/",
            "sandbox": self.sandbox,
            "issuer": self.issuer,
            "config": str(CONFIG),
            "examples": dict(examples),
            "headers": {"X-API-Key": given.api_keys["storefront"]},
            "api_keys": dict(given.api_keys),
            "tokens": dict(given.tokens),
            "tenants": [dict(one) for one in given.tenants],
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

    def _announce(self, examples: Mapping[str, str], given: "Credentials") -> None:
        notes = self.notes(examples, given)
        _write(NOTES, json.dumps(notes, indent=2) + "\n")
        query = _QUERY % examples["sku"]
        body = json.dumps({"query": " ".join(query.split())})
        key = f"X-API-Key: {given.api_keys['storefront']}"
        print(
            f"Query editor  {self.root}/\n"
            f"GraphQL       {self.root}/graphql\n"
            f"Status        {self.root}/status\n"
            f"Sandbox       {self.sandbox}\n"
            f"Issuer        {self.issuer}\n"
            f"Examples      {', '.join(f'{name} {key}' for name, key in examples.items())}\n"
            f"API keys      {_listed(given.api_keys)}\n"
            f"Tokens, tenants and all of this are in {NOTES}; the configuration is {CONFIG}.\n\n"
            f"A first query, to paste into the editor:\n\n{query}\n\n"
            f"or into a terminal:\n\n"
            f"curl -s {self.root}/graphql -H 'content-type: application/json' "
            f"-H '{key}' -d '{body}'\n\n"
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
        "default_locale": "en_US",
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


def _listed(named: Mapping[str, str]) -> str:
    return f"\n{' ' * 14}".join(f"{name:<10} {value}" for name, value in named.items())


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
    """Whoever waits for the file finds all of it; it holds secrets, so only its owner reads it."""
    path.parent.mkdir(exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.tmp")
    half.touch(mode=0o600)
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def _forget() -> None:
    """What an earlier start left: its keys have another pepper."""
    for path in (NOTES, CONFIG, *KEYS.parent.glob(f"{KEYS.name}*")):
        path.unlink(missing_ok=True)
