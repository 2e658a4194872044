"""The PIM's wire: tokens, failures, links, older versions, what is read once for all."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.connector import Akeneo
from connectors.akeneo.locales import locales_for
from ports.catalog import Product, ProductQuery, ProductSort
from ports.common import PageRequest
from ports.errors import MalformedError, RefusedError, UpstreamError
from tests.connectors.akeneo.peer import FAULTS, Peer, akeneo, config, upstream, world
from upstream.config import UpstreamConfig
from upstream.reference import own_call

API = "/api/rest/v1"
SEARCH = f"{API}/products-uuid/search"
SKU = "VIS-HEX-M8X40-A2"
SHEET = next(code for code in world().media if code.endswith(".pdf"))


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_failure_is_one_of_the_tree(fault: str) -> None:
    catalog = akeneo(Peer(fault=fault), tries=1)

    with pytest.raises(UpstreamError) as raised:
        await catalog.products([SKU], call=own_call())

    assert (raised.value.system, raised.value.upstream) == ("PIM", "pim")
    assert raised.value.operation == "catalog.products"
    assert "Back soon" not in raised.value.message


async def test_a_check_reads_the_channel_and_a_product() -> None:
    peer = Peer()

    await akeneo(peer).check(call=own_call())

    assert peer.calls == [("GET", f"{API}/channels/ecommerce"), ("POST", SEARCH)]


@pytest.mark.parametrize(
    "keys", [{"channel": "nowhere"}, {"identifier_attribute": "nothing"}], ids=str
)
async def test_a_check_refuses_what_the_pim_does_not_have(keys: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        await akeneo(Peer(), **keys).check(call=own_call())


async def test_a_wrong_password_is_refused() -> None:
    wrong = config().model_copy(update={"username": "nobody"})

    with pytest.raises(RefusedError):
        await Akeneo(upstream(Peer()), wrong).check(call=own_call())


def test_it_wants_its_own_configuration() -> None:
    other = UpstreamConfig(kind="akeneo", base_url="http://pim.test")

    with pytest.raises(TypeError):
        Akeneo(upstream(Peer()), other)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", ""])
def test_a_time_zone_must_exist(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        AkeneoConfig.model_validate({**AkeneoConfig.example(), "time_zone": zone})


async def test_what_changes_by_the_week_is_read_once() -> None:
    peer = Peer()
    catalog = akeneo(peer)

    await asyncio.gather(
        *(catalog.products([item.sku], call=own_call()) for item in world().items[:4])
    )

    setup = [path for method, path in peer.calls if method == "GET"]
    assert len(setup) == len(set(setup)) == 6
    assert peer.calls.count(("POST", SEARCH)) == 4
    await catalog.aclose()


async def test_letter_case_aside_the_exact_sku_first() -> None:
    found = await akeneo(Peer(edit=_lowered)).products([SKU, SKU.lower()], call=own_call())

    assert set(found) == {SKU, SKU.lower()}


def _lowered(path: str, body: bytes) -> bytes:
    """As a PIM whose search does not tell upper from lower case."""
    return body.replace(b'"data":"%s"' % SKU.encode(), b'"data":"%s"' % SKU.lower().encode())


def _elsewhere(path: str, body: bytes) -> bytes:
    return body.replace(b"http://pim.test", b"http://thief.test")


async def test_a_link_to_another_host_does_not_get_the_token() -> None:
    peer = Peer(edit=_elsewhere)
    catalog = akeneo(peer)

    first = await catalog.search(ProductQuery(), PageRequest(5), call=own_call())
    second = await catalog.search(
        ProductQuery(), PageRequest(5, first.cursors[-1]), call=own_call()
    )

    assert not {p.sku for p in first.items} & {p.sku for p in second.items}
    assert peer.hosts == {"pim.test"}


async def test_a_pim_without_search_by_post_is_asked_by_get() -> None:
    peer = Peer(statuses={SEARCH: 405})
    catalog = akeneo(peer)
    query = ProductQuery(category="screws", sort=ProductSort.NAME)

    found = await catalog.products([SKU], call=own_call("fr"))
    page = await catalog.search(query, PageRequest(5), call=own_call())

    product = found[SKU]
    assert isinstance(product, Product)
    assert product.brand == "Duravis"
    assert len(page.items) == 5
    assert peer.calls.count(("POST", SEARCH)) == 1


async def test_attributes_that_the_pim_refuses_are_not_named_again() -> None:
    peer = _Forgetful()
    catalog = akeneo(peer)
    wanted = frozenset({"sku", "reference", "name", "enabled", "brand"})
    call = msgspec.structs.replace(own_call("fr"), wanted=wanted)

    found = await catalog.products([SKU], call=call)
    page = await catalog.search(ProductQuery(), PageRequest(2), call=call)

    assert getattr(found[SKU], "brand", None) == "Duravis"
    assert len(page.items) == 2
    assert [body.get("attributes") for body in peer.asked] == ["sku,name,brand", None, None]


async def test_a_search_that_the_pim_refuses_is_refused_with_all_attributes_too() -> None:
    peer = Peer(statuses={SEARCH: 422})
    catalog = akeneo(peer)
    call = msgspec.structs.replace(own_call(), wanted=frozenset({"sku"}))

    for _ in range(2):
        with pytest.raises(RefusedError):
            await catalog.products([SKU], call=call)

    assert peer.calls.count(("POST", SEARCH)) == 4


class _Forgetful(Peer):
    """Has lost an attribute since its attributes were read."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        read = [await receive()]
        named = b'"attributes"' in read[0].get("body", b"")
        self.statuses = {SEARCH: 422} if named else {}
        if named:
            self.asked.append(json.loads(read[0]["body"]))

        async def again() -> Any:
            return read.pop() if read else await receive()

        await super().__call__(scope, again, send)


async def test_a_pim_that_cannot_search_models_by_code_is_asked_for_each() -> None:
    peer = Peer(statuses={f"{API}/product-models": 422})
    catalog = akeneo(peer)
    codes = [model.code for model in world().models[:3]]

    first = await catalog.models([*codes, "nobody"], call=own_call("fr"))
    await catalog.models(codes[:1], call=own_call("fr"))

    assert set(first) == set(codes)
    assert [path for _, path in peer.calls].count(f"{API}/product-models") == 1
    with pytest.raises(RefusedError):
        await catalog.variants(codes, call=own_call())


async def test_a_model_without_products_has_none() -> None:
    def childless(path: str, body: bytes) -> bytes:
        return b'{"_links": {}, "_embedded": {"items": []}}' if path == SEARCH else body

    model = world().models[0].code

    found = await akeneo(Peer(edit=childless)).variants([model, "no"], call=own_call())

    assert found == {model: ()}


async def test_a_sub_model_tells_its_own_axes() -> None:
    def nested(path: str, body: bytes) -> bytes:
        if not path.startswith(f"{API}/product-models"):
            return body
        whole = json.loads(body)
        for item in whole["_embedded"]["items"] if "_embedded" in whole else [whole]:
            item["parent"] = "above"
        return json.dumps(whole).encode()

    model = world().models[0].code

    found = await akeneo(Peer(edit=nested)).models([model], call=own_call())

    assert getattr(found[model], "axes", None) == ()


async def test_products_of_sub_models_belong_to_the_root_too() -> None:
    codes = [model.code for model in world().models[:2]]

    def nested(path: str, body: bytes) -> bytes:
        if path != f"{API}/product-models":
            return body
        item = {"code": codes[0], "parent": codes[1]}
        return json.dumps({"_links": {}, "_embedded": {"items": [item]}}).encode()

    found = await akeneo(Peer(edit=nested)).variants(codes, call=own_call())

    root, below = found[codes[1]], found[codes[0]]
    assert isinstance(root, tuple)
    assert isinstance(below, tuple)
    assert {product.sku for product in below} < {product.sku for product in root}


@pytest.mark.parametrize("status", [403, 404])
async def test_labels_that_we_may_not_read_leave_codes(status: int) -> None:
    hidden = ("attribute-groups", "families", "measurement-families")
    peer = Peer(statuses={f"{API}/{name}": status for name in hidden})

    product = (await akeneo(peer).products([SKU], call=own_call("fr")))[SKU]

    assert isinstance(product, Product)
    assert product.family == "screws"
    values = {attribute.code: attribute for attribute in product.attributes}
    assert values["length"].value == "40 MILLIMETER"
    assert values["length"].group == "technical"


async def test_axes_that_we_may_not_read_are_none() -> None:
    model = world().models[0]
    path = f"{API}/families/{model.family}/variants"
    peer = Peer()
    known = await akeneo(peer).models([model.code], call=own_call("fr"))
    asked = next(at for _, at in peer.calls if at.startswith(path))

    hidden = await akeneo(Peer(statuses={asked: 403})).models([model.code], call=own_call("fr"))

    assert getattr(known[model.code], "axes", None) == ("Filetage", "Longueur")
    assert getattr(hidden[model.code], "axes", None) == ()


async def test_everything_kept_is_let_go() -> None:
    catalog = akeneo(Peer())
    await catalog.models([world().models[0].code], call=own_call())
    query = ProductQuery(brands=("Duravis",), category="screws")
    await catalog.search(query, PageRequest(1), call=own_call())

    await catalog.aclose()

    with pytest.raises(RuntimeError):
        await catalog.products([SKU], call=own_call())


async def test_attributes_that_we_may_not_read_are_an_error() -> None:
    with pytest.raises(RefusedError):
        await akeneo(Peer(statuses={f"{API}/attributes": 403})).products([SKU], call=own_call())


async def test_without_the_channel_the_configuration_tells_the_locales() -> None:
    peer = Peer(statuses={f"{API}/channels/ecommerce": 404})
    catalog = akeneo(peer, locales={"fr": ("fr_FR", "en_US")})

    product = (await catalog.products([SKU], call=own_call("fr")))[SKU]

    assert isinstance(product, Product)
    assert product.name == "Vis à tête hexagonale M8x40 inox A2"
    assert "locales" not in peer.asked[0]
    roots = (await catalog.children([None], call=own_call()))[None]
    assert isinstance(roots, tuple)
    assert [root.code for root in roots] == ["master"]


async def test_a_file_is_read_with_a_fresh_token_when_the_old_one_is_refused() -> None:
    peer = Refusing()

    content = await akeneo(peer).open_media(SHEET, call=own_call())

    assert content is not None
    assert b"".join([chunk async for chunk in content.chunks]) == world().media[SHEET].body
    assert content.filename is not None
    assert content.filename.endswith(".pdf")
    assert content.mime_type == "application/pdf"


async def test_a_file_that_is_gone_when_the_token_is_fresh_is_none() -> None:
    assert await akeneo(Refusing()).open_media("a/b/c.pdf", call=own_call()) is None


async def test_a_file_may_be_left_unread() -> None:
    content = await akeneo(Peer()).open_media(SHEET, call=own_call())

    assert content is not None
    closing: Any = content.chunks
    await closing.aclose()


async def test_a_file_that_the_pim_cannot_give_is_an_error() -> None:
    peer = Peer(statuses={f"{API}/media-files/{SHEET}/download": 500})

    with pytest.raises(UpstreamError):
        await akeneo(peer).open_media(SHEET, call=own_call())


class Refusing(Peer):
    """Answers the first download as if its token had been withdrawn."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        first = path.endswith("/download") and ("GET", path) not in self.calls
        self.statuses = {path: 401} if first else {}
        await super().__call__(scope, receive, send)


async def test_a_file_cut_short_is_malformed() -> None:
    content = await akeneo(_Cutting()).open_media(SHEET, call=own_call())

    assert content is not None
    with pytest.raises(MalformedError):
        async for _ in content.chunks:
            pass


class _Cutting:
    """Says that its files are compressed, and sends something else."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].endswith("/download"):
            await Peer()(scope, receive, send)
            return
        headers = [(b"content-type", b"odd"), (b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"not gzip at all"})


@pytest.mark.parametrize(
    ("language", "keys", "locales"),
    [
        ("fr", {}, ("fr_FR", "de_DE")),
        ("fr-CA", {}, ("fr_FR", "de_DE")),
        ("FR_fr", {}, ("fr_FR", "de_DE")),
        ("it", {}, ("de_DE",)),
        ("it", {"default_locale": "en_US"}, ("en_US",)),
        ("it-CH", {"locales": {"it": "it_IT"}}, ("it_IT", "de_DE")),
        ("fr-BE", {"locales": {"fr-BE": ("fr_BE", "fr_FR")}}, ("fr_BE", "fr_FR", "de_DE")),
        ("", {}, ("de_DE",)),
    ],
)
def test_a_language_is_read_in_the_best_locale(
    language: str, keys: dict[str, Any], locales: tuple[str, ...]
) -> None:
    assert locales_for(language, config(**keys), ("de_DE", "en_US", "fr_FR")) == locales
