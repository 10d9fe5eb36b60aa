"""Fixtures: a real browser, and a panel in front of a made-up service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from benchmarks.panel_stage import Stage
from tests.patience import PATIENCE_SECONDS

expect.set_options(timeout=1000 * PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one the test says so and is skipped."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs a browser: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in English, which must end without an error or a breach of the content policy."""
    page = chromium.new_page(locale="en-GB", viewport={"width": 400, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE_SECONDS)
    wrong: list[str] = []

    def told(message: ConsoleMessage) -> None:
        # A browser says of every dropped connection that it was: that is what some tests do.
        if message.type in ("error", "warning") and "net::ERR" not in message.text:
            wrong.append(message.text)

    page.on("console", told)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == [], wrong


def agent(page: Page, stage: Stage, call_id: str, language: str = "en") -> None:
    """Opens the panel of a call and waits until it is connected."""
    page.goto(f"{stage.url}/agent?call_id={call_id}&lang={language}")
    expect(page.locator("emotion-panel .link")).to_have_attribute("data-link", "live")


def wall(page: Page, stage: Stage, query: str = "lang=en") -> None:
    """Opens the wall and waits until it is connected."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{stage.url}/?{query}")
    expect(page.locator("header .link")).to_have_attribute("data-link", "live")
