"""`watch`: follows the cues of calls that others stream."""

from __future__ import annotations

import asyncio
import sys

from emotion_service.client import ClientTls, EmotionClient
from emotion_service.console.lines import watched_lines
from emotion_service.fronts.wire import to_json_line
from emotion_service.v1 import emotion_service_pb2 as pb


def watch(server: str, tls: ClientTls | None, request: pb.WatchCuesRequest, json: bool) -> None:
    """Follows until it is interrupted; a lost connection is opened again where it broke.

    Raises:
        ServerUnreachable, Refused: when the first connection fails. Refused: for a bad cursor.
    """
    asyncio.run(_watch(server, tls, request, json))


async def _watch(
    server: str, tls: ClientTls | None, request: pb.WatchCuesRequest, json: bool
) -> None:
    def lost(wait: float) -> None:
        print(f"Lost the server at {server}; next try in {wait:.1f} s.", file=sys.stderr)

    async with EmotionClient(server, tls) as client:
        async for response in client.watch(request, lost):
            for line in [to_json_line(response)] if json else watched_lines(response):
                print(line, flush=True)
