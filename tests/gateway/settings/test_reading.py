"""A file becomes settings, or the list of everything that is wrong with it."""

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from gateway.settings import Problem, SettingsError, load, read
from upstream.config import UpstreamConfig

HUSH = "correct-horse-battery-staple"


def test_nothing_is_needed() -> None:
    settings = load(None, {})

    assert settings.server.root == "http://127.0.0.1:8000"
    assert settings.graphql.page_cap == 100
    assert settings.upstreams == {}
    assert settings.roles.catalog is None


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "passerelle.toml"
    file.write_text(
        """
        [server]
        port = 9000
        public_url = "https://shop.example.com/"
        [upstreams.erp]
        kind = "odoo"
        base_url = "https://erp.example.com/"
        api_key = "k"
        tries = 3
        [roles]
        pricing = "erp"
        """,
        encoding="utf-8-sig",
    )

    settings = load(file, {})

    assert settings.server.port == 9000
    assert settings.server.root == "https://shop.example.com"
    erp = settings.upstreams["erp"]
    assert type(erp).__name__ == "OdooConfig"
    assert (erp.base_url, erp.tries) == ("https://erp.example.com", 3)


def test_settings_cannot_be_changed(tables: dict[str, Any]) -> None:
    settings = read(tables)

    with pytest.raises(ValidationError):
        settings.server.port = 1


MISTAKES: dict[str, Any] = {
    "server": {"port": "many", "prot": 1},
    "graphql": 3,
    "media": {"secret": "too short", "lifetime_seconds": 1},
    "other": {},
    "upstreams": {
        "erp": {
            "kind": "odoo",
            "base_url": "ftp://x",
            "api_kee": HUSH,
            "languages": {"fr": 3},
        },
        "crm": {"base_url": "https://x"},
        "pim": {"kind": "akeno", "anything": 1},
        "oms": "x",
    },
    "roles": {
        "catalog": "pmi",
        "invoices": "erp",
        "stock": 3,
        "customers": "pim",
        "orderz": "erp",
        "tracking": {"dhl": "erp", "ups": 4},
    },
}
TOLD = {
    "server.port": "must be a valid integer, unable to parse string as an integer",
    "server.prot": "unknown key; did you mean port?",
    "graphql": "must be a table",
    "media.secret": "must have at least 16 characters",
    "media.lifetime_seconds": "must be greater than or equal to 60",
    "other": "unknown key",
    "upstreams.erp.base_url": "must be an http:// or https:// address with a host",
    "upstreams.erp.api_key": "missing",
    "upstreams.erp.api_kee": "unknown key; did you mean api_key?",
    "upstreams.erp.languages.fr": "must be a valid string",
    "upstreams.crm.kind": "missing",
    "upstreams.pim.base_url": "missing",
    "upstreams.oms": "must be a table",
    "roles.catalog": "no upstream 'pmi'; there are erp, crm, pim, oms; did you mean pim?",
    "roles.stock": "must be a valid string",
    "roles.orderz": "unknown key; did you mean orders?",
    "roles.tracking.ups": "must be a valid string",
}


def test_every_problem_is_told_with_its_path(problems: Any) -> None:
    found = problems(MISTAKES)

    # Their texts list the connectors that there are, and what Odoo serves.
    kind, role = found.pop("upstreams.pim.kind"), found.pop("roles.tracking.dhl")
    assert kind.startswith("no connector 'akeno'; there are akeneo, ")
    assert kind.endswith("; did you mean akeneo?")
    assert role.endswith(", not tracking")
    assert found == TOLD


def test_a_role_needs_an_upstream_that_serves_it(tables: dict[str, Any], problems: Any) -> None:
    tables["roles"] = {"catalog": "erp-fr", "tracking": {"dhl": "erp-fr"}}

    found = problems(tables)

    assert set(found) == {"roles.catalog", "roles.tracking.dhl"}
    assert "which serves pricing, stock" in found["roles.catalog"]
    assert problems({"roles": {"stock": "erp"}}) == {
        "roles.stock": "no upstream 'erp'; there is none"
    }


def test_carrier_codes_are_lower_case(tables: dict[str, Any]) -> None:
    tables["roles"] = {"tracking": {"DHL": "dhl"}}

    assert read(tables).roles.tracking == {"dhl": "dhl"}


@pytest.mark.parametrize("section", ["upstreams", "roles", "server"])
def test_a_section_is_a_table(section: str, problems: Any) -> None:
    assert problems({section: "x"})[section].startswith("must be a table")


@pytest.mark.parametrize("name", ["with space", "", "a__b", "x" * 64, "dot.ted"])
def test_a_name_of_an_upstream_is_plain(name: str, problems: Any) -> None:
    table = {"kind": "odoo", "base_url": "https://x", "api_key": "k"}

    assert "a name has letters" in problems({"upstreams": {name: table}})[f"upstreams.{name}"]


def test_a_union_is_one_problem(problems: Any, tables: dict[str, Any]) -> None:
    tables["upstreams"]["erp-fr"]["public_pricelist"] = [1]

    assert problems(tables) == {
        "upstreams.erp-fr.public_pricelist": "must be a valid integer; or must be a valid string"
    }


def test_an_entry_of_a_list_has_its_place(problems: Any, tables: dict[str, Any]) -> None:
    tables["upstreams"]["erp-fr"]["hold_words"] = ["stop", 3]

    assert problems(tables) == {"upstreams.erp-fr.hold_words.1": "must be a valid string"}


@pytest.mark.parametrize("secret", ["k", "key", "unknown key", "must be"])
def test_a_secret_spoils_no_text(problems: Any, tables: dict[str, Any], secret: str) -> None:
    tables["upstreams"]["dhl"] |= {"api_key": secret, "other": 1, "tries": "x"}

    found = problems(tables)

    assert found["upstreams.dhl.other"] == "unknown key"
    assert "a valid integer" in found["upstreams.dhl.tries"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = = 2\n", "is not TOML: Invalid value (at line 2, column 5)"),
        ("a = [\n", "is not TOML: Invalid value (at line 2, the end)"),
    ],
)
def test_a_file_that_is_not_toml_is_told_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError) as raised:
        load(file, {})

    assert raised.value.problems == (Problem(str(file), said),)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    wrong = tmp_path / "p.toml"
    wrong.write_bytes(b"a = '\xff'")

    for file, said in (
        (tmp_path / "absent.toml", "there is no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (wrong, "is not UTF-8 at byte 5"),
    ):
        with pytest.raises(SettingsError) as raised:
            load(file, {})
        assert str(raised.value) == f"{file}: {said}"


def test_a_certificate_has_to_be_one(tmp_path: Path, tables: dict[str, Any], problems: Any) -> None:
    table = tables["upstreams"]["dhl"]
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate", encoding="utf-8")

    table["ca_file"] = str(empty)
    assert problems(tables) == {"upstreams.dhl.ca_file": "holds no certificate in PEM form"}
    table["ca_file"] = str(tmp_path / "absent")
    assert problems(tables) == {
        "upstreams.dhl.ca_file": "cannot be read: No such file or directory"
    }


# ---------------------------------------------------------------- secrets


def test_secrets_are_never_printed(tables: dict[str, Any]) -> None:
    tables["media"] = {"secret": HUSH}
    tables["upstreams"]["erp-fr"]["api_key"] = HUSH

    settings = read(tables)

    assert settings.media.secret == SecretStr(HUSH)
    assert HUSH not in f"{settings!r} {settings} {settings.model_dump()} {settings.upstreams}"


def test_problems_quote_no_secret(problems: Any) -> None:
    found = problems(
        {
            "media": {"secret": HUSH[:9]},
            "upstreams": {
                "erp": {"kind": "odoo", "base_url": f"https://u:{HUSH}@x", "api_kee": HUSH},
                "dhl": {"kind": "dhl", "base_url": 5, "api_key": [HUSH]},
            },
        },
        PASSERELLE_UPSTREAMS__DHL__TOKEN=HUSH,
    )

    assert HUSH[:9] not in str(found)
    assert set(found) >= {"media.secret", "upstreams.erp.base_url", "upstreams.dhl.api_key"}


# ---------------------------------------------------------------- other people's connectors

SAGE = """
    from pydantic import Field, SecretStr, model_validator
    from ports.common import SystemName
    from upstream.config import UpstreamConfig
    from upstream.connector import Manifest

    class SageConfig(UpstreamConfig):
        pin: SecretStr = Field(description="Secret.")

        @model_validator(mode="after")
        def refuse(self):
            pin = self.pin.get_secret_value()
            if len(pin) > 4:
                raise ValueError(f"{pin} is too long")
            return self

    class Sage:
        manifest = Manifest(
            name="sage", title="Sage", system=SystemName.ERP, ports=("stock",),
            connector="NAME:Sage", config="NAME:SageConfig",
        )

    class NoConfig:
        manifest = Manifest(
            name="bad", title="Bad", system=SystemName.ERP, ports=("stock",),
            connector="NAME:Sage", config="NAME:Sage",
        )
"""


@pytest.fixture
def sage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a module outside of the tree, of its own for each test."""
    name = f"company_{abs(hash(request.node.name))}"
    text = textwrap.dedent(SAGE).replace("NAME", name)
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / f"{name}_broken.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_connector_by_import_path_is_an_equal(sage: str) -> None:
    settings = read(
        {
            "upstreams": {"s": {"kind": f"{sage}:Sage", "base_url": "https://x", "pin": "1"}},
            "roles": {"stock": "s"},
        }
    )

    assert isinstance(settings.upstreams["s"], UpstreamConfig)
    assert type(settings.upstreams["s"]) is sys.modules[sage].SageConfig


def test_its_mistakes_are_told_alike(sage: str, problems: Any) -> None:
    base = {"base_url": "https://x"}

    found = problems(
        {
            "upstreams": {
                "keys": {**base, "kind": f"{sage}:Sage", "pn": HUSH},
                "own": {**base, "kind": f"{sage}:Sage", "pin": HUSH},
                "name": {**base, "kind": f"{sage}:Absent"},
                "module": {**base, "kind": f"{sage}_absent:Sage"},
                "broken": {**base, "kind": f"{sage}_broken:Sage"},
                "config": {**base, "kind": f"{sage}:NoConfig"},
                "number": {**base, "kind": 3},
            },
            "roles": {"pricing": "keys"},
        }
    )

    assert found["upstreams.keys.pin"] == "missing"
    assert found["upstreams.keys.pn"] == "unknown key; did you mean pin?"
    assert found["upstreams.own"] == "*** is too long"
    assert "cannot be imported" in found["upstreams.name.kind"]
    assert "cannot be imported" in found["upstreams.module.kind"]
    assert found["upstreams.broken.kind"].endswith("cannot be imported: ZeroDivisionError")
    assert "no subclass of upstream.config.UpstreamConfig" in found["upstreams.config.kind"]
    assert found["upstreams.number.kind"] == "must be a valid string"
    assert found["roles.pricing"] == "'keys' is Sage, which serves stock, not pricing"


# ---------------------------------------------------------------- what the keys mean


@pytest.mark.parametrize(
    ("server", "root"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"public_url": "https://a.example:8443"}, "https://a.example:8443"),
    ],
)
def test_the_root_is_what_clients_see(server: dict[str, Any], root: str) -> None:
    assert read({"server": server}).server.root == root


def test_the_public_address_has_no_path(problems: Any) -> None:
    assert (
        "without a path"
        in problems({"server": {"public_url": "https://x/api"}})["server.public_url"]
    )


def test_nobody_may_ask_unless_told() -> None:
    access = read({}).access

    assert (access.anonymous, access.issuers, access.keys.pepper) == (False, (), None)
