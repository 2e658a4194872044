"""Logging in on the page at `/`, in a real Chromium, at the sandbox's issuer on another port."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect, sync_playwright  # noqa: A004

from gateway.http.ide import BUILT
from sandbox.oauth import Terms
from tests.gateway.ide.login_peer import (
    BUYER,
    GOOD_KEY,
    PRESET_KEY,
    SCOPES,
    Site,
    site,
)

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE_MILLISECONDS = 60_000
PRESS_MILLISECONDS = 3_000
PRESSES = 20
# Chromium says so of every 401, whatever the page makes of it.
REFUSED = "the server responded with a status of 401"
STORED = """() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: run `make browser`"),
    pytest.mark.skipif(
        not (BUILT / "index.html").is_file(), reason="the page is not built: run `make ide`"
    ),
]


class Visit:
    """The open page, and what it asked for and complained of."""

    def __init__(self, page: Page, at: Site) -> None:
        self.page = page
        self.at = at
        self.addresses: list[str] = []
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)
        page.on("framenavigated", lambda frame: self.addresses.append(frame.url))

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open(self, query: str = "") -> "Visit":
        self.page.goto(self.at.url + query)
        expect(self.page.locator(".graphiql-tab")).to_have_count(1)
        return self

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def panel(self) -> Any:
        panel = self.page.locator(".panel", has=self.page.locator('[data-panel="access"]'))
        button = self.page.get_by_role("button", name=re.compile("(Show|Hide) Access"))
        if button.get_attribute("aria-label") == "Show Access":
            button.click()
        return panel

    def leave_to_log_in(self) -> None:
        self.panel()
        self.press("Log in")
        expect(self.page.get_by_role("heading", name="Who are you?")).to_be_visible()

    def log_in(self) -> Any:
        self.leave_to_log_in()
        self.page.get_by_role("button", name=BUYER.name).click()
        panel = self.panel()
        expect(panel).to_contain_text(BUYER.name)
        return panel

    def use_key(self, key: str) -> None:
        field = self.panel().get_by_label("API key")
        expect(field).to_have_attribute("type", "password")
        field.fill(key)
        self.press("Use")

    def run(self) -> int:
        """Presses the button; the status of the answer."""
        for _ in range(PRESSES):
            try:
                with self.page.expect_request(_of_the_tab, timeout=PRESS_MILLISECONDS) as sent:
                    self.press("Execute query (Ctrl-Enter)")
            except TimeoutError:
                continue  # the editor was not ready yet, and nothing was sent
            status: int = sent.value.response().status
            return status
        pytest.fail("the button sends nothing")

    def notice(self) -> Any:
        return self.page.locator(".access-notice")

    def says(self, text: str) -> None:
        """Once: in the panel where that is open, else above the page."""
        expect(self.page.get_by_role("alert").filter(has_text=text)).to_have_count(1)

    def stored(self) -> str:
        found: str = self.page.evaluate(STORED)
        return found

    def hosts(self) -> set[str]:
        asked = (urlsplit(url) for url in self.requests)
        return {f"{one.scheme}://{one.netloc}" for one in asked if one.scheme.startswith("http")}


def _of_the_tab(request: Any) -> bool:
    return request.url.endswith("/graphql") and '"Product"' in (request.post_data or "")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture
def peers() -> Iterator[Site]:
    with site() as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context.new_page()
    context.close()


@pytest.fixture
def visit(page: Page, peers: Site) -> Visit:
    return Visit(page, peers).open()


def test_a_person_logs_in_and_asks_with_the_token(visit: Visit) -> None:
    panel = visit.log_in()

    assert BUYER.customer is not None
    expect(panel).to_contain_text(BUYER.customer)
    expect(panel.get_by_role("list", name="Scopes").get_by_role("listitem")).to_have_text(
        sorted(SCOPES)
    )
    expect(panel.locator("time")).to_contain_text(":")
    assert visit.run() == 200
    assert visit.at.peer.callers == [BUYER.id]
    assert visit.complaints == []
    assert visit.hosts() == {visit.at.url.rstrip("/"), visit.at.issuer}


def test_the_login_is_a_code_with_pkce_and_its_traces_are_removed(visit: Visit) -> None:
    visit.log_in()
    asked = next(url for url in visit.addresses if url.startswith(f"{visit.at.issuer}/authorize"))
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(asked).query).items()}

    assert parameters["response_type"] == "code"
    assert parameters["code_challenge_method"] == "S256"
    assert parameters["redirect_uri"] == visit.at.url
    assert len(parameters["state"]) == len(parameters["nonce"]) == 43
    assert "client_secret" not in parameters
    assert visit.page.url == visit.at.url
    assert parameters["state"] not in visit.stored()
    codes = [url for url in visit.addresses if "code=" in url and url.startswith(visit.at.url)]
    assert len(codes) == 1


def test_the_token_is_in_no_storage_and_a_reload_forgets_it(visit: Visit) -> None:
    visit.log_in()
    visit.run()
    (token,) = set(visit.at.peer.tokens)

    assert "passerelle:graphiql:" in visit.stored()
    assert token not in visit.stored()
    assert token not in visit.page.content()
    assert visit.page.context.cookies(visit.at.url) == []
    visit.page.reload()
    expect(visit.panel()).to_contain_text("Storefront")
    visit.run()
    assert visit.at.peer.callers == [BUYER.id, "key:Storefront"]


def test_logging_out_ends_the_session_at_the_issuer_too(visit: Visit) -> None:
    visit.log_in()
    visit.press("Log out")
    expect(visit.panel()).to_contain_text("Storefront")

    assert any(url.startswith(f"{visit.at.issuer}/end_session?") for url in visit.requests)
    assert visit.page.url == visit.at.url
    visit.run()
    assert visit.at.peer.callers == ["key:Storefront"]
    assert visit.complaints == []


def test_the_ready_queries_go_with_the_key_that_the_page_came_with(visit: Visit) -> None:
    assert visit.run() == 200
    assert visit.at.peer.callers == ["key:Storefront"]
    assert set(visit.at.peer.keys) == {PRESET_KEY}
    assert visit.complaints == []


def test_an_api_key_replaces_the_preset_and_is_stored_nowhere(visit: Visit) -> None:
    visit.use_key(GOOD_KEY)
    expect(visit.panel()).to_contain_text("Partner")
    visit.run()

    assert visit.at.peer.callers == ["key:Partner"]
    assert GOOD_KEY not in visit.stored() + visit.page.content()
    expect(visit.panel().get_by_label("API key")).to_have_value("")
    visit.press("Ask anonymously")
    expect(visit.panel()).to_contain_text("no key and no token")
    visit.run()
    visit.press("Use the preset key")
    expect(visit.panel()).to_contain_text("Storefront")
    visit.run()
    assert visit.at.peer.callers == ["key:Partner", "anonymous", "key:Storefront"]
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("key", "text"),
    [("gw_test_unknown", "does not accept this key"), ("two words", "not a key")],
)
def test_a_wrong_key_is_refused_where_it_was_typed(visit: Visit, key: str, text: str) -> None:
    visit.use_key(key)

    visit.says(text)
    expect(visit.panel().get_by_label("API key")).to_be_focused()
    visit.run()
    assert visit.at.peer.callers == ["key:Storefront"]


def test_headers_that_are_typed_take_the_place_of_ours_and_are_not_remembered(visit: Visit) -> None:
    visit.press("Headers")
    visit.page.locator(".graphiql-editor-tool").get_by_role("textbox").last.focus()
    visit.page.keyboard.insert_text('{"X-API-Key": "' + GOOD_KEY + '"}')
    expect(visit.page.locator(".graphiql-editor-tool")).to_contain_text(GOOD_KEY)
    visit.run()

    assert visit.at.peer.callers == ["key:Partner"]
    assert "graphiql:queries" in visit.stored()
    assert GOOD_KEY not in visit.stored()


def test_an_answer_with_another_state_is_refused(visit: Visit) -> None:
    visit.leave_to_log_in()
    visit.open("?code=stolen&state=of-somebody-else")

    visit.says("belongs to no login of this tab")
    assert visit.page.url == visit.at.url
    assert not any(url.endswith("/token") for url in visit.requests)
    # What was kept for the login is used up: its own answer comes too late now.
    assert "verifier" not in visit.stored()


def test_an_answer_that_nobody_asked_for_shows_none_of_its_words(visit: Visit) -> None:
    visit.open("?error=access_denied&error_description=Call+0800+1234&state=x")

    expect(visit.notice()).to_contain_text("belongs to no login of this tab")
    expect(visit.notice()).not_to_contain_text("0800")


def test_what_the_provider_refuses_is_shown(visit: Visit) -> None:
    visit.leave_to_log_in()
    visit.press("Do not sign in")

    visit.says("access_denied")
    expect(visit.panel()).to_contain_text("Storefront")
    assert visit.page.url == visit.at.url
    assert visit.complaints == []


def test_a_refused_token_asks_to_log_in_again(visit: Visit) -> None:
    visit.log_in()
    visit.at.peer.refusing = True
    assert visit.run() == 401
    expect(visit.notice()).to_contain_text("log in again")
    visit.at.peer.refusing = False
    visit.press("Log in again")
    visit.page.get_by_role("button", name=BUYER.name).click()
    expect(visit.panel()).to_contain_text(BUYER.name)

    expect(visit.notice()).to_have_text("")
    assert visit.run() == 200
    assert all(REFUSED in text for text in visit.complaints)


def test_a_token_that_the_gateway_does_not_accept_is_not_taken(visit: Visit) -> None:
    visit.leave_to_log_in()
    visit.at.peer.refusing = True
    visit.page.get_by_role("button", name=BUYER.name).click()

    visit.says("does not accept the token")
    expect(visit.panel()).to_contain_text("the key that this page came with")
    visit.at.peer.refusing = False
    visit.run()
    assert visit.at.peer.callers == ["key:Storefront"]


def test_a_token_is_renewed_before_it_ends(page: Page) -> None:
    # Every token is about to end, so that each query asks for the next one.
    terms = Terms(access_seconds=20)
    with site(scopes=(*SCOPES, "offline_access"), terms=terms) as running:
        visit = Visit(page, running).open()
        expect(visit.log_in()).to_contain_text("renewed")
        before = len(set(running.peer.tokens))
        assert visit.run() == 200
        assert visit.run() == 200

        assert len(set(running.peer.tokens)) >= before + 2
        assert all(token not in visit.stored() for token in running.peer.tokens)
        assert visit.complaints == []


def test_the_end_of_a_login_is_told(page: Page) -> None:
    page.clock.install()
    with site(keyed=False) as running:
        visit = Visit(page, running).open()
        visit.log_in()
        page.clock.fast_forward("01:00:01")

        expect(visit.notice()).to_contain_text("has expired")
        expect(visit.panel()).to_contain_text("over")


def test_without_an_issuer_that_answers_keys_still_serve(page: Page, peers: Site) -> None:
    page.route(f"{peers.issuer}/**", lambda route: route.abort())
    visit = Visit(page, peers).open()
    visit.panel()
    visit.press("Log in")

    visit.says("cannot be reached")
    visit.use_key(GOOD_KEY)
    expect(visit.panel()).to_contain_text("Partner")


def test_the_panel_is_worked_by_keyboard(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Access: Storefront").focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", name="Access")).to_be_focused()
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("button", name="Log in", exact=True)).to_be_focused()
    visit.page.keyboard.press("Enter")

    expect(visit.page.get_by_role("heading", name="Who are you?")).to_be_visible()


def test_the_age_of_the_facts_is_listed(visit: Visit) -> None:
    visit.press("Show Freshness")
    visit.run()

    rows = visit.page.get_by_role("list", name="Facts of the last answer").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("product.price")
    expect(rows.first).to_contain_text("LIVE")
    expect(rows.last).to_contain_text("STALE")
    expect(rows.last).to_contain_text("2 \N{MULTIPLICATION SIGN}")
