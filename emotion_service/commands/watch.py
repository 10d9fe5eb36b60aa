"""`watch` and `rules watch`: follow the cues of calls that others stream, or the advice on them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from typing import TypeAlias

from emotion_service.client import ClientTls, EmotionClient
from emotion_service.console.lines import routing_lines, watched_lines
from emotion_service.fronts.wire import to_json_line
from emotion_service.v1 import emotion_service_pb2 as pb

Request: TypeAlias = pb.WatchCuesRequest | pb.WatchRoutingRequest
Response: TypeAlias = pb.WatchCuesResponse | pb.WatchRoutingResponse


def watch(server: str, tls: ClientTls | None, request: Request, json: bool) -> None:
    """Follows until it is interrupted; a lost connection is opened again where it broke.

    Raises:
        ServerUnreachable, Refused: when the first connection fails. Refused: for a bad cursor.
    """
    asyncio.run(_watch(server, tls, request, json))


async def _watch(server: str, tls: ClientTls | None, request: Request, json: bool) -> None:
    async with EmotionClient(server, tls) as client:
        async for response in _followed(client, server, request):
            for line in [to_json_line(response)] if json else _lines(response):
                print(line, flush=True)


def _followed(
    client: EmotionClient, server: str, request: Request
) -> AsyncGenerator[Response, None]:
    def lost(wait: float) -> None:
        print(f"Lost the server at {server}; next try in {wait:.1f} s.", file=sys.stderr)

    if isinstance(request, pb.WatchRoutingRequest):
        return client.watch_routing(request, lost)
    return client.watch(request, lost)


def _lines(response: Response) -> Iterator[str]:
    if isinstance(response, pb.WatchRoutingResponse):
        return routing_lines(response)
    return watched_lines(response)
