"""A watch that goes on when its connection is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from emotion_service.client.backoff import Backoff
from emotion_service.client.status import Refused, ServerUnreachable
from emotion_service.v1 import emotion_service_pb2 as pb

RequestT = TypeVar("RequestT", pb.WatchCuesRequest, pb.WatchRoutingRequest)
ResponseT = TypeVar("ResponseT", pb.WatchCuesResponse, pb.WatchRoutingResponse)


async def reopened(
    once: Callable[[RequestT], AsyncGenerator[ResponseT, None]],
    request: RequestT,
    on_lost: Callable[[float], None] | None,
) -> AsyncGenerator[ResponseT, None]:
    """What `once` yields, without end. Once connected, it is called again at the last cursor,
    after a wait of `Backoff`, of which `on_lost` is told.

    Raises:
        Refused, ServerUnreachable: when the first connection fails.
        Refused: later, when trying again will not help.
    """
    at_cursor = type(request)()
    at_cursor.CopyFrom(request)
    connected, backoff = False, Backoff()
    while True:
        hint = 0.0
        try:
            async with aclosing(once(at_cursor)) as responses:
                async for response in responses:
                    connected, backoff = True, Backoff()
                    at_cursor.cursor = response.cursor or at_cursor.cursor
                    yield response
        except (Refused, ServerUnreachable) as error:
            if not connected or error.retry_seconds is None:
                raise
            hint = error.retry_seconds
        pause = backoff.pause(hint)
        if on_lost is not None:
            on_lost(pause)
        await asyncio.sleep(pause)
