"""The way to a system below its API: name, connection, certificate, clock."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
from cryptography import x509

from upstream.any_transport import network
from upstream.config import UpstreamConfig
from upstream.diagnosis import SOON_DAYS, Finding
from upstream.wire_tls import tls

_PORTS = {"http": 80, "https": 443}
# Token lifetimes and signatures start to fail at about this much; vendors allow five minutes.
_SKEW_WARNING_SECONDS = 30.0
_SKEW_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system is, by its base URL."""

    host: str
    port: int
    secure: bool

    @classmethod
    def of(cls, config: UpstreamConfig) -> "Place":
        parts = urlsplit(config.base_url)
        return cls(
            parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme == "https"
        )


async def network_findings(config: UpstreamConfig) -> list[Finding]:
    """Name, TCP, TLS, clock: up to the first that fails."""
    place, found = Place.of(config), list[Finding]()
    steps = (_name, _tcp, _tls, _clock)
    for step in steps:
        started = time.monotonic()
        finding = await step(place, config)
        found.append(replace(finding, seconds=time.monotonic() - started))
        if finding.outcome == "failed":
            break
    return found


async def _name(place: Place, config: UpstreamConfig) -> Finding:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(config.connect_timeout_seconds):
            told = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        late = isinstance(problem, TimeoutError)
        detail = f"no answer in {config.connect_timeout_seconds:g} s" if late else str(problem)
        return Finding(
            "name",
            "failed",
            f"{place.host}: {detail}",
            "Correct the host in base_url, or the name server of this machine (container, VPN).",
        )
    addresses = sorted({str(one[4][0]) for one in told})
    return Finding("name", "passed", f"{place.host} is {', '.join(addresses)}")


async def _tcp(place: Place, config: UpstreamConfig) -> Finding:
    where = f"{place.host}:{place.port}"
    try:
        async with asyncio.timeout(config.connect_timeout_seconds):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except TimeoutError:
        return Finding(
            "tcp",
            "failed",
            f"{where}: no answer in {config.connect_timeout_seconds:g} s",
            "Open the firewall from this machine to that address and port, or let the vendor add "
            "this machine's address to its list.",
        )
    except OSError as problem:
        return Finding(
            "tcp",
            "failed",
            f"{where}: {problem.strerror or problem}",
            "Start the system, or correct host and port in base_url.",
        )
    await _closed(writer)
    return Finding("tcp", "passed", f"connected to {where}")


async def _tls(place: Place, config: UpstreamConfig) -> Finding:
    if not place.secure:
        return Finding(
            "tls",
            "skipped",
            "base_url is http://: nothing is encrypted",
            "Use https:// unless the way to the system is private.",
        )
    try:
        leaf, version = await _certificate(place, config, tls(config))
    except ssl.SSLCertVerificationError as problem:
        return await _untrusted(place, config, problem)
    except (OSError, ssl.SSLError) as problem:
        reason = getattr(problem, "reason", None) or str(problem) or type(problem).__name__
        return Finding(
            "tls",
            "failed",
            f"no TLS: {reason}",
            "Correct scheme and port of base_url: what answers there speaks no TLS, or none that "
            "this machine accepts (1.2 at the least).",
        )
    return _valid(leaf, version, config)


async def _untrusted(
    place: Place, config: UpstreamConfig, problem: ssl.SSLCertVerificationError
) -> Finding:
    """Why the certificate is refused, read from the certificate itself."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    leaf, _ = await _certificate(place, config, anybody)
    ends = leaf.not_valid_after_utc
    detail = f"{problem.verify_message} (issued by {_issuer(leaf)}, until {ends:%Y-%m-%d})"
    if ends < datetime.now(UTC):
        remedy = "Renew the certificate at the system."
    elif leaf.issuer == leaf.subject or "issuer" in problem.verify_message:
        remedy = "Name the authority's PEM file in ca_file, or get a certificate of a public one."
    else:
        remedy = "Use the name in base_url that the certificate is for, or get one for this name."
    return Finding("tls", "failed", detail, remedy)


def _valid(leaf: x509.Certificate, version: str, config: UpstreamConfig) -> Finding:
    ends = leaf.not_valid_after_utc
    days = (ends - datetime.now(UTC)).days
    detail = f"{version}, issued by {_issuer(leaf)}, {days} days left (until {ends:%Y-%m-%d})"
    if not config.verify_tls:
        return Finding(
            "tls",
            "warning",
            f"{detail}; not checked",
            "Set verify_tls = true: anybody on the way can read the credentials.",
        )
    if days < SOON_DAYS:
        return Finding("tls", "warning", detail, "Renew the certificate at the system.")
    return Finding("tls", "passed", detail)


async def _certificate(
    place: Place, config: UpstreamConfig, context: ssl.SSLContext
) -> tuple[x509.Certificate, str]:
    async with asyncio.timeout(config.connect_timeout_seconds):
        _, writer = await asyncio.open_connection(
            place.host, place.port, ssl=context, server_hostname=place.host
        )
    secure = writer.get_extra_info("ssl_object")
    try:
        leaf = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True))
    finally:
        await _closed(writer)
    return leaf, str(secure.version())


def _issuer(leaf: x509.Certificate) -> str:
    named = {one.oid: str(one.value) for one in leaf.issuer}
    oids = (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME)
    return next((named[oid] for oid in oids if oid in named), "nobody")


async def _clock(_place: Place, config: UpstreamConfig) -> Finding:
    """The `Date` of an answer, whatever it is; asked without credentials."""
    try:
        async with httpx2.AsyncClient(
            transport=network(config), timeout=config.timeout_seconds, trust_env=False
        ) as client:
            answer = await client.get(config.base_url)
    except httpx2.HTTPError as problem:
        return Finding(
            "clock",
            "failed",
            f"no HTTP answer: {type(problem).__name__}",
            "Correct port and scheme of base_url; look whether a proxy or the system hangs.",
        )
    skew = _skew(answer.headers.get("date"))
    if skew is None:
        return Finding("clock", "skipped", "the system tells no Date")
    detail = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours"
    remedy = "Let both machines take their time from an NTP server."
    if abs(skew) >= _SKEW_SECONDS:
        return Finding("clock", "failed", detail, remedy)
    if abs(skew) >= _SKEW_WARNING_SECONDS:
        return Finding("clock", "warning", detail, remedy)
    return Finding("clock", "passed", detail)


def _skew(told: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(told or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return
