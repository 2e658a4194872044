"""What an Odoo upstream is configured with."""

import pytest
from pydantic import ValidationError

from connectors.odoo.config import OdooConfig


def test_the_example_is_enough() -> None:
    config = OdooConfig.model_validate(OdooConfig.example())

    assert config.pricing == "rules"
    assert config.languages["fr"] == "fr_FR"


def test_keys_are_never_printed() -> None:
    config = OdooConfig.model_validate({**OdooConfig.example(), "next_api_key": "fedcba"})

    assert "0123456789abcdef" not in repr(config)
    assert "fedcba" not in str(config)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pricing": "guess"},
        {"api_kee": "x"},
        {"company_id": 0},
        {"low_stock": -1},
        {"languages": ["fr"]},
        {"base_url": "erp.example.com"},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OdooConfig.model_validate({**OdooConfig.example(), **wrong})


def test_public_and_agreed_lists_go_by_id_or_name() -> None:
    config = OdooConfig.model_validate(
        {**OdooConfig.example(), "public_pricelist": 4, "agreement_pricelists": ["Airbus", 9]}
    )

    assert config.public_pricelist == 4
    assert config.agreement_pricelists == ("Airbus", 9)
