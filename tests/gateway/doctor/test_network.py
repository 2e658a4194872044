"""Each step of the way to a system, and what is told when it fails."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.doctor.network import network_findings
from tests.upstream.loopback import config, good, serving, silent
from upstream.diagnosis import Finding

Certificate = Callable[[int], Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """A self-signed one of 127.0.0.1 that ends in so many days."""

    def made(days: int) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
        now = dt.datetime.now(dt.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(days=100))
            .not_valid_after(now + dt.timedelta(days=days, hours=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / f"{days}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
        return path

    return made


def context(path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


async def last(url: str, **settings: object) -> Finding:
    told = {"connect_timeout_seconds": 5, **settings}
    return (await network_findings(config(url, **told)))[-1]


async def test_all_is_well_over_http() -> None:
    now = format_datetime(dt.datetime.now(dt.UTC), usegmt=True)
    async with serving(good(date=now)) as peer:
        found = await network_findings(config(peer.url))

    assert [(one.step, one.outcome) for one in found] == [
        ("name", "passed"),
        ("tcp", "passed"),
        ("tls", "skipped"),
        ("clock", "passed"),
    ]
    assert [one.method for one in peer.received] == ["GET"]
    assert "authorization" not in peer.received[0].headers


async def test_a_name_that_nobody_knows() -> None:
    found = await last(f"http://{'x' * 64}.example", connect_timeout_seconds=1)

    assert (found.step, found.outcome) == ("name", "failed")
    assert "base_url" in found.remedy


async def test_a_port_where_nobody_listens(unused_port: int) -> None:
    found = await last(f"http://127.0.0.1:{unused_port}")

    assert (found.step, found.outcome) == ("tcp", "failed")
    assert "Start the system" in found.remedy


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_certificate_of_nobody_known(certificate: Certificate) -> None:
    async with serving(good(), tls=context(certificate(90))) as peer:
        found = await last(peer.url)

    assert (found.step, found.outcome) == ("tls", "failed")
    assert "self" in found.detail
    assert "loopback" in found.detail
    assert "ca_file" in found.remedy


async def test_a_certificate_that_ended(certificate: Certificate) -> None:
    path = certificate(-2)
    async with serving(good(), tls=context(path)) as peer:
        found = await last(peer.url, ca_file=str(path))

    assert (found.step, found.outcome) == ("tls", "failed")
    assert "expired" in found.detail
    assert "Renew" in found.remedy


@pytest.mark.parametrize(("days", "outcome"), [(90, "passed"), (5, "warning")])
async def test_the_days_that_a_certificate_has_left(
    certificate: Certificate, days: int, outcome: str
) -> None:
    path = certificate(days)
    async with serving(good(), tls=context(path)) as peer:
        found = (await network_findings(config(peer.url, ca_file=str(path))))[2]

    assert (found.step, found.outcome) == ("tls", outcome)
    assert f"{days} days left" in found.detail


async def test_a_certificate_for_another_name(certificate: Certificate) -> None:
    path = certificate(90)
    async with serving(good(), tls=context(path)) as peer:
        found = await last(peer.url.replace("127.0.0.1", "localhost"), ca_file=str(path))

    assert (found.step, found.outcome) == ("tls", "failed")
    assert "localhost" in found.detail


async def test_certificates_that_are_not_checked(certificate: Certificate) -> None:
    async with serving(good(), tls=context(certificate(90))) as peer:
        found = (await network_findings(config(peer.url, verify_tls=False)))[2]

    assert (found.step, found.outcome) == ("tls", "warning")
    assert "verify_tls" in found.remedy


async def test_tls_where_none_is_spoken() -> None:
    async with serving(good()) as peer:
        url = peer.url.replace("http:", "https:")
        found = await last(url, connect_timeout_seconds=0.5)

    assert (found.step, found.outcome) == ("tls", "failed")
    assert "base_url" in found.remedy


@pytest.mark.parametrize(
    ("seconds", "outcome", "word"),
    [(3600, "failed", "ahead"), (-60, "warning", "behind"), (2, "passed", "")],
)
async def test_a_clock_that_differs(seconds: int, outcome: str, word: str) -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    async with serving(good(date=format_datetime(moment, usegmt=True))) as peer:
        found = await last(peer.url)

    assert (found.step, found.outcome) == ("clock", outcome)
    assert word in found.detail
    assert (outcome == "passed") is (found.remedy == "")


@pytest.mark.parametrize("headers", [{}, {"date": "tomorrow"}])
async def test_no_clock_at_all(headers: dict[str, str]) -> None:
    async with serving(good(**headers)) as peer:
        assert (await last(peer.url)).outcome == "skipped"


async def test_a_system_that_says_nothing() -> None:
    async with serving(silent) as peer:
        found = await last(peer.url, timeout_seconds=0.2)

    assert (found.step, found.outcome) == ("clock", "failed")
    assert "no HTTP answer" in found.detail
