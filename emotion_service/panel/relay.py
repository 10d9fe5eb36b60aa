"""One browser's stream: what the service tells a watcher, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sse_starlette import ServerSentEvent

from emotion_service.client import EmotionClient, Refused, ServerUnreachable
from emotion_service.client.backoff import Backoff
from emotion_service.fronts.wire import to_json_line
from emotion_service.v1 import emotion_service_pb2 as pb

BROWSER_RETRY_MS = 1000  # browsers wait 3 s or more if they are not told


async def relay(
    client: EmotionClient, request: pb.WatchCuesRequest
) -> AsyncGenerator[ServerSentEvent, None]:
    """Follows the service without end; each event's id is the cursor to go on at.

    A lost service is followed again where it broke off. `server` events say so: `connected`, and
    whether what follows goes on where the browser was (`resumed`) or begins with a snapshot of
    all live calls.
    """
    request.batched = True
    yield ServerSentEvent(comment="the calls follow", retry=BROWSER_RETRY_MS, sep="\n")
    backoff = Backoff()
    while True:
        hint, heard, dropped = 0.0, False, None
        try:
            async with aclosing(client.watch_once(request)) as responses:
                async for response in responses:
                    if not heard:
                        heard, backoff = True, Backoff()
                        yield _told(connected=True, resumed=_goes_on(request, response))
                    request.cursor = response.cursor or request.cursor
                    yield _event(response)
                    if response.HasField("heartbeat"):
                        if dropped is not None and response.heartbeat.dropped > dropped:
                            break  # we were too slow: from this cursor all is told again
                        dropped = response.heartbeat.dropped
        except (Refused, ServerUnreachable) as error:
            hint = error.retry_seconds or 0.0
            if error.retry_seconds is None:
                request.cursor = ""  # what it refuses for good is a cursor: begin anew
        yield _told(connected=False)
        await asyncio.sleep(backoff.pause(hint))


def _event(response: pb.WatchCuesResponse) -> ServerSentEvent:
    kind = str(response.WhichOneof("event"))
    return ServerSentEvent(to_json_line(response), event=kind, id=response.cursor or None, sep="\n")


def _told(**state: bool) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(state), event="server", sep="\n")


def _goes_on(request: pb.WatchCuesRequest, first: pb.WatchCuesResponse) -> bool:
    """Whether the service goes on at the cursor: else a snapshot comes, whose entries have no
    cursor, or, with no call in it, only a heartbeat that says that something was missed."""
    return bool(request.cursor and first.cursor) and not first.heartbeat.dropped
