"""What can be told of a connection to DHL, whose API tells nothing of itself."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from connectors.dhl.config import DhlConfig
from upstream.diagnosis import Finding

_TRIAL_HOST = "api-test.dhl.com"


def diagnose(config: DhlConfig) -> Sequence[Finding]:
    return [
        Finding("version", "skipped", "DHL tells none (Shipment Tracking - Unified)"),
        Finding("key life", "skipped", "DHL's keys live until the application is deleted"),
        _address(config),
    ]


def _address(config: DhlConfig) -> Finding:
    if urlsplit(config.base_url).hostname == _TRIAL_HOST:
        return Finding(
            "rights tracking",
            "warning",
            "the test address answers no real numbers",
            "Have the application approved for production, and use https://api-eu.dhl.com.",
        )
    return Finding("rights tracking", "passed", "the application may track")
