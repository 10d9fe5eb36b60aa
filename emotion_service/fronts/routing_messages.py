"""What those hear who watch advice only."""

from __future__ import annotations

from emotion_service.delivery.notice import Address, CallState, Heartbeat, Notice, Reconnect
from emotion_service.fronts import call_messages
from emotion_service.types import Advice
from emotion_service.v1 import emotion_service_pb2 as pb


def routing_to_proto(
    cursor: str, watched: CallState | Notice | Heartbeat | Reconnect
) -> list[pb.WatchRoutingResponse]:
    """A call of the snapshot, or one that has moved, is the advice that stands on it.

    Only the last message has the cursor: whoever loses the others hears them again.
    """
    responses = _responses(watched)
    if responses:
        responses[-1].cursor = cursor
    return responses


def _responses(
    watched: CallState | Notice | Heartbeat | Reconnect,
) -> list[pb.WatchRoutingResponse]:
    match watched:
        case Heartbeat(dropped):
            return [pb.WatchRoutingResponse(heartbeat=pb.Heartbeat(dropped=dropped))]
        case Reconnect():
            response = pb.WatchRoutingResponse()
            call_messages.reconnect(response.reconnect, watched)
            return [response]
        case CallState(address, contact_id):
            return [_advice(address, contact_id, standing) for standing in watched.advice]
        case Notice(event=Advice() as said):
            return [_advice(watched.address, watched.contact_id, said)]
        case Notice(event=CallState() as moved):
            return _responses(moved)
    return []


def _advice(address: Address, contact_id: str, advice: Advice) -> pb.WatchRoutingResponse:
    response = pb.WatchRoutingResponse()
    call_messages.advice(response.advice, address, contact_id, advice)
    return response
