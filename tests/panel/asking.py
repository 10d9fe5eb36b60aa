"""A panel on loopback, and a browser's requests to it as bytes on a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from emotion_service.address import Address, parse
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import LiveCall
from emotion_service.delivery.notice import Address as CallAddress
from emotion_service.delivery.notice import CallState
from emotion_service.panel.door import Door
from emotion_service.panel.server import listen, panel_app, panel_server
from emotion_service.types import Cue, CueKind, CuePhase
from tests.patience import PATIENCE_SECONDS

DESK = "https://desk.example.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event; `id` is None where the server gave none."""

    kind: str
    data: Any
    id: str | None


@dataclass(slots=True)
class Events:
    """An open stream of events."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: dict[str, str] = field(default_factory=dict)
    last_id: str = ""

    async def next(self, *kinds: str) -> Event:
        """The next event, of these kinds if any are given; browsers keep the last id."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                event = await self._event()
                self.last_id = event.id or self.last_id
                if event.kind and (not kinds or event.kind in kinds):
                    return event

    async def _event(self) -> Event:
        fields: dict[str, str] = {}
        while (line := await self._line()) != "":
            name, _, value = line.partition(": ")
            fields[name] = value
        data = json.loads(fields["data"]) if "data" in fields else None
        return Event(fields.get("event", ""), data, fields.get("id"))

    async def _line(self) -> str:
        """A line of the text, which comes in chunks of whole events."""
        line = (await self.reader.readuntil(b"\n")).decode()
        if line.endswith("\r\n"):  # a chunk's length, or its end
            return await self._line()
        return line.removesuffix("\n")

    def close(self) -> None:
        self.writer.close()


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a panel listens."""

    place: Address

    @property
    def origin(self) -> str:
        return f"http://{self.place}"

    async def ask(
        self, path: str, method: str = "GET", body: bytes = b"", **headers: str
    ) -> Answer:
        """One request; headers are named as in Python: content_type."""
        reader, writer = await self._sent(path, method, body, headers)
        async with asyncio.timeout(PATIENCE_SECONDS):
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        status, told = _head(head)
        return Answer(status, told, rest)

    async def change(self, path: str, content: object, **headers: str) -> Answer:
        """A POST as the panel's own pages send it."""
        given = {"origin": self.origin, "content_type": "application/json", **headers}
        return await self.ask(path, "POST", json.dumps(content).encode(), **given)

    async def events(self, query: str = "", **headers: str) -> Events:
        """An open stream."""
        reader, writer = await self._sent(f"/events{query}", "GET", b"", headers)
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        status, told = _head(head.strip())
        assert status == 200
        return Events(reader, writer, told)

    async def _sent(
        self, path: str, method: str, body: bytes, headers: dict[str, str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.place.host, self.place.port)
        given = {"host": str(self.place), "connection": "close", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
        length = f"content-length: {len(body)}"
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, length, "", ""])
        writer.write(head.encode() + body)
        await writer.drain()
        return reader, writer


@asynccontextmanager
async def panel(service: str, *allowed_origins: str) -> AsyncIterator[Panel]:
    """A panel of the service at this address, in this process."""
    listener, place = listen(parse("127.0.0.1:0"))
    server = panel_server(panel_app(service, None, Door(place, allowed_origins)))
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield Panel(place)
    finally:
        server.should_exit = True
        await running


def live(bus: Bus, call_id: str, queue: str = "") -> None:
    """A call without audio."""
    address = CallAddress(call_id, queue=queue)
    state = CallState(address, call_id, live=True, elapsed=0, legs=())
    bus.open(LiveCall(address, call_id, 300, lambda: state, lambda: None))


def cue(sequence: int) -> Cue:
    return Cue("customer", sequence, CueKind.AGITATED, CuePhase.ONSET, 0, 8000, 8000, 0.9, 8000)


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode().split("\r\n")
    named = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in named}
