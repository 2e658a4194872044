"""Where a poller goes on after a restart."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.peers.valkey import valkey_server
from upstream.cursors import FileCursors, RedisCursors

MOMENTS = {"sale.order": datetime(2026, 11, 24, 10, 0, 1, tzinfo=UTC)}


class Texts:
    """A Redis client's two commands."""

    def __init__(self, *, up: bool = True, text: bool = False) -> None:
        self.kept: dict[str, bytes] = {}
        self.up = up
        self.text = text

    async def get(self, name: str, /) -> bytes | str | None:
        self._require_up()
        found = self.kept.get(name)
        return found.decode() if found is not None and self.text else found

    async def set(self, name: str, value: bytes, /) -> object:
        self._require_up()
        self.kept[name] = value
        return True

    def _require_up(self) -> None:
        if not self.up:
            raise ConnectionError("down")


async def test_a_file_gives_back_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "var" / "changes-erp.json"

    assert await FileCursors(path).load() == {}
    await FileCursors(path).save({"sale.order": datetime(2020, 1, 1, tzinfo=UTC)})
    await FileCursors(path).save(MOMENTS)

    assert await FileCursors(path).load() == MOMENTS
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", [b"", b"[]", b'{"sale.order": "soon"}', b"\xff", b"{"])
async def test_a_file_that_is_damaged_counts_as_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "changes.json"
    path.write_bytes(text)

    assert await FileCursors(path).load() == {}


async def test_a_place_that_cannot_be_used_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cursors = FileCursors(tmp_path / "file" / "changes.json")

    await cursors.save(MOMENTS)

    assert await cursors.load() == {}
    assert await FileCursors(tmp_path).load() == {}


@pytest.mark.parametrize("text", [True, False])
async def test_redis_gives_back_what_it_was_given(text: bool) -> None:
    cursors = RedisCursors(Texts(text=text), "changes:erp")

    assert await cursors.load() == {}
    east = timezone(timedelta(hours=2))
    await cursors.save({name: one.astimezone(east) for name, one in MOMENTS.items()})

    assert await cursors.load() == MOMENTS


async def test_redis_that_is_down_is_no_failure() -> None:
    cursors = RedisCursors(Texts(up=False), "changes:erp")

    await cursors.save(MOMENTS)

    assert await cursors.load() == {}


async def test_a_real_valkey_gives_back_what_it_was_given() -> None:
    with valkey_server() as server:
        address = f"redis://127.0.0.1:{server.port}"
        redis = Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)
        await RedisCursors(redis, "passerelle:changes:erp").save(MOMENTS)
        found = await RedisCursors(redis, "passerelle:changes:erp").load()
        await redis.aclose()

    down = Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)
    assert found == MOMENTS
    assert await RedisCursors(down, "passerelle:changes:erp").load() == {}
    await down.aclose()
