"""The page a person signs in on: closed to everything but its own form, and plain HTML."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import httpx2
import pytest

from sandbox.oauth import people
from sandbox.world import World
from tests.sandbox.oauth.conftest import BACK, Flow


class _Elements(HTMLParser):
    """The page's elements, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def _policy(answer: httpx2.Response) -> dict[str, str]:
    said = answer.headers["content-security-policy"].split("; ")
    return {name: source for name, _, source in (one.partition(" ") for one in said)}


async def test_nothing_may_be_loaded_framed_kept_or_told_on(flow: Flow) -> None:
    answer = await flow.show()
    policy = _policy(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self' http://127.0.0.1:8000"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_its_one_style_is_the_one_allowed(flow: Flow) -> None:
    answer = await flow.show()
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert _policy(answer)["style-src"] == f"'sha256-{digest}'"


async def test_it_is_whole_in_itself(flow: Flow) -> None:
    elements = _Elements((await flow.show()).text)
    assert not elements.named("script")
    assert not elements.named("link")
    for _, attributes in elements.found:
        assert not {"src", "href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]


async def test_it_can_be_used_by_everybody(flow: Flow, world: World) -> None:
    page = (await flow.show()).text
    elements = _Elements(page)
    assert elements.named("html")[0]["lang"] == "en"
    assert len(elements.named("h1")) == len(elements.named("main")) == 1
    assert elements.named("title")
    people_offered = [one["value"] for one in elements.named("button") if one["name"] == "person"]
    assert people_offered == list(people(world))
    for person in people(world).values():
        assert person.name in page


async def test_what_is_asked_for_is_shown_and_cannot_be_html(flow: Flow) -> None:
    hostile = '"><script>alert(1)</script>'
    page = (await flow.show(state=hostile, nonce=hostile, login_hint=hostile)).text
    assert "<script" not in page
    assert "Query editor" in page
    assert "Read orders" in page
    assert "Read invoices" not in page
    assert BACK.removesuffix("/callback") in page


async def test_the_ticket_is_kept_from_scripts_and_other_sites(flow: Flow) -> None:
    cookie = (await flow.show()).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/authorize" in cookie


@pytest.mark.parametrize("ticket", ["forged", "", None])
async def test_no_other_page_can_click(
    flow: Flow, http: httpx2.AsyncClient, ticket: str | None
) -> None:
    await flow.show()
    form = {"person": "buyer", "ticket": ticket or "x"}
    if ticket == "":
        http.cookies.clear()
    answer = await http.post("/authorize", params=flow.request(), data=form)
    assert answer.status_code == 403
    assert "location" not in answer.headers
    bare = await http.post("/authorize", params=flow.request(), data={"person": "buyer"})
    assert "code=" not in bare.headers.get("location", "")


async def test_two_tabs_can_both_be_used(flow: Flow, http: httpx2.AsyncClient) -> None:
    first = re.search(r'name="ticket" value="([^"]+)"', (await flow.show()).text)
    await flow.show()
    assert first is not None
    form = {"ticket": first[1], "person": "buyer"}
    answer = await http.post("/authorize", params=flow.request(), data=form)
    assert "code=" in answer.headers["location"]


async def test_the_request_is_checked_again_when_the_form_comes(
    flow: Flow, http: httpx2.AsyncClient
) -> None:
    found = re.search(r'name="ticket" value="([^"]+)"', (await flow.show()).text)
    assert found is not None
    changed = flow.request(redirect_uri="https://elsewhere.example/callback")
    form = {"ticket": found[1], "person": "buyer"}
    answer = await http.post("/authorize", params=changed, data=form)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("person", ["nobody", "storefront", ""])
async def test_only_the_people_shown_can_be_chosen(flow: Flow, person: str) -> None:
    answer = await flow.choose(person)
    assert answer.status_code == 400
    assert "location" not in answer.headers
