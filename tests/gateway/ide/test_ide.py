"""The routes of the page at `/`, asked as a browser asks them."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate
from starlette.applications import Starlette

from gateway.http.ide import (
    FALLBACK,
    QUERIES,
    IdeConfiguration,
    Login,
    ide_routes,
    storefront_query,
    storefront_tabs,
)

EXAMPLES = {
    "sku": "VIS-0001",
    "category": "fasteners",
    "customer": "C-1001",
    "order": "SO-1",
    "trackingNumber": "00340434161094042557",
}
PRINTED_SCHEMA = Path(__file__).parents[3] / "schema" / "schema.graphql"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>built</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (assets / "page-AB12.js").write_text("export const a = 1;")
    (assets / "page-AB12.js.gz").write_bytes(gzip.compress(b"export const a = 1;"))
    (assets / "font-CD34.ttf").write_bytes(b"\x00\x01")
    return tmp_path


def application(built: Path) -> Starlette:
    configuration = IdeConfiguration(
        tabs=storefront_tabs(EXAMPLES), headers={"Authorization": "Bearer demo"}
    )
    return Starlette(routes=ide_routes(lambda: configuration, built=built))


def browser(app: Starlette) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.fixture
async def page(built: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(application(built)) as client:
        yield client


@pytest.fixture
async def fallback(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(application(tmp_path / "absent")) as client:
        yield client


async def test_the_page_is_asked_again_and_its_files_are_kept(page: httpx2.AsyncClient) -> None:
    index = await page.get("/")
    script = await page.get("/assets/page-AB12.js", headers={"accept-encoding": "identity"})

    assert "built" in index.text
    assert index.headers["cache-control"] == "no-cache"
    assert script.text == "export const a = 1;"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in script.headers


async def test_a_compressed_file_keeps_the_type_of_the_plain_one(page: httpx2.AsyncClient) -> None:
    script = await page.get("/assets/page-AB12.js", headers={"accept-encoding": "gzip"})
    font = await page.get("/assets/font-CD34.ttf", headers={"accept-encoding": "gzip"})

    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.text == "export const a = 1;"
    assert "content-encoding" not in font.headers


async def test_a_known_file_is_not_sent_twice(page: httpx2.AsyncClient) -> None:
    first = await page.get("/assets/page-AB12.js")
    again = await page.get("/assets/page-AB12.js", headers={"if-none-match": first.headers["etag"]})

    assert again.status_code == 304


async def test_nothing_outside_the_built_folder_is_served(page: httpx2.AsyncClient) -> None:
    for path in ("/assets/..%2findex.html", "/assets/nope.js", "/index.html"):
        assert (await page.get(path)).status_code == 404
    assert (await page.post("/")).status_code == 405


async def test_the_policy_allows_no_script_but_our_files(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/")
    policy = policy_of(answer)

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["worker-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


def policy_of(answer: httpx2.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("https://login.example", "https://login.example"),
        ("https://login.example:8443/realms/shop", "https://login.example:8443"),
        ("http://127.0.0.1:8100/oauth", "http://127.0.0.1:8100"),
        ("http://localhost:8100", "http://localhost:8100"),
    ],
)
async def test_the_page_may_ask_the_issuer_and_nobody_else(
    built: Path, issuer: str, origin: str
) -> None:
    login = Login(issuer, "ide", ("openid", "orders:read"), resource="https://api.example")
    told = IdeConfiguration(tabs=(), login=login)
    async with browser(Starlette(routes=ide_routes(lambda: told, built=built))) as client:
        policy = policy_of(await client.get("/"))
        sent = (await client.get("/ide/config.json")).json()

    assert policy["connect-src"] == f"'self' {origin}"
    assert {name for name, sources in policy.items() if origin in sources} == {"connect-src"}
    assert sent["login"] == {
        "issuer": issuer,
        "client_id": "ide",
        "scopes": ["openid", "orders:read"],
        "resource": "https://api.example",
        "audience": None,
    }


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example",
        "http://127.0.0.1.example",
        "https://*",
        "https://login.example; script-src *",
        "https://login.example\nx-injected: 1",
        "https://user@login.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_issuer_that_a_browser_cannot_be_led_to_safely_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Login(issuer, "ide")


async def test_without_a_login_the_page_knows_of_none(page: httpx2.AsyncClient) -> None:
    assert (await page.get("/ide/config.json")).json()["login"] is None
    assert policy_of(await page.get("/"))["connect-src"] == "'self'"


async def test_the_page_is_told_where_the_api_is(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/ide/config.json")
    told = answer.json()

    assert answer.headers["cache-control"] == "no-store"
    assert told["graphql"] == "graphql"
    assert told["headers"] == {"Authorization": "Bearer demo"}
    assert [tab["title"] for tab in told["tabs"]] == [
        "Product page",
        "Listing",
        "Order history",
        "Tracking",
    ]
    assert [tab["variables"] for tab in told["tabs"]] == [
        {"sku": "VIS-0001"},
        {"category": "fasteners"},
        {"customer": "C-1001"},
        {"trackingNumber": "00340434161094042557"},
    ]


def test_a_missing_example_is_left_to_the_reader() -> None:
    assert [dict(tab.variables) for tab in storefront_tabs({"sku": "A"})][:2] == [
        {"sku": "A"},
        {"category": ""},
    ]


async def test_without_a_build_every_foreign_file_is_pinned(fallback: httpx2.AsyncClient) -> None:
    answer = await fallback.get("/")
    foreign = re.findall(r"<(?:script|link)[^>]*https://[^>]*>", answer.text)
    policy = answer.headers["content-security-policy"]

    assert len(foreign) == 6
    for element in foreign:
        assert re.search(r"@\d+\.\d+\.\d+/", element)
        assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}"', element)
        assert 'crossorigin="anonymous"' in element
        assert re.search(r"https://[^/]+", element)[0] in policy  # type: ignore[index]
    assert "<script>" not in answer.text
    assert (await fallback.get("/ide/start.js")).headers["content-type"].startswith("text/java")
    assert (await fallback.get("/favicon.svg")).headers["content-type"] == "image/svg+xml"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not PRINTED_SCHEMA.is_file():
        pytest.skip("schema/schema.graphql is not printed yet")
    # Federation's own directives come with the printed schema or by @link; both are fine here.
    return build_schema(PRINTED_SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


@pytest.mark.parametrize("name", sorted(path.stem for path in QUERIES.glob("*.graphql")))
def test_every_ready_query_is_valid(schema: GraphQLSchema, name: str) -> None:
    document = parse(storefront_query(name))

    assert validate(schema, document) == []
    operations = [node for node in document.definitions if type(node) is OperationDefinitionNode]
    assert len(operations) == 1
    assert operations[0].name is not None


def test_both_pages_share_one_icon() -> None:
    source = FALLBACK.parents[2] / "frontend" / "public" / "favicon.svg"
    assert source.read_text() == (FALLBACK / "favicon.svg").read_text()
