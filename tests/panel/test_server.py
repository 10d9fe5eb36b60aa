"""The panel as a process: pages, where it listens, how it stops, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from emotion_service.address import parse
from emotion_service.errors import BadInput
from emotion_service.panel import server as server_module
from emotion_service.panel.server import PAGES, listen
from tests.fronts.running import Server
from tests.panel.asking import Panel, cue, live
from tests.patience import PATIENCE_SECONDS

TELL_TALE = "secret-4711"
STOP_SECONDS = 5.0  # the unit's patience; measured: streams end after 0.5 s
MIME = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


@asynccontextmanager
async def process(
    service: str, *more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Panel]]:
    """A panel in a process of its own."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emotion_service", "panel", "--server", service),
        *("--listen", "127.0.0.1:0", *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert started.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            wall = (await started.stdout.readline()).decode()
            agent = (await started.stdout.readline()).decode()
        address = re.fullmatch(r"All calls:  http://(127\.0\.0\.1:\d+)/\n", wall)
        assert address is not None
        assert agent == f"One call:   http://{address[1]}/agent?call_id=…\n"
        yield started, Panel(parse(address[1]))
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


# --- pages ---


@pytest.mark.parametrize(("path", "file"), [("/", "wall.html"), ("/agent?call_id=x", "agent.html")])
async def test_pages(panel: Panel, path: str, file: str) -> None:
    answer = await panel.ask(path)
    assert (answer.status, answer.body) == (200, (PAGES / file).read_bytes())
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("file", sorted(file.name for file in PAGES.iterdir() if file.is_file()))
async def test_every_file_is_served_as_what_it_is(panel: Panel, file: str) -> None:
    answer = await panel.ask(f"/static/{file}")
    assert (answer.status, answer.body) == (200, (PAGES / file).read_bytes())
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind.replace("application/java", "text/java") == MIME[file.rpartition(".")[2]]
    assert answer.headers["cache-control"] == "no-cache"
    again = await panel.ask(f"/static/{file}", if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


async def test_a_head_of_the_events_is_no_trouble(
    panel: Panel, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await panel.ask("/events", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert caplog.records == []


# --- where it listens ---


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BadInput) as refused:
        listen(parse(f"127.0.0.1:{taken.getsockname()[1]}"))
    assert refused.value.reason == "LISTEN_FAILED"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_free_port_is_found(host: str) -> None:
    listener, place = listen(parse(f"{host}:0"))
    with listener:
        assert place.host == host
        assert place.port == listener.getsockname()[1] > 0


# --- how it stops, and what it says ---


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_it_stops_soon_though_browsers_follow(
    server: Server, number: signal.Signals, code: int
) -> None:
    live(server.service.bus, TELL_TALE, queue=TELL_TALE)
    async with process(server.address) as (running, panel):
        streams = [await panel.events(f"?call_id={TELL_TALE}") for _ in range(3)]
        for stream in streams:
            await stream.next("heartbeat")
        assert (await panel.ask(f"/api/calls/{TELL_TALE}")).status == 200
        assert (await panel.ask(f"/api/calls/{TELL_TALE}-2")).status == 404
        assert (await panel.ask(f"/agent?call_id={TELL_TALE}")).status == 200
        assert (await panel.ask("/", host=f"{TELL_TALE}:80")).status == 421
        began = time.monotonic()
        running.send_signal(number)
        out, err = await asyncio.wait_for(running.communicate(), PATIENCE_SECONDS)
        took = time.monotonic() - began
        for stream in streams:
            stream.close()
    assert running.returncode == code
    assert out == b""
    assert err == b"", err.decode()
    assert took < STOP_SECONDS, took


async def test_it_starts_and_stops_without_a_service() -> None:
    async with process("127.0.0.1:1") as (running, panel):
        assert (await panel.ask("/")).status == 200
        running.terminate()
        assert await asyncio.wait_for(running.wait(), PATIENCE_SECONDS) == 0


async def test_a_browser_that_reads_nothing_is_let_go(
    panel: Panel, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stream ends, its watcher goes, and the rest of what is told waits nowhere."""
    monkeypatch.setattr(server_module, "SLOW_BROWSER_SECONDS", 0.2)
    bus = server.service.bus
    live(bus, "one")
    reader, writer = await panel._sent("/events", "GET", b"", {})
    await reader.readuntil(b"connected")
    transport = writer.transport
    transport.pause_reading()  # type: ignore[attr-defined]
    number = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while bus.watchers:
            number += 1
            bus.tell("one", replace(cue(number), model_version="x" * 50_000))
            await asyncio.sleep(0.01)
    assert number < 1000  # its own queue never filled
    writer.close()
