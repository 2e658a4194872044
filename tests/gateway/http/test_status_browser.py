"""The status page of the real demo in a real Chromium: well, degraded, down; light, dark, narrow."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
STARTED_SECONDS = 60
# Generous: what is tested is that it happens, on machines that do much else.
PATIENCE_MILLISECONDS = 60_000
QUERY = """query Detail($sku: String!) @fresh(maxAge: 0, staleIfError: 0) {
  product(sku: $sku) { name availability { status } } }"""
# Contrast of text that WCAG asks for, below which nobody reads well.
LEAST_CONTRAST = 4.5

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no {CHROMIUM}: run `make browser`"),
]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@dataclass
class Demo:
    notes: dict[str, Any]

    @property
    def page(self) -> str:
        return f"{self.notes['ide']}status"

    def ask(self) -> None:
        body = {"query": QUERY, "variables": {"sku": self.notes["examples"]["sku"]}}
        headers = {"content-type": "application/json", **self.notes["headers"]}
        sent(self.notes["graphql"], "POST", body, headers)

    def fault(self, system: str, **told: Any) -> None:
        sent(f"{self.notes['sandbox']}/_control/faults/{system}", "PUT", told)

    def heal(self) -> None:
        sent(f"{self.notes['sandbox']}/_control/faults", "DELETE")


def sent(
    address: str, method: str, body: object = None, headers: dict[str, str] | None = None
) -> None:
    payload = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, payload, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=STARTED_SECONDS) as answer:
        answer.read()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo")
    ports = {"PASSERELLE_PORT": str(free_port()), "PASSERELLE_SANDBOX_PORT": str(free_port())}
    command = Path(sys.executable).with_name("passerelle")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, "demo"], cwd=place, env={**os.environ, **ports}, stdout=log, stderr=log
        )
    try:
        yield Demo(told_by(process, place))
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


@pytest.fixture
def traffic(demo: Demo) -> Iterator[None]:
    """Somebody asks for a product all the time."""
    over = Event()

    def go_on() -> None:
        while not over.wait(0.1):
            demo.ask()

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(go_on)
        yield
        over.set()
        going.result()
    demo.heal()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield browser
        browser.close()


@dataclass
class Visit:
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))

    def system(self, name: str) -> Any:
        return self.page.locator(f'[data-system="{name}"]')


Open = Callable[..., Visit]


@pytest.fixture
def opened(chromium: Browser, demo: Demo) -> Iterator[Open]:
    contexts = []

    def open_one(width: int = 1280, scheme: Any = "light") -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": 850}, color_scheme=scheme
        )
        contexts.append(context)
        visit = Visit(context.new_page())
        visit.page.goto(demo.page)
        expect(visit.page.locator(".system")).to_have_count(5)
        return visit

    yield open_one
    for one in contexts:
        one.close()


@pytest.mark.usefixtures("traffic")
def test_the_map_is_alive_and_asks_nobody_else(opened: Open, demo: Demo) -> None:
    visit = opened()

    expect(visit.page.locator("#live")).to_have_text("live")
    expect(visit.system("erp")).to_have_attribute("data-status", "UP")
    expect(visit.page.locator("#map")).to_contain_text("Detail")
    expect(visit.page.locator("#map")).to_contain_text("demo storefront")
    expect(visit.page.locator("#overall")).to_contain_text("No trouble")
    assert visit.complaints == []
    assert {one.startswith(demo.notes["ide"]) for one in visit.requests} == {True}


@pytest.mark.usefixtures("traffic")
def test_a_system_that_goes_down_is_shown_said_and_explained(opened: Open, demo: Demo) -> None:
    visit = opened()
    page = visit.page
    expect(visit.system("erp")).to_have_attribute("data-status", "UP")
    demo.fault("odoo", status=503)

    expect(visit.system("erp")).to_have_attribute("data-status", "DOWN")
    expect(page.locator("#overall")).to_contain_text("erp down")
    expect(page.locator("#news")).to_contain_text("erp is down")
    expect(visit.system("pim")).to_have_attribute("data-status", "UP")
    expect(visit.system("erp")).to_have_attribute("aria-label", re.compile("erp, Odoo.*: down"))

    visit.system("erp").focus()
    page.keyboard.press("Enter")
    details = page.locator("#details")
    expect(details).to_contain_text("UPSTREAM_UNAVAILABLE")
    expect(details).to_contain_text("demo storefront")
    expect(details).to_contain_text("fields affected")
    expect(details.locator("tr.failed").first).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(details).to_be_hidden()
    expect(visit.system("erp")).to_be_focused()

    demo.heal()
    expect(visit.system("erp")).not_to_have_attribute("data-status", "DOWN")
    assert visit.complaints == []


@pytest.mark.usefixtures("traffic")
def test_a_system_that_fails_at_times_is_degraded(opened: Open, demo: Demo) -> None:
    visit = opened()
    demo.fault("akeneo", status=500, error_rate=0.4)

    expect(visit.system("pim")).to_have_attribute("data-status", re.compile("DEGRADED|DOWN"))
    expect(visit.page.locator("#map")).to_contain_text(re.compile(r"% errors"))


@pytest.mark.usefixtures("traffic")
def test_what_was_asked_about_a_product_is_found(opened: Open, demo: Demo) -> None:
    visit = opened()
    expect(visit.page.locator("#map")).to_contain_text("Detail")
    visit.page.get_by_label("Order, SKU, customer").fill(demo.notes["examples"]["sku"])
    visit.page.get_by_role("button", name="Search").click()

    found = visit.page.locator("#found")
    expect(found).to_contain_text("entries, the latest first")
    expect(found).to_contain_text(demo.notes["examples"]["sku"])


@pytest.mark.usefixtures("traffic")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(opened: Open, width: int, scheme: str) -> None:
    visit = opened(width, scheme)
    expect(visit.page.locator("#map")).to_contain_text("Detail")

    beyond = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond <= 0
    contrasts = visit.page.evaluate(CONTRASTS)
    assert contrasts
    assert {name: one for name, one in contrasts.items() if one < LEAST_CONTRAST} == {}


def test_the_tables_say_what_the_map_shows(opened: Open) -> None:
    visit = opened()
    table = visit.page.get_by_role("region", name="Systems", exact=True)

    expect(table.get_by_role("row")).to_have_count(6)
    expect(table.get_by_role("rowheader").first).to_have_text("pim (Akeneo PIM)")


# Contrast of what the page writes with, each against what it is written on.
CONTRASTS = """() => {
  const root = getComputedStyle(document.documentElement);
  const rgb = (name) => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = root.getPropertyValue(name).trim();
    const hex = probe.fillStyle.slice(1);
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  };
  const light = (name) => {
    const parts = rgb(name).map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const told = {};
  for (const ground of ["--page", "--box"])
    for (const text of ["--text", "--soft", "--accent", "--up", "--degraded", "--down", "--unknown"])
      told[`${text} on ${ground}`] = contrast(text, ground);
  return told;
}"""
