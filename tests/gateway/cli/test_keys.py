"""`passerelle keys`: what is printed, what is kept, and how mistakes end it."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.access.key_wiring import verifier_of
from gateway.cli.keys import app
from gateway.settings.keys import KeySettings
from ports.caller import Caller

PEPPER = "pepper-of-these-tests-32-letters"
KEY = re.compile(r"gw_(live|test)_[0-9A-Za-z]{38}")
HEAVY = ("redis", "sqlite3", "gateway.settings", "gateway.access.keys", "rich")


class Quiet:
    def note(self, event: str, *, caller: str, **facts: object) -> None:
        pass


@pytest.fixture
def file(config: Any, tmp_path: Path) -> Path:
    """A configuration of which only the part on keys is right."""
    made: Path = config(
        f'[access.keys]\nstore = "sqlite:{tmp_path}/store/keys.db"\npepper = "{PEPPER}"\n'
        '[upstreams.erp]\nkind = "unheard of"\n'
    )
    return made


@pytest.fixture
def caller_of(tmp_path: Path) -> Callable[[str], Caller | None]:
    """Whom a gateway with the same store takes the holder of a key for."""
    told = {"store": f"sqlite:{tmp_path}/store/keys.db", "pepper": PEPPER}
    settings = KeySettings.model_validate(told)

    async def verified(key: str) -> Caller | None:
        verifier = verifier_of(settings, Quiet())
        assert verifier is not None
        try:
            return await verifier.verify(key, origin=None)
        finally:
            await verifier.aclose()

    return lambda key: asyncio.run(verified(key))


def keys(*arguments: str, file: Path | None = None, env: dict[str, str] | None = None) -> Result:
    config = () if file is None else ("--config", str(file))
    return CliRunner().invoke(app, [*arguments, *config], env=env, catch_exceptions=False)


def created(file: Path, *arguments: str) -> dict[str, Any]:
    done = keys("create", "shop", "--json", *arguments, file=file)
    assert done.exit_code == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def listed(file: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(keys("list", "--json", file=file).stdout)
    return told


@pytest.mark.parametrize("arguments", [[], ["create"], ["rotate"], ["list"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from gateway.cli.keys import app\n"
        "try: app()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments, "--help"]
    # Measuring coverage in the process would itself import sqlite3.
    own = {name: text for name, text in os.environ.items() if not name.startswith("COV")}

    done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_a_key_is_shown_once(file: Path) -> None:
    done = keys("create", "shop", "--scope", "catalog:read", file=file)

    [found] = KEY.finditer(done.stdout)
    assert done.exit_code == 0
    assert found[0].startswith("gw_live_")
    assert "Keep the key now" in done.stderr
    assert found[0] not in keys("list", file=file).stdout
    assert found[0] not in keys("list", "--json", file=file).stdout


def test_all_that_can_be_said_of_a_key(file: Path) -> None:
    told = created(
        file, "--scope", "orders:read", "--scope", "catalog:read,prices:read",
        "--customer", "C-1", "--customer", "C-2", "--default-customer", "C-2",
        "--expires", "90d", "--rate-class", "partner",
        "--origin", "https://shop.example/", "--test",
    )  # fmt: skip

    assert KEY.fullmatch(told["key"])
    assert told["key"].startswith("gw_test_")
    assert (told["name"], told["kind"], told["state"]) == ("shop", "test", "live")
    assert told["scopes"] == ["catalog:read", "orders:read", "prices:read"]
    assert told["customers"] == ["C-1", "C-2"]
    assert told["customer"] == "C-2"
    assert told["rate_class"] == "partner"
    assert told["origins"] == ["https://shop.example"]
    lifetime = datetime.fromisoformat(told["expires_at"]) - datetime.fromisoformat(
        told["created_at"]
    )
    assert lifetime == timedelta(days=90)
    assert listed(file) == [{name: value for name, value in told.items() if name != "key"}]


def test_a_key_of_which_little_is_said_may_little(file: Path) -> None:
    told = created(file)

    assert told["scopes"] == ["catalog:read", "prices:read", "stock:read"]
    assert told["customers"] == []
    assert told["expires_at"] is not None


def test_all_customers_and_no_end(file: Path) -> None:
    told = created(file, "--customer", "*", "--expires", "never")

    assert told["customers"] == "*"
    assert told["expires_at"] is None


def test_the_gateway_accepts_what_was_made_until_it_is_revoked(
    file: Path, caller_of: Callable[[str], Caller | None]
) -> None:
    first = created(file, "--customer", "C-1", "--scope", "orders:read")
    second = json.loads(keys("rotate", first["id"], "--json", file=file).stdout)
    for told in (first, second):
        caller = caller_of(told["key"])
        assert caller is not None
        assert caller.subject == f"key:{told['id']}"
        assert caller.scopes == {"orders:read"}
        assert caller.customer == "C-1"

    done = keys("revoke", first["id"], file=file)

    assert done.exit_code == 0
    assert caller_of(first["key"]) is None
    assert caller_of(second["key"]) is not None
    assert datetime.fromisoformat(listed(file)[0]["last_used_at"]).tzinfo is not None


def test_a_rotated_key_ends_after_the_overlap(file: Path) -> None:
    first = created(file, "--expires", "never")
    done = keys("rotate", first["id"], "--overlap", "2h", "--expires", "1w", file=file)
    assert done.exit_code == 0

    old, new = sorted(listed(file), key=lambda told: told["id"] != first["id"])

    ends, starts = (datetime.fromisoformat(text) for text in (old["expires_at"], new["created_at"]))
    assert ends - starts == timedelta(hours=2)
    assert old["client"] == new["client"]
    assert new["id"] in done.stdout


def test_a_third_live_key_is_refused(file: Path) -> None:
    first = created(file)
    keys("rotate", first["id"], file=file)

    done = keys("rotate", first["id"], file=file)

    assert done.exit_code == 1
    assert "two live keys are the most" in done.stderr
    assert len(listed(file)) == 2


def test_revoked_twice_is_no_mistake(file: Path) -> None:
    told = created(file)

    done = [keys("revoke", what, file=file) for what in (told["key"], told["id"])]

    assert [one.exit_code for one in done] == [0, 0]
    assert done[0].stdout == done[1].stdout
    assert told["key"] not in done[0].stdout
    assert listed(file)[0]["state"] == "revoked"


def test_what_there_is_not_ends_with_1(file: Path) -> None:
    for command in ("rotate", "revoke"):
        done = keys(command, "nothing", file=file)
        assert (done.exit_code, done.stdout) == (1, "")
        assert "there is no key 'nothing'" in done.stderr


def test_a_list_for_people(file: Path) -> None:
    told = created(file, "--origin", "https://shop.example")

    done = keys("list", file=file)

    head, row = done.stdout.splitlines()
    assert head.split()[:4] == ["id", "name", "kind", "state"]
    assert row.split()[:4] == [told["id"], "shop", "live", "live"]
    assert "https://shop.example" in row
    assert row.rstrip().endswith("never")


def test_a_key_under_another_pepper_is_marked(file: Path) -> None:
    created(file)

    env = {"PASSERELLE_ACCESS__KEYS__PEPPER": "q" * 32}
    [told] = json.loads(keys("list", "--json", file=file, env=env).stdout)

    assert told["state"] == "unusable: other pepper"


def test_a_missing_pepper_is_told_with_its_remedy(config: Any, tmp_path: Path) -> None:
    file = config(f'[access.keys]\nstore = "sqlite:{tmp_path}/keys.db"\n')

    done = keys("create", "shop", file=file)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "access.keys.pepper: missing" in done.stderr
    assert "PASSERELLE_ACCESS__KEYS__PEPPER=$(passerelle keys pepper)" in done.stderr
    assert keys("list", "--json", file=file).exit_code == 0
    pepper = keys("pepper").stdout.strip()
    env = {"PASSERELLE_ACCESS__KEYS__PEPPER": pepper}
    assert keys("create", "shop", file=file, env=env).exit_code == 0


def test_everything_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = keys("create", "shop", env={"PASSERELLE_ACCESS__KEYS__PEPPER": PEPPER})

    assert done.exit_code == 0
    assert (tmp_path / "var" / "keys.db").is_file()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[access.keys]\npeper = 'x'\n", "access.keys.peper: unknown key; did you mean pepper?"),
        ("[access.keys]\npepper = 'hush-hush'\n", "access.keys.pepper: must have at least 32"),
        ("[access]\nkeys = 3\n", "access.keys: must be a table"),
        ("access = 3\n", "access: must be a table"),
        ("[access.keys\n", "is not TOML"),
        ("[access.keys]\nstore = 'mysql://h'\n", "access.keys.store: must be sqlite:<file>"),
    ],
)
def test_wrong_settings_end_with_2(config: Any, text: str, told: str) -> None:
    done = keys("list", file=config(text))

    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert "hush-hush" not in done.stderr


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    done = keys("list", file=tmp_path / "absent.toml")

    assert done.exit_code == 2
    assert "absent.toml: there is no such file" in done.stderr


def test_a_store_that_is_down_ends_with_1(config: Any, tmp_path: Path) -> None:
    done = keys("list", file=config(f'[access.keys]\nstore = "unix://{tmp_path}/none"\n'))

    assert (done.exit_code, done.stdout) == (1, "")
    assert "the store of keys: ConnectionError" in done.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--expires", "soon"),
        ("--expires", "90"),
        ("--expires", "-1d"),
        ("--expires", "99999999d"),
        ("--overlap", "never"),
    ],
)
def test_a_wrong_duration_ends_with_2(file: Path, option: tuple[str, str]) -> None:
    command = ["rotate", "x"] if option[0] == "--overlap" else ["create", "shop"]

    done = keys(*command, *option, file=file)

    assert done.exit_code == 2
    assert option[0] in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--expires", "0d"),
        ("--expires", "9999999d"),
        ("--origin", "shop.example"),
        ("--default-customer", "C-1"),
        ("--rate-class", "a b"),
        ("--customer", "C-1", "--default-customer", "C-2"),
    ],
)
def test_what_cannot_be_meant_ends_with_1(file: Path, options: tuple[str, ...]) -> None:
    done = keys("create", "shop", *options, file=file)

    assert (done.exit_code, done.stdout) == (1, "")
    assert listed(file) == []


def test_a_misspelt_scope_is_hinted_at(file: Path) -> None:
    done = keys("create", "shop", "--scope", "order:read", file=file)

    assert done.exit_code == 0
    assert "did you mean orders:read?" in done.stderr
