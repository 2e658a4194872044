import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from gateway.http.media import MediaLinks, media_route
from ports.catalog import MediaContent
from ports.errors import PortError, RefusedError, UnavailableError
from upstream.reference import own_call

ROOT = "https://shop.example"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Pim:
    """Holds one file; `closed` tells that its answer was given back."""

    def __init__(self, mime_type: str = "image/png", failure: PortError | None = None) -> None:
        self.mime_type, self.failure, self.closed = mime_type, failure, False

    async def open_media(self, code: str, /, *, call: object) -> MediaContent | None:
        if self.failure is not None:
            raise self.failure
        if code != "a/ü.png":
            return None
        return MediaContent(self.mime_type, 'ü "x".png', 6, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            yield b"def"
        finally:
            self.closed = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(clock: Clock) -> MediaLinks:
    return MediaLinks(ROOT, b"secret", 3600, clock)


async def get(links: MediaLinks, pim: object, url: str) -> httpx2.Response:
    app = Starlette(routes=[media_route(links, pim, own_call)])  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ROOT) as client:
        return await client.get(url)


async def test_a_file_is_served_at_its_address(links: MediaLinks) -> None:
    pim = Pim()

    answer = await get(links, pim, links("a/ü.png"))

    assert answer.content == b"abcdef"
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'inline; filename="x.png"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert pim.closed


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html; charset=utf-8", ""])
async def test_what_could_run_as_a_page_is_downloaded(links: MediaLinks, kind: str) -> None:
    answer = await get(links, Pim(kind), links("a/ü.png"))

    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("signature=", "signature=0"),
        ("expires=1", "expires=2"),
        ("expires=1", "expires=x"),
        ("expires=1", "expires=11111111111111"),
        ("/media/", "/media/x"),
        ("signature=", "signature=%C3%A9"),
        ("signature=", "other="),
    ],
)
async def test_a_changed_address_is_not_found(links: MediaLinks, old: str, new: str) -> None:
    answer = await get(links, Pim(), links("a/ü.png").replace(old, new))

    assert answer.status_code == 404


async def test_an_old_address_is_not_found(links: MediaLinks, clock: Clock) -> None:
    url = links("a/ü.png")
    clock.now += 3661

    assert (await get(links, Pim(), url)).status_code == 404


async def test_an_address_is_the_same_within_a_minute(links: MediaLinks, clock: Clock) -> None:
    clock.now = 1_000_020
    first = links("x")
    clock.now += 30

    assert links("x") == first


async def test_a_file_that_the_pim_does_not_have(links: MediaLinks) -> None:
    assert (await get(links, Pim(), links("other"))).status_code == 404
    assert (await get(links, None, links("a/ü.png"))).status_code == 404


@pytest.mark.parametrize(("kind", "status"), [(UnavailableError, 503), (RefusedError, 502)])
async def test_a_pim_that_fails(links: MediaLinks, kind: type, status: int) -> None:
    failure = kind(system="PIM", upstream="pim", operation="media", detail="secret words")

    answer = await get(links, Pim(failure=failure), links("a/ü.png"))

    assert answer.status_code == status
    assert b"secret" not in answer.content


async def test_a_file_without_a_name_or_size(links: MediaLinks) -> None:
    class Bare(Pim):
        async def open_media(self, code: str, /, *, call: object) -> MediaContent | None:
            class Chunks:
                def __aiter__(self) -> "Chunks":
                    self.left = [b"x"]
                    return self

                async def __anext__(self) -> bytes:
                    await asyncio.sleep(0)
                    if not self.left:
                        raise StopAsyncIteration
                    return self.left.pop()

            return MediaContent("image/png", None, None, Chunks())  # type: ignore[arg-type]

    answer = await get(links, Bare(), links("a"))

    assert answer.content == b"x"
    assert answer.headers["content-disposition"] == "inline"
