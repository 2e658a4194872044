"""Requests asked again: answered from kept bytes, with what they tell caches, and when not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.gateway.http.counter import READS, SKUS, Till, counter
from tests.gateway.http.test_compression import UNPACK

PUBLIC = '{ product(sku: "BOLT") { name availability { available } } }'
PRICED = '{ product(sku: "BOLT") { name price { agreement } } }'
CALLERS = {
    "jo": ("A", READS),
    "jim": ("A", READS),
    "ann": ("B", READS),
    "narrow": ("A", {"catalog:read"}),
    "agent": ("A", READS | {"customers:act-for"}),
    "reader": ("A", READS | {"schema:read", "systems:read"}),
}


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[Till]:
    async with counter(tmp_path, CALLERS) as found:
        yield found


def is_hit(answer: httpx2.Response) -> bool:
    return answer.headers.get("cache-status", "").startswith("passerelle; hit")


async def hit_after(till: Till, query: str, first: str | None, second: str | None) -> bool:
    """Whether what one caller asked is answered to another from memory."""
    one = await till.post(query, first)
    two = await till.post(query, second)
    return is_hit(two) and one.content == two.content


async def test_asked_again_nobody_is_asked_and_the_bytes_are_the_same(till: Till) -> None:
    first = await till.post(PRICED, "jo")
    till.calls()
    again = await till.post(PRICED, "jo")

    assert again.content == first.content
    assert again.json() == {"data": {"product": {"name": "BOLT 0 en", "price": {"agreement": "A"}}}}
    assert till.calls() == []
    assert (is_hit(first), is_hit(again)) == (False, True)
    assert "application-cost" in again.headers["ratelimit"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize(
    ("query", "first", "second", "shared"),
    [
        pytest.param(PUBLIC, "jo", "ann", True, id="public-of-another-company"),
        pytest.param(PUBLIC, "jo", None, True, id="public-of-nobody"),
        pytest.param(PUBLIC, None, "jo", True, id="public-from-nobody"),
        pytest.param(PUBLIC, "jo", "narrow", False, id="public-without-the-scope"),
        pytest.param(PRICED, "jo", "jim", False, id="priced-colleague"),
        pytest.param(PRICED, "jo", "ann", False, id="priced-another-company"),
        pytest.param(PRICED, None, None, True, id="list-price-of-nobody"),
        pytest.param(PRICED, None, "jo", False, id="list-price-for-a-company"),
        pytest.param(PRICED, "jo", None, False, id="priced-for-nobody"),
        pytest.param('{ order(number: "A-0") { number } }', "jo", "jim", False, id="order"),
    ],
)
async def test_whose_answer_may_be_whose(
    till: Till, query: str, first: str | None, second: str | None, *, shared: bool
) -> None:
    assert await hit_after(till, query, first, second) is shared


@pytest.mark.parametrize(
    "query",
    [
        pytest.param('{ product(sku: "BOLT") { name } viewer { subject } }', id="viewer"),
        pytest.param('query @inContext(customer: "A") ' + PUBLIC, id="acting-for"),
    ],
)
async def test_what_looks_at_the_caller_is_the_callers_own(till: Till, query: str) -> None:
    assert await hit_after(till, query, "agent", "agent")
    assert not await hit_after(till, query, "agent", "jo")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param('query @fresh(maxAge: 0) { product(sku: "BOLT") { name } }', id="fresh"),
        pytest.param('{ product(sku: "BOLT") { name @fresh(maxAge: 0) } }', id="fresh-beside"),
        pytest.param(
            '{ product(sku: "BOLT") { availability @fresh(maxAge: 0) { available } } }',
            id="fresh-field",
        ),
        pytest.param('{ product(sku: "BOLT") { name } systems { name } }', id="systems"),
        pytest.param(
            '{ product(sku: "BOLT") { name } __schema { queryType { name } } }', id="schema"
        ),
        pytest.param("{ viewer { subject } }", id="no-system"),
        pytest.param('{ product(sku: "BOLT") { availability { freshness { age } } } }', id="age"),
        pytest.param('{ product(sku: "BOLT") { name } order(number: 3) { number } }', id="invalid"),
        pytest.param('{ product(sku: "BOLT") { name } node(id: "x") { id } }', id="with-errors"),
    ],
)
async def test_what_is_never_answered_from_memory(till: Till, query: str) -> None:
    for _ in range(3):
        assert not is_hit(await till.post(query, "reader"))


async def test_one_that_tells_its_cost_is_worked_out(till: Till) -> None:
    body = {"query": PUBLIC, "extensions": {"cost": True}}
    for _ in range(2):
        answer = await till.client.post("/graphql", json=body)
        assert "cost" in answer.json()["extensions"]
        assert not is_hit(answer)


async def test_what_was_read_now_is_kept_once_it_says_cached(till: Till) -> None:
    query = '{ product(sku: "BOLT") { availability { available freshness { state } } } }'
    answers = [await till.post(query, "jo") for _ in range(4)]

    states = [re.findall("LIVE|CACHED", one.text) for one in answers]
    assert states == [["LIVE"], ["CACHED"], ["CACHED"], ["CACHED"]]
    assert list(map(is_hit, answers)) == [False, False, True, True]


async def test_languages_stand_apart(till: Till) -> None:
    english = await till.post(PUBLIC, accept_language="en")
    french = await till.post(PUBLIC, accept_language="fr;q=0.9, de;q=0.5")
    again = await till.post(PUBLIC, accept_language="fr")

    assert "BOLT 0 en" in english.text
    assert "BOLT 0 fr" in french.text
    assert is_hit(again)
    assert again.content == french.content


async def test_both_media_types_have_the_same_bytes(till: Till) -> None:
    first = await till.post(PUBLIC)
    second = await till.post(PUBLIC, accept="application/graphql-response+json")

    assert is_hit(second)
    assert second.content == first.content
    assert second.headers["content-type"].startswith("application/graphql-response+json")
    assert (await till.post(PUBLIC, accept="text/html")).status_code == 406


async def test_the_same_bytes_as_no_json_are_refused(till: Till) -> None:
    body = json.dumps({"query": PUBLIC}).encode()
    good = {"content-type": "application/json"}
    await till.client.post("/graphql", content=body, headers=good)

    plain = {"content-type": "text/plain", "x-requested-with": "x"}
    for headers, status in ((plain, 415), ({**good, "content-encoding": "br"}, 415), (good, 200)):
        answer = await till.client.post("/graphql", content=body, headers=headers)
        assert answer.status_code == status


async def test_a_client_may_want_none(till: Till) -> None:
    await till.post(PUBLIC)

    for wish in ("no-cache", "max-age=0", "no-transform, Max-Age=0"):
        assert not is_hit(await till.post(PUBLIC, cache_control=wish))
    for wish in ("max-age=60", "max-stale=0", "x-max-age=0", "max-age=soon"):
        assert is_hit(await till.post(PUBLIC, cache_control=wish))
    assert is_hit(await till.post(PUBLIC))


async def test_deadlines_that_cannot_be_meant_are_refused_still(till: Till) -> None:
    await till.post(PUBLIC)

    assert (await till.post(PUBLIC, x_request_timeout_ms="soon")).status_code == 400
    assert is_hit(await till.post(PUBLIC, x_request_timeout_ms="500"))


async def test_a_revoked_key_gets_nothing(till: Till) -> None:
    await till.post(PUBLIC, "jo")
    assert is_hit(await till.post(PUBLIC, "jo"))
    await till.revoke("jo")
    await asyncio.sleep(1.1)  # as long as a key is believed

    answer = await till.post(PUBLIC, "jo")
    assert answer.status_code == 401
    assert "BOLT" not in answer.text
    assert (await till.post(PUBLIC, x_api_key="gw_live_nonsense")).status_code == 401


async def test_answers_from_memory_are_charged(tmp_path: Path) -> None:
    few = {"cost_per_second": 0.001, "burst": 100, "requests_per_second": 1}
    async with counter(tmp_path, CALLERS, rates={"application": few}) as till:
        statuses = [(await till.post(PUBLIC, "jo")).status_code for _ in range(120)]

    assert statuses[1] == 200
    assert statuses[-1] == 429


async def test_a_purge_is_over_when_nothing_old_is_given(till: Till) -> None:
    await till.post(PUBLIC)
    till.world.version["BOLT"] = 1
    assert "BOLT 0" in (await till.post(PUBLIC)).text

    await till.purge("product:BOLT")

    answer = await till.post(PUBLIC)
    assert "BOLT 1" in answer.text
    assert not is_hit(answer)


async def test_other_answers_outlive_a_purge(till: Till) -> None:
    other = PUBLIC.replace("BOLT", "NUT")
    await till.post(PUBLIC)
    await till.post(other)

    await till.purge("product:BOLT", "order:A-0")

    assert not is_hit(await till.post(PUBLIC))
    assert is_hit(await till.post(other))


@pytest.mark.parametrize("tag", ["product:BOLT", "upstream:shop", "role:stock", "type:Product"])
async def test_what_was_under_way_at_a_purge_is_not_kept(till: Till, tag: str) -> None:
    till.world.open.clear()
    asking = asyncio.create_task(till.post(PUBLIC))
    while not till.world.asked:
        await asyncio.sleep(0)
    await till.purge(tag)
    till.world.open.set()
    await asking

    assert not is_hit(await till.post(PUBLIC))
    assert is_hit(await till.post(PUBLIC))


async def test_old_answers_of_a_system_that_is_out_are_not_kept(till: Till) -> None:
    query = '{ product(sku: "BOLT") { availability { available } } }'
    strict = 'query @fresh(maxAge: 0) { product(sku: "BOLT") { availability { available } } }'
    await till.post(query)
    till.world.down = True
    stale = [await till.post(strict) for _ in range(3)]

    assert not any(map(is_hit, stale))
    assert {one.headers["cache-control"] for one in stale} == {"no-store"}
    assert "fwd=stale" in stale[0].headers["cache-status"]


async def test_a_failure_that_is_no_error_is_not_kept(till: Till) -> None:
    query = """{ basket(lines: [{sku: "BOLT", quantity: "1"}]) { lines { problems } } }"""
    till.world.down = True
    failed = await till.post(query, "jo")
    till.world.down = False
    good = await till.post(query, "jo")

    assert "errors" not in failed.json()
    assert failed.headers["cache-control"] == "no-store"
    assert "PRICE_UNAVAILABLE" in failed.text
    assert "PRICE_UNAVAILABLE" not in good.text


async def test_what_somebody_lacks_the_scope_for_is_nobody_elses(till: Till) -> None:
    query = """{ basket(lines: [{sku: "BOLT", quantity: "1"}]) { lines { problems } } }"""
    lacking = await till.post(query, "narrow")
    assert "UNAVAILABLE" in lacking.text

    assert "UNAVAILABLE" not in (await till.post(query, "jo")).text
    assert "UNAVAILABLE" not in (await till.post(query)).text


async def test_collapsed_calls_are_credited_to_all_who_asked(till: Till) -> None:
    till.world.open.clear()
    queries = [f'{{ a{n}: product(sku: "BOLT") {{ name }} }}' for n in range(5)]
    asking = [asyncio.create_task(till.post(one)) for one in queries]
    while not till.world.asked:
        await asyncio.sleep(0)
    till.world.open.set()
    answers = await asyncio.gather(*asking)

    assert till.calls() == ["catalog"]
    assert all("shop; fwd=miss" in one.headers["cache-status"] for one in answers)
    assert all([is_hit(await till.post(one)) for one in queries])


class TestByGet:
    async def test_caches_may_keep_what_nobody_known_asked(self, till: Till) -> None:
        first, again = await till.get(PUBLIC), await till.get(PUBLIC)

        assert re.fullmatch(r"public, max-age=\d", first.headers["cache-control"])
        assert "age" not in first.headers
        assert is_hit(again)
        assert again.headers["age"] == "0"
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["vary"] == (
            "Accept, Accept-Language, Authorization, X-API-Key, Accept-Encoding, Origin"
        )

    @pytest.mark.parametrize("who", ["jo", "cookie"])
    async def test_with_credentials_it_is_private(self, till: Till, who: str) -> None:
        await till.get(PUBLIC)
        cookie = {"cookie": "a=b", "x_requested_with": "x"}
        answer = await (till.get(PUBLIC, **cookie) if who == "cookie" else till.get(PUBLIC, who))

        assert is_hit(answer)
        assert answer.headers["cache-control"].startswith("private, ")

    async def test_what_a_client_has_is_not_sent_again(self, till: Till) -> None:
        first = await till.get(PUBLIC)
        etag = first.headers["etag"]
        for known in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
            answer = await till.get(PUBLIC, if_none_match=known)
            assert (answer.status_code, answer.content) == (304, b"")
            assert "content-length" not in answer.headers
            assert answer.headers["etag"] == etag
            assert answer.headers["cache-control"] == first.headers["cache-control"]
        assert (await till.get(PUBLIC, if_none_match='"x"')).status_code == 200

    async def test_what_is_worked_out_anew_may_be_known_too(self, till: Till) -> None:
        etag = (await till.get(PUBLIC)).headers["etag"]
        answer = await till.get(PUBLIC, if_none_match=etag, cache_control="no-cache")
        assert answer.status_code == 304

    async def test_head_has_the_same_headers(self, till: Till) -> None:
        got = await till.get(PUBLIC)
        head = await till.client.head("/graphql", params={"query": PUBLIC})

        assert is_hit(head)
        assert head.content == b""
        assert head.headers["content-length"] == str(len(got.content))

    async def test_errors_are_neither_kept_nor_named(self, till: Till) -> None:
        for _ in range(2):
            answer = await till.get('{ order(number: "A-0") { number } }')
            assert answer.json()["errors"]
            assert answer.headers["cache-control"] == "no-store"
            assert "etag" not in answer.headers


class TestCompressed:
    LINES = ", ".join(f'{{sku: "{SKUS[n % 4]}", quantity: "{n}"}}' for n in range(1, 60))
    LONG = f"{{ basket(lines: [{LINES}]) {{ lines {{ sku quantity product {{ id name }} }} }} }}"

    async def test_kept_answers_keep_their_compressed_forms(self, till: Till) -> None:
        plain = await till.post(self.LONG, accept_encoding="identity")
        for coding, unpack in UNPACK.items():
            found = [await self.raw(till, coding.decode()) for _ in range(3)]
            assert {unpack(raw) for raw in found} == {plain.content}
            assert len(set(found)) == 1
            assert len(found[0]) < len(plain.content) / 4

    async def raw(self, till: Till, coding: str) -> bytes:
        request = till.client.build_request(
            "POST", "/graphql", json={"query": self.LONG}, headers={"accept-encoding": coding}
        )
        answer = await till.client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        await answer.aclose()
        assert answer.headers["content-encoding"] == coding
        assert is_hit(answer)
        return raw

    async def test_the_same_answer_has_one_weak_name_however_it_is_coded(self, till: Till) -> None:
        """Of a GET: a client that holds it in one coding has it in all of them."""
        names = {
            (await till.get(self.LONG, accept_encoding=coding)).headers["etag"]
            for coding in ("identity", "gzip", "br", "zstd")
        }
        (name,) = names
        assert name.startswith("W/")
        again = await till.get(self.LONG, accept_encoding="br", if_none_match=name)
        assert (again.status_code, again.content) == (304, b"")
        assert "content-encoding" not in again.headers
        assert "Accept-Encoding" in again.headers["vary"]

    async def test_short_answers_and_errors_go_out_as_they_are(self, till: Till) -> None:
        failing = self.LONG.removesuffix("}") + 'order(number: "A-0") { number } }'
        for query, who in ((PUBLIC, None), (failing, "narrow")):
            answer = await till.post(query, who, accept_encoding="gzip")
            assert "content-encoding" not in answer.headers
            assert "Accept-Encoding" in answer.headers["vary"]

    async def test_pages_of_other_sites_learn_nothing_from_lengths(self, till: Till) -> None:
        told = {"accept_encoding": "gzip", "sec_fetch_site": "cross-site", "x_requested_with": "x"}
        assert "content-encoding" not in (await till.post(self.LONG, **told, cookie="a=b")).headers
        assert "content-encoding" in (await till.post(self.LONG, **told)).headers

    async def test_it_can_be_switched_off(self, tmp_path: Path) -> None:
        async with counter(tmp_path, CALLERS, compression={"enabled": False}) as till:
            answer = await till.post(self.LONG, accept_encoding="gzip")
        assert "content-encoding" not in answer.headers
        assert "Accept-Encoding" not in answer.headers["vary"]


async def test_without_the_cache_nothing_is_told(tmp_path: Path) -> None:
    async with counter(tmp_path, CALLERS, cache={"enabled": False}) as till:
        answers = [await till.get(PUBLIC) for _ in range(2)]

    assert {one.headers["cache-control"] for one in answers} == {"no-store"}
    assert not any("cache-status" in one.headers or "etag" in one.headers for one in answers)


async def test_without_whole_answers_caches_are_told_all_the_same(tmp_path: Path) -> None:
    off = {"enabled": True, "responses": {"enabled": False}}
    async with counter(tmp_path, CALLERS, cache=off) as till:
        first, again = await till.get(PUBLIC), await till.get(PUBLIC)

    assert not is_hit(again)
    assert "shop; hit" in again.headers["cache-status"]
    assert again.headers["age"] == "0"
    assert again.headers["etag"] == first.headers["etag"]


async def test_trusted_documents_alone_are_served_still(tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"known": PUBLIC}))
    only = {"mode": "only", "file": str(manifest)}
    async with counter(tmp_path, CALLERS, trusted_documents=only) as till:
        known = [await till.client.post("/graphql", json={"documentId": "known"}) for _ in range(2)]
        other = [await till.post(PUBLIC.replace("name", "sku"), "reader") for _ in range(2)]

    assert list(map(is_hit, known)) == [False, True]
    assert [one.json()["errors"][0]["extensions"]["code"] for one in other] == [
        "DOCUMENT_NOT_TRUSTED"
    ] * 2


async def test_a_document_sent_with_its_hash_is_registered_each_time(till: Till) -> None:
    from hashlib import sha256

    named = {"persistedQuery": {"version": 1, "sha256Hash": sha256(PUBLIC.encode()).hexdigest()}}
    body = {"query": PUBLIC, "extensions": named}
    answers = [await till.client.post("/graphql", json=body) for _ in range(2)]
    by_name = [await till.client.post("/graphql", json={"extensions": named}) for _ in range(2)]

    assert not any(map(is_hit, answers))
    assert list(map(is_hit, by_name)) == [False, True]
