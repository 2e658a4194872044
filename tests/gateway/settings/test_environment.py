"""Settings from environment variables."""

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import read

ERP = "PASSERELLE_UPSTREAMS__ERP_FR__"


@pytest.fixture
def erp(tables: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = tables["upstreams"]["erp-fr"]
    return table


def secret(tables: dict[str, Any], **environ: str) -> str:
    found: str = vars(read(tables, environ).upstreams["erp-fr"])["api_key"].get_secret_value()
    return found


def test_a_variable_wins_over_the_file(tables: dict[str, Any]) -> None:
    assert secret(tables, **{f"{ERP}API_KEY": "fresh"}) == "fresh"
    assert secret(tables, passerelle_upstreams__erp_fr__api_key="lower") == "lower"


def test_an_empty_variable_is_none(tables: dict[str, Any]) -> None:
    assert secret(tables, **{f"{ERP}API_KEY": ""}) == "hush"


def test_a_whole_upstream_may_come_from_the_environment() -> None:
    settings = read(
        {},
        {
            "PASSERELLE_UPSTREAMS__ERP__KIND": "odoo",
            "PASSERELLE_UPSTREAMS__ERP__BASE_URL": "https://erp.example.com",
            "PASSERELLE_UPSTREAMS__ERP__API_KEY": "k",
            "PASSERELLE_ROLES__STOCK": "erp",
            "PASSERELLE_ROLES__TRACKING": '{ DHL = "d-1" }',
            "PASSERELLE_UPSTREAMS__D-1__KIND": "dhl",
            "PASSERELLE_UPSTREAMS__D-1__BASE_URL": "https://dhl.example.com",
            "PASSERELLE_UPSTREAMS__D-1__API_KEY": "k",
        },
    )

    assert set(settings.upstreams) == {"erp", "d-1"}
    assert settings.roles.stock == "erp"
    assert settings.roles.tracking == {"dhl": "d-1"}


def test_values_are_read_by_the_type_of_the_key(tables: dict[str, Any]) -> None:
    environ = {
        f"{ERP}TIMEOUT_SECONDS": "2.5",
        f"{ERP}VERIFY_TLS": "false",
        f"{ERP}LOW_STOCK": "7.50",
        f"{ERP}LANGUAGES": '{ fr = "fr_FR", fr-CH = "fr_CH" }',
        f"{ERP}HOLD_WORDS": '["on hold", "stop"]',
        f"{ERP}AGREEMENT_PRICELISTS": "5, Gold",
        f"{ERP}PUBLIC_PRICELIST": "12",
        f"{ERP}DATABASE": "12",
        "PASSERELLE_GRAPHQL__INTROSPECTION": "no",
        "PASSERELLE_ACCESS__ANONYMOUS_SCOPES": "catalog:read,stock:read",
    }

    settings = read(tables, environ)
    found = vars(settings.upstreams["erp-fr"])

    assert found["timeout_seconds"] == 2.5
    assert found["verify_tls"] is False
    assert str(found["low_stock"]) == "7.50"
    assert found["languages"] == {"fr": "fr_FR", "fr-CH": "fr_CH"}
    assert found["hold_words"] == ("on hold", "stop")
    assert found["agreement_pricelists"] == ("5", "Gold")
    assert found["public_pricelist"] == 12
    assert found["database"] == "12"
    assert settings.graphql.introspection is False
    assert settings.access.anonymous_scopes == ("catalog:read", "stock:read")


@pytest.mark.parametrize("text", ['{"a" = 1}', "[1]", "a,b", "'", "1e3", "true"])
def test_a_secret_is_what_the_variable_holds(tables: dict[str, Any], text: str) -> None:
    assert secret(tables, **{f"{ERP}API_KEY": text}) == text


def test_the_short_name_of_the_port() -> None:
    assert read({"server": {"port": 1}}, {"PASSERELLE_PORT": "9001"}).server.port == 9001
    both = {"PASSERELLE_PORT": "9001", "PASSERELLE_SERVER__PORT": "9002"}
    assert read({}, both).server.port == 9002


def test_other_peoples_variables_are_left_alone() -> None:
    """A cluster that has a service called `passerelle` sets these."""
    environ = {
        "PASSERELLE_PORT": "tcp://10.0.0.7:8000",
        "PASSERELLE_PORT_8000_TCP": "tcp://10.0.0.7:8000",
        "PASSERELLE_PORT_8000_TCP_ADDR": "10.0.0.7",
        "PASSERELLE_SERVICE_HOST": "10.0.0.7",
        "PASSERELLE_SERVER_SERVICE_PORT": "8000",
        "PASSERELLE_SANDBOX_PORT": "8100",
        "PASSERELLE_CONFIG": "x.toml",
        "PATH": "/bin",
        "SERVER__PORT": "1",
    }

    assert read({}, environ) == read({})


def test_mistakes_name_their_variable(tables: dict[str, Any], problems: Any) -> None:
    found = problems(
        tables,
        **{
            f"{ERP}TRIES": "99",
            f"{ERP}API_KEE": "hush",
            f"{ERP}LANGUAGES": "{ fr",
            "PASSERELLE_UPSTREAMS_ERP_FR_API_KEY": "hush",
            "PASSERELLE_OTHER__PORT": "1",
            "PASSERELLE_ROLES": "erp",
            "PASSERELLE_SERVER__PORT__X": "1",
            "PASSERELLE_UPSTREAMS__DHL": "x",
        },
    )

    assert found["upstreams.erp-fr.tries"].endswith(f"(from {ERP}TRIES)")
    assert found["upstreams.erp-fr.api_kee"] == (
        f"unknown key; did you mean api_key? (from {ERP}API_KEE)"
    )
    assert found["upstreams.erp-fr.languages"] == f"must be a table (from {ERP}LANGUAGES)"
    assert "two underscores" in found["PASSERELLE_UPSTREAMS_ERP_FR_API_KEY"]
    assert found["other"] == "unknown key (from PASSERELLE_OTHER__PORT)"
    assert found["server.port"].endswith("(from PASSERELLE_SERVER__PORT__X)")
    assert found["upstreams.dhl"] == "must be a table (from PASSERELLE_UPSTREAMS__DHL)"


def test_a_variable_below_a_value_of_the_file_is_told(problems: Any) -> None:
    assert problems({"server": 3}, PASSERELLE_SERVER__PORT="1")["server"].startswith(
        "must be a table"
    )


def test_the_file_is_not_changed(tables: dict[str, Any]) -> None:
    read(tables, {f"{ERP}API_KEY": "fresh"})

    assert tables["upstreams"]["erp-fr"]["api_key"] == "hush"


# ---------------------------------------------------------------- secrets in files


def test_a_secret_may_stand_in_a_file(
    tables: dict[str, Any], erp: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(" from a file \n", encoding="utf-8")
    del erp["api_key"]

    assert secret(tables, **{f"{ERP}API_KEY_FILE": str(file)}) == " from a file "


def test_a_key_that_ends_in_file_is_itself(
    tables: dict[str, Any], problems: Any, tmp_path: Path
) -> None:
    found = problems(tables, **{f"{ERP}CA_FILE": str(tmp_path / "absent")})

    assert list(found) == ["upstreams.erp-fr.ca_file"]


def test_a_file_that_cannot_be_read_is_one_problem(
    tables: dict[str, Any], erp: dict[str, Any], problems: Any, tmp_path: Path
) -> None:
    del erp["api_key"]
    (tmp_path / "binary").write_bytes(b"\xff")

    for name, said in (("absent", "No such file or directory"), ("binary", "is not UTF-8")):
        found = problems(tables, **{f"{ERP}API_KEY_FILE": str(tmp_path / name)})
        assert found == {
            "upstreams.erp-fr.api_key_file": f"cannot be read: {said} (from {ERP}API_KEY_FILE)"
        }


def test_a_secret_is_given_once(tables: dict[str, Any], problems: Any, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("x", encoding="utf-8")

    found = problems(tables, **{f"{ERP}API_KEY_FILE": str(file)})

    assert "api_key is given too" in found["upstreams.erp-fr.api_key_file"]


def test_only_secrets_are_read_from_files(tables: dict[str, Any], problems: Any) -> None:
    found = problems(tables, **{f"{ERP}DATABASE_FILE": "/etc/hostname"})

    assert found["upstreams.erp-fr.database_file"].startswith("unknown key")
