"""The one seam to every system, before a peer on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import msgspec
import pytest

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from tests.upstream.loopback import (
    IDENTITY,
    Answer,
    Loopback,
    call,
    config,
    gone,
    good,
    half,
    serving,
    silent,
    stuck,
    zipped,
)
from upstream.any_transport import network
from upstream.http import HttpClient, Request, Response
from upstream.limits import Bulkhead

ASKED = Request("catalog.products", "/products")
Connect = Callable[..., HttpClient]


class Shape(msgspec.Struct):
    n: int


@pytest.fixture(params=["wire", "httpx2"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes clients of a peer, closed at the end; what is promised holds on either way to it."""
    made: list[HttpClient] = []

    def make(
        peer: Loopback | str, *, parts: dict[str, Any] | None = None, **settings: Any
    ) -> HttpClient:
        told = config(peer if isinstance(peer, str) else peer.url, **settings)
        way = {"transport": network(told)} if request.param == "httpx2" else {}
        made.append(HttpClient(IDENTITY, told, **(way | (parts or {}))))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


async def failure(asked: Awaitable[object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await asked
    assert caught.value.system == "ERP"
    assert caught.value.upstream == "erp-fr"
    assert caught.value.operation == "catalog.products"
    return caught.value


async def test_an_answer_is_decoded(connect: Connect) -> None:
    async with serving(good()) as peer:
        client = connect(peer, parts={"headers": {"x-own": "1"}})
        told = await client.read(
            Request("o", "/a", params={"q": "1"}, headers={"x-its": "2"}), Shape, call=call()
        )

    assert told == Shape(1)
    got = peer.received[0]
    assert (got.method, got.target, got.body) == ("GET", "/a?q=1", b"")
    assert {"x-own": "1", "x-its": "2", "accept": "application/json"}.items() <= got.headers.items()
    assert got.headers["user-agent"] == "passerelle"


async def test_bodies_are_sent_as_they_are(connect: Connect) -> None:
    async with serving(good()) as peer:
        client = connect(peer)
        await client.send(Request("o", "/a", "POST", json={"é": [1]}), call=call())
        await client.send(Request("o", "/a", "POST", body=b"\x00raw"), call=call())

    assert [one.body for one in peer.received] == ['{"é":[1]}'.encode(), b"\x00raw"]
    assert peer.received[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/a%2Fb/c%20d%3Fe", "/%25/%C3%A9"])
async def test_an_escaped_path_arrives_as_it_was_meant(connect: Connect, path: str) -> None:
    async with serving(good()) as peer:
        await connect(peer).send(Request("o", path), call=call())

    assert [target.lower() for target in peer.targets()] == [path.lower()]


async def test_parameters_arrive_as_they_were_meant(connect: Connect) -> None:
    told = {"search": '{"a":[{"b":"c+d&e=f;g#h%2F"}]}', "x": "é 🙂", "after": "a==/+%"}
    async with serving(good()) as peer:
        await connect(peer).send(Request("o", "/a", params=told), call=call())

    assert dict(parse_qsl(urlsplit(peer.targets()[0]).query)) == told


async def test_a_base_with_a_path_keeps_it(connect: Connect) -> None:
    async with serving(good()) as peer:
        client = connect(f"{peer.url}/erp/")
        await client.send(Request("o", "/json/2/x"), call=call())
        await client.send(Request("o", f"{peer.url}/next?after=1"), call=call())

    assert peer.targets() == ["/erp/json/2/x", "/next?after=1"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (good(status="302 Found", location="/elsewhere"), MalformedError),
        (good(status="301 Moved", location="http://127.0.0.1:1/"), MalformedError),
        (good(status="204 No Content"), MalformedError),
        (good(status="400 Bad"), RefusedError),
        (good(status="401 Unauthorized"), RefusedError),
        (good(status="404 Not Found"), RefusedError),
        (good(status="408 Timeout"), TimedOutError),
        (good(status="429 Too Many"), ThrottledError),
        (good(status="500 Oops"), UnavailableError),
        (good(status="503 Closed"), UnavailableError),
        (good(status="504 Timeout"), TimedOutError),
        (good(b"x" * 5_000), MalformedError),
        (good(b"x" * 5_000, transfer_encoding="identity"), MalformedError),
        (zipped(b" " * 1_000_000), MalformedError),
        (zipped(b" " * 1_000_000, times=2), MalformedError),
        (good(b"\x1b\x00", content_encoding="br"), MalformedError),
        (good(b"not gzip", content_encoding="gzip"), MalformedError),
        (half(good(b"x" * 100)), MalformedError),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", MalformedError),
        (silent, TimedOutError),
        (stuck(good(b"x" * 100)), TimedOutError),
    ],
)  # fmt: skip
async def test_what_a_peer_may_do_has_its_error(
    connect: Connect, answer: Answer, kind: type[UpstreamError]
) -> None:
    async with serving(answer) as peer:
        client = connect(peer, answer_limit_bytes=4_096, timeout_seconds=0.3)
        error = await failure(client.send(ASKED, call=call()))

    assert type(error) is kind
    assert len(peer.received) == 1
    assert client.exchanges.summary().failed == 1
    assert client.exchanges.failing


async def test_a_compressed_answer_within_the_limit_is_read(connect: Connect) -> None:
    async with serving(zipped(b'{"n": 7}')) as peer:
        assert await connect(peer).read(ASKED, Shape, call=call()) == Shape(7)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"n": "x"}', b"{}", b'{"n":1', b"[" * 100_000])
async def test_an_answer_of_another_shape_is_malformed(connect: Connect, body: bytes) -> None:
    async with serving(good(body)) as peer:
        error = await failure(connect(peer).read(ASKED, Shape, call=call()))

    assert isinstance(error, MalformedError)


async def test_the_deadline_ends_a_call_before_its_own_patience(connect: Connect) -> None:
    async with serving(silent) as peer:
        error = await failure(connect(peer, timeout_seconds=60).send(ASKED, call=call(0.2)))

    assert isinstance(error, TimedOutError)


async def test_a_deadline_that_is_over_asks_nothing(connect: Connect) -> None:
    async with serving(good()) as peer:
        with pytest.raises(TimedOutError):
            await connect(peer).send(ASKED, call=call(-1))

    assert peer.received == []


class Broken(httpx2.AsyncBaseTransport):
    """A network that fails as it is told."""

    def __init__(self, raised: Exception) -> None:
        self._raised = raised

    async def handle_async_request(self, _request: httpx2.Request) -> httpx2.Response:
        raise self._raised


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx2.ConnectError("x"), UnavailableError),
        (httpx2.ReadError("x"), UnavailableError),
        (httpx2.RemoteProtocolError("x"), UnavailableError),
        (httpx2.PoolTimeout("x"), TimedOutError),
        (httpx2.DecodingError("x"), MalformedError),
        (httpx2.InvalidURL("x"), MalformedError),
        (OSError("x"), UnavailableError),
        (TimeoutError("x"), TimedOutError),
    ],
)
async def test_what_any_network_raises_has_its_error(
    connect: Connect, raised: Exception, kind: type[UpstreamError]
) -> None:
    client = connect("http://127.0.0.1:1", parts={"transport": Broken(raised)})

    assert type(await failure(client.send(ASKED, call=call()))) is kind


async def test_nobody_there_is_unavailable(connect: Connect) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = await failure(connect(url).send(ASKED, call=call()))

    assert isinstance(error, UnavailableError)


async def test_a_connection_lost_before_the_answer_is_unavailable(connect: Connect) -> None:
    async with serving(gone) as peer:
        error = await failure(connect(peer).send(ASKED, call=call()))

    assert isinstance(error, UnavailableError)


@pytest.mark.parametrize("path", ["/details/..", "/a/%2e%2e/b", "/a/../b", "/a/./b", "/a/%2E"])
async def test_no_path_leads_out_of_its_place(connect: Connect, path: str) -> None:
    async with serving(good()) as peer:
        client = connect(peer)
        error = await failure(client.send(Request("catalog.products", path), call=call()))

    assert isinstance(error, RefusedError)
    assert peer.received == []


async def test_a_link_to_another_host_is_not_followed(connect: Connect) -> None:
    async with serving(good()) as peer, serving(good()) as other:
        client = connect(peer)
        for link in (f"{other.url}/x", "https://127.0.0.1/x", "http://127.0.0.1:1@evil.example/"):
            error = await failure(client.send(Request("catalog.products", link), call=call()))
            assert isinstance(error, MalformedError)

    assert peer.received == other.received == []


@pytest.mark.parametrize(
    ("answers", "tries", "asked"),
    [
        ([good(status="503 Closed"), good()], 2, 2),
        ([gone, good()], 2, 2),
        ([good(status="429 Too Many", retry_after="0"), good()], 2, 2),
        ([good(status="503 Closed"), good(status="500 Oops"), good()], 3, 3),
    ],
)
async def test_what_passes_is_tried_again(
    connect: Connect, answers: list[Answer], tries: int, asked: int
) -> None:
    async with serving(*answers) as peer:
        told = await connect(peer, tries=tries).read(ASKED, Shape, call=call())

    assert told == Shape(1)
    assert len(peer.received) == asked


@pytest.mark.parametrize(
    ("answer", "tries", "asked"),
    [
        (good(status="503 Closed"), 3, 3),
        (good(status="400 Bad"), 3, 1),
        (good(status="302 Found"), 3, 1),
        (good(status="429 Too Many", retry_after="3600"), 3, 1),
    ],
)
async def test_tries_end(connect: Connect, answer: bytes, tries: int, asked: int) -> None:
    async with serving(answer) as peer:
        error = await failure(connect(peer, tries=tries).send(ASKED, call=call()))

    assert len(peer.received) == asked
    assert error.retry_after == (3600.0 if b"3600" in answer else None)


NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "asked", "wish"),
    [
        ({"retry_after": "Wed, 21 Oct 2026 13:00:00 GMT", "date": NOON}, 1, 3600.0),
        ({"retry_after": NOON, "date": NOON}, 2, 0.0),
        ({"retry_after": "Tue, 20 Oct 2026 12:00:00 GMT", "date": NOON}, 2, 0.0),
        ({"retry_after": "9" * 400}, 1, 86_400.0),
        ({"retry_after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": NOON}, 1, 86_400.0),
        ({"retry_after": "\xb2"}, 2, None),
        ({"retry_after": "-1"}, 2, None),
        ({"retry_after": "soon"}, 2, None),
    ],
)
async def test_a_wish_for_a_pause_in_any_form(
    connect: Connect, headers: dict[str, str], asked: int, wish: float | None
) -> None:
    async with serving(good(status="503 Closed", **headers)) as peer:
        error = await failure(connect(peer, tries=2).send(ASKED, call=call()))

    assert type(error) is UnavailableError
    assert (len(peer.received), error.retry_after) == (asked, wish)


async def test_a_connector_reads_statuses_its_own_way(connect: Connect) -> None:
    def classify(response: Response) -> Any:
        return {418: RefusedError, 503: (ThrottledError, 7.0)}.get(response.status)

    async with serving(
        good(status="418 Tea"),
        good(status="503 Closed"),
        good(status="503 Closed", retry_after="9"),
        good(status="500 Oops"),
    ) as peer:
        client = connect(peer, parts={"classify": classify})
        told = [await failure(client.send(ASKED, call=call())) for _ in range(4)]

    assert [(type(one), one.retry_after) for one in told] == [
        (RefusedError, None),
        (ThrottledError, 7.0),
        (ThrottledError, 9.0),
        (UnavailableError, None),
    ]


class Renewing:
    """Credentials that have another one for each that is refused."""

    def __init__(self) -> None:
        self.serial = 0

    async def headers(self, _client: httpx2.AsyncClient, /) -> dict[str, str]:
        return {"authorization": f"Bearer {self.serial}"}

    def refused(self, _headers: object, /) -> bool:
        self.serial += 1
        return True


async def test_a_401_is_asked_once_more_with_new_credentials(connect: Connect) -> None:
    async with serving(good(status="401 Unauthorized"), good()) as peer:
        client = connect(peer, parts={"credentials": Renewing()})
        await client.send(ASKED, call=call())

    assert [one.headers["authorization"] for one in peer.received] == ["Bearer 0", "Bearer 1"]
    assert not client.exchanges.failing


async def test_a_401_that_stays_is_refused(connect: Connect) -> None:
    async with serving(good(status="401 Unauthorized")) as peer:
        client = connect(peer, parts={"credentials": Renewing()}, tries=3)
        error = await failure(client.send(ASKED, call=call()))

    assert isinstance(error, RefusedError)
    assert len(peer.received) == 2
    assert client.exchanges.failing


async def test_cookies_are_never_kept(connect: Connect) -> None:
    async with serving(good(set_cookie="session=1; Path=/")) as peer:
        client = connect(peer)
        await client.send(ASKED, call=call())
        await client.send(ASKED, call=call())

    assert len(peer.received) == 2
    assert not [one for one in peer.received if "cookie" in one.headers]


async def test_proxies_of_the_environment_are_not_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(good()) as peer:
        assert await connect(peer).read(ASKED, Shape, call=call()) == Shape(1)


async def test_at_most_so_many_calls_are_under_way(connect: Connect) -> None:
    arrived = asyncio.Semaphore(0)
    go_on = asyncio.Event()

    async def wait(writer: asyncio.StreamWriter) -> None:
        arrived.release()
        await go_on.wait()
        writer.write(good())
        await writer.drain()

    async with serving(wait) as peer:
        client = connect(peer, parts={"bulkhead": Bulkhead(3, None)})
        calls = [asyncio.create_task(client.send(ASKED, call=call())) for _ in range(9)]
        for _ in range(3):
            await arrived.acquire()
        go_on.set()
        await asyncio.gather(*calls)

    assert (len(peer.received), peer.most_at_once) == (9, 3)


async def test_exchanges_are_noted(connect: Connect) -> None:
    async with serving(good(), good(status="500 Oops")) as peer:
        client = connect(peer)
        await client.send(ASKED, call=call())
        assert client.exchanges.last_success_at is not None
        assert client.exchanges.last_failure is None
        await failure(client.send(ASKED, call=call()))

    noted = client.exchanges.last_failure
    assert noted is not None
    assert (noted.code, noted.request_id) == ("UPSTREAM_UNAVAILABLE", "r-1")
    assert noted.message == "ERP (erp-fr) is not available."
    assert client.exchanges.summary()[:2] == (2, 1)


async def _cancelled(client: HttpClient, peer: Loopback, seconds: float) -> None:
    """Gives up on a call that has reached the peer."""
    asked = asyncio.create_task(client.send(ASKED, call=call(seconds)))
    while not peer.received:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_call_that_nobody_waits_for_any_more_is_nobodys_success(connect: Connect) -> None:
    async with serving(silent) as peer:
        client = connect(peer)
        await _cancelled(client, peer, 30)

    assert client.exchanges.summary().calls == 0


async def test_a_call_cut_off_at_the_deadline_by_its_guard_is_the_systems_failure(
    connect: Connect,
) -> None:
    async with serving(silent) as peer:
        client = connect(peer, timeout_seconds=60)
        terms = call(0.2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(terms.deadline - 0.002):
                await client.send(ASKED, call=terms)

    assert client.exchanges.summary()[:2] == (1, 1)
    assert client.exchanges.last_failure is not None
    assert client.exchanges.last_failure.code == "UPSTREAM_TIMEOUT"


async def test_a_stream_may_be_longer_than_the_limit(connect: Connect) -> None:
    async with serving(good(b"x" * 50_000)) as peer:
        client = connect(peer, answer_limit_bytes=1_024)
        async with client.stream(ASKED, call=call()) as response:
            size = sum([len(part) async for part in response.aiter_bytes()])

    assert size == 50_000


async def test_a_stream_renews_credentials_once(connect: Connect) -> None:
    async with serving(good(status="401 Unauthorized"), good(b"file")) as peer:
        client = connect(peer, parts={"credentials": Renewing()})
        async with client.stream(ASKED, call=call()) as response:
            assert await response.aread() == b"file"

    assert [one.headers["authorization"] for one in peer.received] == ["Bearer 0", "Bearer 1"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (good(status="404 Not Found"), RefusedError),
        (gone, UnavailableError),
        (silent, TimedOutError),
        (half(good(b"x" * 100)), MalformedError),
    ],
)
async def test_a_stream_fails_as_a_call_does(
    connect: Connect, answer: Answer, kind: type[UpstreamError]
) -> None:
    async def read() -> None:
        async with connect(peer, timeout_seconds=0.3).stream(ASKED, call=call()) as response:
            await response.aread()

    async with serving(answer) as peer:
        assert type(await failure(read())) is kind


async def test_a_stream_waits_for_its_slot_no_longer_than_the_deadline(connect: Connect) -> None:
    bulkhead = Bulkhead(1, None)

    async def read() -> None:
        async with connect(peer, parts={"bulkhead": bulkhead}).stream(ASKED, call=call(0.1)):
            raise AssertionError

    async with serving(good()) as peer, bulkhead.slot():
        assert isinstance(await failure(read()), TimedOutError)

    assert peer.received == []


async def test_a_mistake_of_our_own_is_not_the_systems(connect: Connect) -> None:
    class Mistaken:
        async def headers(self, _client: object, /) -> dict[str, str]:
            raise ZeroDivisionError

        def refused(self, _headers: object, /) -> bool:
            return False

    async with serving(good()) as peer:
        with pytest.raises(ZeroDivisionError):
            await connect(peer, parts={"credentials": Mistaken()}).send(ASKED, call=call())
