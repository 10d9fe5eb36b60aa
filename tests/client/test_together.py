"""Several events in one message, and each in one of its own."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from emotion_service.client.together import singly
from emotion_service.v1 import emotion_service_pb2 as pb


def cue(number: int) -> pb.WatchCuesResponse:
    return pb.WatchCuesResponse(cursor=str(number), cue=pb.Cue(sequence=number))


@pytest.mark.parametrize("events", [1, 2, 5])
def test_each_event_is_a_message_of_its_own_in_order(events: int) -> None:
    together = cue(0)
    together.more.extend(cue(number) for number in range(1, events))
    apart: list[Message] = [*singly(together)]
    del together  # what was taken apart stands alone
    assert apart == [cue(number) for number in range(events)]
