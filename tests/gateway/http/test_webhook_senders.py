"""From the settings to who may send."""

import pytest

from connectors.akeneo.webhooks import AkeneoWebhooks
from connectors.hubspot.webhooks import HubSpotWebhooks
from connectors.odoo.config import OdooConfig
from connectors.ups.webhooks import UpsWebhooks
from gateway.http.webhook_senders import NoWebhooksError, declared, senders
from gateway.settings.webhooks import WebhookSettings
from ports.common import SystemName
from upstream.connector import Manifest
from upstream.signed_webhooks import SignedWebhooks
from upstream.webhooks import Terms


def manifest(name: str) -> Manifest:
    config = f"{OdooConfig.__module__}:OdooConfig"
    return Manifest(name, name, SystemName.ERP, (), f"{__name__}:{name}", config)


class Sage:
    """A connector from elsewhere."""

    manifest = manifest("Sage")


class Talking:
    """One that knows how its system sends."""

    manifest = manifest("Talking")
    webhooks = SignedWebhooks("x-sage-signature")


def configured(**keys: object) -> WebhookSettings:
    return WebhookSettings.model_validate({"secret": "a long secret", **keys})


@pytest.mark.parametrize(
    ("kind", "verifier"),
    [("akeneo", AkeneoWebhooks), ("hubspot", HubSpotWebhooks), ("ups", UpsWebhooks)],
)
def test_a_connector_says_how_its_system_sends(kind: str, verifier: type) -> None:
    assert isinstance(declared(kind), verifier)
    (sender,) = senders({"pim": configured()}, {"pim": kind})
    assert isinstance(sender.verifier, verifier)


def test_a_system_without_messages_is_signed_for_by_others() -> None:
    assert declared("odoo") is None
    (sender,) = senders({"erp": configured()}, {"erp": "odoo"}, "https://shop.example.com")

    assert sender.verifier == SignedWebhooks()
    assert sender.root == "https://shop.example.com"


def test_a_name_that_is_no_upstream_is_signed_for() -> None:
    (sender,) = senders({"batch": configured()}, {})

    assert sender.verifier == SignedWebhooks()


def test_the_vendors_way_can_be_set_aside_but_not_invented() -> None:
    (sender,) = senders({"pim": configured(scheme="signed")}, {"pim": "akeneo"})
    assert sender.verifier == SignedWebhooks()

    with pytest.raises(NoWebhooksError, match=r"webhooks\.erp"):
        senders({"erp": configured(scheme="vendor")}, {"erp": "odoo"})


def test_keys_become_terms() -> None:
    settings = configured(
        next_secret="the next secret",
        window_seconds=60,
        timestamp_header="",
        id_header="X-Id",
        signature_header="X-Signature",
        signature_prefix="sha256=",
        encoding="hex",
        requests_per_second=5,
        body_bytes=2048,
        url="https://hooks.example.com/x",
    )

    (sender,) = senders({"own": settings}, {})

    assert sender.terms == Terms(("a long secret", "the next secret"), 60)
    assert sender.verifier == SignedWebhooks("x-signature", None, "x-id", "sha256=", "hex")
    assert (sender.requests_per_second, sender.body_bytes) == (5, 2048)
    assert sender.url == "https://hooks.example.com/x"


def test_connectors_from_elsewhere_have_an_attribute() -> None:
    assert declared(f"{__name__}:Sage") is None
    assert declared(f"{__name__}:Talking") == Talking.webhooks
