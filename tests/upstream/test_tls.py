"""Certificates: checked, by whose authority is configured, and only then not."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ports.errors import UnavailableError
from tests.upstream.loopback import IDENTITY, call, config, good, serving
from upstream.http import HttpClient, Request


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of this machine, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(days=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def asked(url: str, **settings: object) -> int:
    client = HttpClient(IDENTITY, config(url, **settings))
    try:
        return (await client.send(Request("o", "/a"), call=call())).status
    finally:
        await client.aclose()


async def test_a_certificate_of_nobody_known_is_unavailable(tls: ssl.SSLContext) -> None:
    async with serving(good(), tls=tls) as peer:
        with pytest.raises(UnavailableError):
            await asked(peer.url)

    assert peer.received == []


async def test_a_certificate_of_the_configured_authority_is_good(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    async with serving(good(), tls=tls) as peer:
        assert await asked(peer.url, ca_file=str(certificate)) == 200


async def test_a_certificate_for_another_name_is_unavailable(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    async with serving(good(), tls=tls) as peer:
        with pytest.raises(UnavailableError):
            await asked(peer.url.replace("127.0.0.1", "localhost"), ca_file=str(certificate))


async def test_certificates_are_not_checked_where_so_configured(tls: ssl.SSLContext) -> None:
    async with serving(good(), tls=tls) as peer:
        assert await asked(peer.url, verify_tls=False) == 200


async def test_tls_to_a_peer_without_it_is_unavailable() -> None:
    def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UnavailableError):
            await asked(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
