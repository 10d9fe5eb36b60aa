"""The panel of a call that is really streamed: service, panel and client are three processes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from emotion_service.commands.demo import CALLS, COMMAND, panel, service

STREAM = ("--disclosure-given", "--consent", "granted", "--json", "--call-id", "streamed")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, str]]:
    """A service and its panel. Before any browser: Playwright's loop bars that of another."""
    with service() as server, panel(server) as pages:
        yield server, pages


def test_a_streamed_call_has_a_state_until_its_customer_objects(
    running: tuple[str, str], page: Page
) -> None:
    server, pages = running
    said = play(server, page, f"{pages}agent?call_id=streamed&lang=en")
    lines = [json.loads(line) for line in said.splitlines()]
    stopped = next(i for i, line in enumerate(lines) if withdrawn(line))
    assert any("score" in line for line in lines[:stopped])
    assert not any("score" in line for line in lines[stopped:])


def play(server: str, page: Page, url: str) -> bytes:
    """Plays the demo call, objects once the panel shows a state; what the call's stream said, up
    to five seconds after that."""
    call = [*COMMAND, "stream", str(CALLS / "english.flac"), "--server", server, *STREAM]
    client = subprocess.Popen(call, stdout=subprocess.PIPE)
    assert client.stdout is not None
    ready = client.stdout.readline()
    try:
        page.goto(url)
        headline = page.locator("emotion-panel h2")
        expect(headline).to_have_text(re.compile("Sounds|No clear picture"))
        page.get_by_role("button", name="Customer objects").click()
        page.get_by_role("button", name="Yes, stop").click()
        expect(headline).to_have_text("Not assessed")
        page.wait_for_timeout(5000)
    finally:
        client.terminate()
        said, _ = client.communicate()
    return ready + said


def withdrawn(line: dict[str, Any]) -> bool:
    not_scored = line.get("status", {}).get("not_scored", {})
    return bool(not_scored.get("reason") == "NOT_SCORED_REASON_CONSENT_WITHDRAWN")
