"""The keys of `[webhooks.<name>]` and `[polling.<upstream>]`."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings.webhooks import PollingSettings, WebhookSettings
from upstream.poller import PollTerms


def test_a_secret_is_enough_and_is_not_printed() -> None:
    settings = WebhookSettings.model_validate({"secret": "a long secret"})

    assert settings.signature_header == "webhook-signature"
    assert "a long secret" not in repr(settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"secret": "short"},
        {"secret": "a long secret", "next_secret": "a long secret"},
        {"secret": "a long secret", "next_secret": ""},
        {"secret": "a long secret", "scheme": "none"},
        {"secret": "a long secret", "signature_header": ""},
        {"secret": "a long secret", "id_header": "two words"},
        {"secret": "a long secret", "url": "shop.example.com"},
        {"secret": "a long secret", "window_seconds": 0},
        {"secret": "a long secret", "secrets": ["x"]},
    ],
)
def test_what_cannot_be_meant_is_refused_without_the_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        WebhookSettings.model_validate(wrong)

    assert "a long secret" not in str(refused.value)


def test_polling_has_defaults_within_their_bounds() -> None:
    assert PollingSettings().interval_seconds == 30
    assert PollingSettings().enabled
    assert PollingSettings().terms() == PollTerms()
    for wrong in ({"interval_seconds": 0}, {"page": 1}, {"cursor": ""}, {"every": 1}):
        with pytest.raises(ValidationError):
            PollingSettings.model_validate(wrong)


@pytest.mark.parametrize("model", [WebhookSettings, PollingSettings])
def test_every_key_is_described(model: type[WebhookSettings | PollingSettings]) -> None:
    assert all(key.description for key in model.model_fields.values())
