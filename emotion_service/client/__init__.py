"""A client of the service: open a call, push its audio, hear its events; or watch other calls.

    async with EmotionClient("127.0.0.1:50051") as client:
        async with client.open_call(config, wait_seconds=10.0) as call:
            await call.send_audio("customer", data, offset_seconds=0.0)
            await call.close()
            async for event in call.events():
                ...

Send and hear in two tasks: a server that is not heard stops listening.

What it raises:
    BadInput: an address without a port, TLS files that cannot be used. Correct it.
    ServerUnreachable: nobody answers, or who did has gone. Open the call again.
    Refused: the server said no; `code` is gRPC's, `reason` a stable word. With `retry_seconds`
        the same call may succeed after them (the server was busy or about to stop); without, it
        will not.
"""

from emotion_service.client.call import OpenCall
from emotion_service.client.connection import EmotionClient
from emotion_service.client.status import Refused, ServerUnreachable
from emotion_service.client.tls import ClientTls

__all__ = ["ClientTls", "EmotionClient", "OpenCall", "Refused", "ServerUnreachable"]
