"""Questions to an issuer over real connections, whatever comes back."""

from collections.abc import AsyncIterator

import pytest

from gateway.access.fetch import MAX_BYTES, Fetcher, FetchError
from tests.upstream.loopback import Answer, gone, good, half, serving, silent, stuck, zipped


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(timeout_seconds=2)
    yield fetcher
    await fetcher.aclose()


async def test_an_object(fetcher: Fetcher) -> None:
    async with serving(good(b'{"keys": []}')) as peer:
        assert await fetcher.get(f"{peer.url}/jwks") == {"keys": []}

    (asked,) = peer.received
    assert asked.headers["accept-encoding"] == "identity"
    assert "cookie" not in asked.headers


async def test_a_form(fetcher: Fetcher) -> None:
    async with serving(good(b'{"active": true}')) as peer:
        told = await fetcher.post(f"{peer.url}/x", {"token": "a&b"}, {"authorization": "Basic x"})

    (asked,) = peer.received
    assert told == {"active": True}
    assert (asked.method, asked.body) == ("POST", b"token=a%26b")
    assert asked.headers["authorization"] == "Basic x"


@pytest.mark.parametrize(
    "answer",
    [
        gone,
        half(good()),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        zipped(b'{"n": 1}'),
        zipped(b" " * 10_000_000, times=2),
        good(b" " * (MAX_BYTES + 1)),
        good(b'{"n": 1, "n": 2}'),
        good(b"\xff\xfe"),
        good(b"[" * 100_000),
        good(b"{}", "204 No Content"),
        good(b"{}", "302 Found"),
        good(b"{}", "302 Found", location="https://127.0.0.1:1/"),
        good(b"{}", "302 Found", location="http://localhost/"),
        good(b"{}", "302 Found", location="file:///etc/passwd"),
        good(b"{}", "302 Found", location="http://[::1"),
        good(b"{}", "302 Found", location="/again"),
    ],
    ids=range(16),
)
async def test_answers_that_are_not_taken(fetcher: Fetcher, answer: Answer) -> None:
    async with serving(answer) as peer:
        with pytest.raises(FetchError):
            await fetcher.get(f"{peer.url}/jwks")

    assert len(peer.received) <= 3


@pytest.mark.parametrize("answer", [silent, stuck(good())])
async def test_answers_that_do_not_come(answer: Answer) -> None:
    fetcher = Fetcher(timeout_seconds=0.05)
    async with serving(answer) as peer:
        with pytest.raises(FetchError, match=r"in time|Timeout"):
            await fetcher.get(f"{peer.url}/jwks")
    await fetcher.aclose()


async def test_a_form_is_sent_to_nobody_else(fetcher: Fetcher) -> None:
    async with serving(good(b"{}", "307 Temporary Redirect", location="/again")) as peer:
        with pytest.raises(FetchError, match="307"):
            await fetcher.post(f"{peer.url}/x", {"token": "secret"}, {})

    assert len(peer.received) == 1


@pytest.mark.parametrize("url", ["", "nothing", "http://", "ftp://127.0.0.1/", "http://[::1"])
async def test_addresses_that_are_none(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(FetchError):
        await fetcher.get(url)


async def test_nobody_listens(fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="ConnectError"):
        await fetcher.get("http://127.0.0.1:9/nothing")
