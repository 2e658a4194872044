"""What UPS tells of a connection: how long its tokens live, and whether it is the trial system."""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from connectors.ups.config import UpsConfig
from ports.caller import Call
from upstream.connector import Upstream
from upstream.diagnosis import Finding, examined
from upstream.http import HttpClient, Request

_TOKEN = "/security/v1/oauth/token"  # noqa: S105 - a path
_TRIAL_HOST = "wwwcie.ups.com"


class _Token(msgspec.Struct):
    """UPS writes the seconds as text."""

    expires_in: int | str


async def diagnose(upstream: Upstream, config: UpsConfig, *, call: Call) -> Sequence[Finding]:
    return [
        Finding("version", "skipped", "UPS tells none (Track API v1)"),
        await examined("key life", lambda: _life(upstream, config, call), "UPS does not tell"),
        _address(config),
    ]


async def _life(upstream: Upstream, config: UpsConfig, call: Call) -> Finding:
    pair = f"{config.client_id}:{config.client_secret.get_secret_value()}".encode()
    request = Request(
        "diagnosis",
        _TOKEN,
        "POST",
        body=b"grant_type=client_credentials",
        headers={
            "authorization": f"Basic {b64encode(pair).decode()}",
            "content-type": "application/x-www-form-urlencoded",
        },
    )
    own = {"exchanges": upstream.exchanges, "transport": upstream.transport}
    http = HttpClient(upstream.identity, config, **own)  # type: ignore[arg-type]
    try:
        told = await http.read(request, _Token, call=call)
    finally:
        await http.aclose()
    minutes = int(told.expires_in) // 60
    return Finding("key life", "passed", f"tokens of {minutes} minutes, renewed by themselves")


def _address(config: UpsConfig) -> Finding:
    if urlsplit(config.base_url).hostname == _TRIAL_HOST:
        return Finding(
            "rights tracking",
            "warning",
            "the trial system answers invented parcels only",
            "Use https://onlinetools.ups.com.",
        )
    return Finding("rights tracking", "passed", "the application may track")
