"""Certificates: checked, by whose authority is configured, and only then not."""

import asyncio
import ssl
from pathlib import Path

import pytest

from ports.errors import TimedOutError, UnavailableError
from tests.peers.certificates import self_signed
from tests.upstream.loopback import IDENTITY, call, config, good, serving
from upstream.http import HttpClient, Request


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


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


async def test_a_certificate_that_has_ended_is_unavailable(tmp_path: Path) -> None:
    ended = self_signed(tmp_path, days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ended)
    async with serving(good(), tls=context) as peer:
        with pytest.raises(UnavailableError):
            await asked(peer.url, ca_file=str(ended))

    assert peer.received == []


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


async def test_a_second_connection_takes_up_the_first_ones_session(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    async with serving(good(connection="close"), tls=tls) as peer:
        client = HttpClient(IDENTITY, config(peer.url, ca_file=str(certificate)))
        for _ in range(3):
            await client.send(Request("o", "/a"), call=call())
        await client.aclose()

    assert peer.connections == 3
    assert tls.session_stats()["hits"] == 2


async def test_a_connection_over_tls_is_kept(tls: ssl.SSLContext, certificate: Path) -> None:
    async with serving(good(b"x" * 500_000), tls=tls) as peer:
        client = HttpClient(IDENTITY, config(peer.url, ca_file=str(certificate)))
        told = [await client.send(Request("o", "/a"), call=call()) for _ in range(3)]
        await client.aclose()

    assert [len(one.body) for one in told] == [500_000] * 3
    assert peer.connections == 1


async def test_a_session_proves_nothing_to_another_client(tls: ssl.SSLContext) -> None:
    async with serving(good(connection="close"), tls=tls) as peer:
        assert await asked(peer.url, verify_tls=False) == 200
        with pytest.raises(UnavailableError):
            await asked(peer.url)


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    async with serving(good()) as peer:
        with pytest.raises(TimedOutError):
            await asked(peer.url.replace("http:", "https:"), connect_timeout_seconds=0.1)
