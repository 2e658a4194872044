"""The page at `/` of the real demo in a real Chromium: as a newcomer opens it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gateway.http.ide import BUILT

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STARTED_SECONDS = 60
# Generous: what is tested is that it happens, on machines that do much else.
PATIENCE_MILLISECONDS = 60_000
TABS = {
    "ProductPage": "product",
    "Listing": "category",
    "OrderHistory": "customer",
    "Tracking": "shipment",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: run `make browser`"),
    pytest.mark.skipif(
        not (BUILT / "index.html").is_file(), reason="the page is not built: run `make ide`"
    ),
]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `var/demo.json` of a demo says, which runs as long as this module's tests."""
    place = tmp_path_factory.mktemp("demo")
    ports = {"PASSERELLE_PORT": str(free_port()), "PASSERELLE_SANDBOX_PORT": str(free_port())}
    command = Path(sys.executable).with_name("passerelle")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, "demo"], cwd=place, env={**os.environ, **ports}, stdout=log, stderr=log
        )
    try:
        yield told_by(process, place)
    finally:
        process.terminate()
        process.wait(timeout=STARTED_SECONDS)


def told_by(process: "subprocess.Popen[bytes]", place: Path) -> dict[str, Any]:
    told = place / "var" / "demo.json"
    last = time.monotonic() + STARTED_SECONDS
    while not told.is_file():
        if process.poll() is not None or time.monotonic() > last:
            pytest.fail("the demo did not start:\n" + (place / "log").read_text())
        time.sleep(0.05)
    found: dict[str, Any] = json.loads(told.read_text())
    return found


@dataclass
class Visit:
    """An open page, and all that it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open_tab(self, name: str) -> None:
        self.page.locator(".graphiql-tab-button", has_text=name).click()
        # The editor follows the tab a moment later, quicker than a person but not than a test.
        expect(self.page.locator(".graphiql-query-editor")).to_contain_text(name)

    def run(self) -> dict[str, Any]:
        """Presses the button; the answer as the gateway sent it, once the page shows it."""
        with self.page.expect_response("**/graphql") as awaited:
            self.page.get_by_role("button", name="Execute query").click()
        answer: dict[str, Any] = awaited.value.json()
        return answer


@pytest.fixture
def visit(demo: dict[str, Any], tmp_path: Path) -> Iterator[Visit]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path,
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1440, "height": 900},
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        opened = Visit(context.pages[0])
        opened.page.goto(demo["ide"])
        expect(opened.page.locator(".graphiql-tab")).to_have_count(4)
        # The button stays idle until the schema has arrived.
        opened.page.wait_for_load_state("networkidle")
        yield opened
        context.close()


def test_the_first_query_runs_without_any_preparation(visit: Visit) -> None:
    answer = visit.run()

    assert "errors" not in answer
    assert answer["data"]["product"]["name"]
    assert answer["data"]["product"]["price"]["unit"]["net"]["amount"]
    expect(visit.page.locator(".graphiql-response")).to_contain_text('"product"')


def test_every_ready_query_shows_data_and_the_page_is_quiet(
    visit: Visit, demo: dict[str, Any]
) -> None:
    for tab, root in TABS.items():
        visit.open_tab(tab)
        answer = visit.run()
        assert "errors" not in answer, answer["errors"]
        assert answer["data"][root], f"{tab} shows nothing"
        expect(visit.page.locator(".graphiql-response")).to_contain_text(f'"{root}"')

    elsewhere = [
        url for url in visit.requests if not url.startswith((demo["ide"], "data:", "blob:"))
    ]
    assert not elsewhere
    assert not visit.complaints


def test_the_tabs_are_there_again_after_a_reload(visit: Visit) -> None:
    visit.open_tab("Tracking")
    visit.page.wait_for_function(
        "() => JSON.parse(localStorage['passerelle:graphiql:tabState']).activeTabIndex === 3"
    )
    visit.page.reload()

    expect(visit.page.locator(".graphiql-tab")).to_have_count(4)
    expect(visit.page.locator(".graphiql-query-editor")).to_contain_text("trackingNumber")


def test_the_explorer_builds_a_query_by_clicks(visit: Visit) -> None:
    visit.page.get_by_role("button", name="Show GraphiQL Explorer").click()
    explorer = visit.page.locator(".graphiql-plugin")
    explorer.get_by_text("enabled", exact=True).click()

    assert visit.run()["data"]["product"]["enabled"] is True
    assert not visit.complaints


def test_a_person_logs_in_and_the_gateway_answers_for_that_customer(
    visit: Visit, demo: dict[str, Any]
) -> None:
    page = visit.page
    page.get_by_role("button", name="Show Access").click()
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    page.get_by_role("button").first.click()

    expect(page.locator(".graphiql-tab")).to_have_count(4)
    hide_or_show = page.get_by_role("button", name=re.compile("(Show|Hide) Access"))
    if hide_or_show.get_attribute("aria-label") == "Show Access":
        hide_or_show.click()
    panel = page.locator(".panel", has=page.locator('[data-panel="access"]'))
    expect(panel).to_contain_text(demo["examples"]["customer"])
    visit.open_tab("OrderHistory")
    with page.expect_request("**/graphql") as sent:
        answer = visit.run()

    assert sent.value.headers["authorization"].startswith("Bearer ")
    assert "x-api-key" not in sent.value.headers
    assert answer["data"]["customer"]["orders"]["nodes"]


def test_a_run_is_explained_as_a_waterfall_to_who_may_see_it(visit: Visit) -> None:
    page, panel = visit.page, visit.page.locator(".panel")
    page.get_by_role("button", name="Show Explain").click()
    page.get_by_label("Explain every run").check()
    told = visit.run()["extensions"]["explain"]

    assert [wave["wave"] for wave in told["run"]["waves"]] == [1, 2]
    expect(panel.get_by_role("list", name="Questions of wave 1")).to_contain_text("pricing.prices")
    expect(panel.get_by_role("list", name="Questions of wave 2")).to_contain_text("categories")
    expect(panel.locator("rect.explain-question")).to_have_count(4)
    expect(panel).to_contain_text("Foreseen: cost")
    assert not visit.complaints

    page.get_by_role("button", name="Show Access").click()
    page.get_by_role("button", name="Ask anonymously").click()
    expect(panel).to_contain_text("Anonymous")
    page.get_by_role("button", name="Show Explain").click()
    refused = visit.run()["extensions"]["explain"]

    assert refused["error"]["code"] == "FORBIDDEN"
    expect(panel.get_by_role("status")).to_contain_text("systems:read")
    expect(panel.locator("rect.explain-question")).to_have_count(0)
