"""A real Chromium signs in: policy, cookie, redirect and cross-origin calls as browsers do them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.app import app
from sandbox.world import World
from tests.sandbox.oauth.conftest import CHALLENGE, VERIFIER

CHROMIUM = Path("/usr/bin/chromium")
# Generous: what is tested is that it happens, on machines that do much else.
PATIENCE_MILLISECONDS = 60_000
EXCHANGE = """async ([token, form]) => {
  const answer = await fetch(token, {method: "POST", body: new URLSearchParams(form)});
  return await answer.json();
}"""
ASK = """async ([address, token]) =>
  (await fetch(address, {headers: {authorization: `Bearer ${token}`}})).json()"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: run `make browser`"),
]


@dataclass(frozen=True)
class Places:
    """Where the issuer is, and the page of the client on another port."""

    issuer: str
    page: str

    def sign_in(self, **changes: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": "ide",
            "redirect_uri": f"{self.page}/callback",
            "scope": "openid profile catalog:read prices:read orders:read",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.issuer}/authorize?{urlencode({**asked, **changes})}"


async def _client_page(scope: Scope, receive: Receive, send: Send) -> None:
    page = HTMLResponse("<!doctype html><title>The client</title><h1>The client</h1>")
    await page(scope, receive, send)


@asynccontextmanager
async def _served(application: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(application, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            server.force_exit = True
    listener.close()


def _listening() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def places(world: World) -> AsyncIterator[Places]:
    (one, root), (other, page) = _listening(), _listening()
    async with _served(app(world, base_url=root), one), _served(_client_page, other):
        yield Places(f"{root}/oauth", page)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        await browser.close()


def _watched(context: BrowserContext) -> list[str]:
    """What the console complains of; a page without an icon is none of it."""
    said: list[str] = []
    context.on(
        "console",
        lambda one: (
            said.append(one.text)
            if one.type in {"error", "warning"} and "favicon" not in one.location.get("url", "")
            else None
        ),
    )
    return said


async def _choose(page: Page, places: Places, name: str) -> None:
    await page.goto(places.sign_in())
    await page.get_by_role("button", name=name).click()
    await page.wait_for_url(f"{places.page}/callback?*")


async def test_a_page_signs_in_and_uses_its_token(places: Places, browser: Browser) -> None:
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    complaints, page = _watched(context), await context.new_page()
    await _choose(page, places, "Buyer at Ateliers")
    code = await page.evaluate("new URLSearchParams(location.search).get('code')")
    form = {
        "grant_type": "authorization_code",
        "client_id": "ide",
        "code": code,
        "redirect_uri": f"{places.page}/callback",
        "code_verifier": VERIFIER,
    }
    tokens = await page.evaluate(EXCHANGE, [f"{places.issuer}/token", form])
    assert tokens["scope"] == "catalog:read prices:read orders:read openid profile"
    told = await page.evaluate(ASK, [f"{places.issuer}/userinfo", tokens["access_token"]])
    assert told["customer_number"] == "C10001"
    assert complaints == []


async def test_signing_in_needs_no_script_and_can_be_done_by_keyboard(
    places: Places, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    await page.goto(places.sign_in())
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{places.page}/callback?*code=*")


async def test_signing_in_opens_in_a_window_of_the_page(places: Places, browser: Browser) -> None:
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    await page.goto(f"{places.page}/")
    async with page.expect_popup() as opening:
        await page.evaluate("address => { window.open(address); }", places.sign_in())
    window = await opening.value
    await window.get_by_role("button", name="Do not sign in").click()
    await window.wait_for_url(f"{places.page}/callback?*error=access_denied*")
    assert await window.evaluate("window.opener.location.origin") == places.page


async def test_the_page_cannot_be_framed(places: Places, browser: Browser) -> None:
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    await page.goto(f"{places.page}/")
    async with page.expect_event("console", lambda one: "frame-ancestors" in one.text):
        await page.evaluate(
            """address => { const frame = document.createElement("iframe");
               frame.src = address; document.body.append(frame); }""",
            places.sign_in(),
        )
