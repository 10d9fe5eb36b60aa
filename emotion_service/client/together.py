"""Several events in one message, as a watcher of many calls may ask for, taken apart again."""

from __future__ import annotations

from emotion_service.v1 import emotion_service_pb2 as pb


def singly(response: pb.WatchCuesResponse) -> list[pb.WatchCuesResponse]:
    """The events of one message in their order, each in a message of its own."""
    if not response.more:
        return [response]
    more = list(response.more)
    response.ClearField("more")
    return [response, *more]
