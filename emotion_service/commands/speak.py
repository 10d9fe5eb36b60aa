"""`stream --microphone`: what is spoken here, now, as the customer's leg of a call."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing

from emotion_service.client import ClientTls, OpenCall
from emotion_service.commands.stream import display_of, say_if_nothing_was_scored, sent_call
from emotion_service.console.call_view import new_view
from emotion_service.microphone import ENCODING, Microphone
from emotion_service.v1 import emotion_service_pb2 as pb

LEG = "customer"


def speak(
    config: pb.CallConfig, block_ms: int, server: str, tls: ClientTls | None, json: bool
) -> None:
    """Streams the microphone until Ctrl-C, then shows the summary. `config` lacks its leg.

    Raises:
        BadInput: MICROPHONE_UNAVAILABLE. ServerUnreachable, Refused: from the server.
    """
    microphone = Microphone(LEG, block_ms)
    config.legs.add(
        leg=LEG,
        party=pb.PARTY_CUSTOMER,
        encoding=ENCODING,
        sample_rate_hertz=microphone.sample_rate_hertz,
        channels=1,
    )
    view = new_view(config, 0.0, None)
    display = display_of(view, json)

    def told(seconds: float) -> None:
        view.total = seconds  # nobody knows how long it will be
        display.at(seconds)

    with display:
        sent = sent_call(config, server, tls, display, lambda call: _send(call, microphone, told))
        summary = asyncio.run(sent)
    say_if_nothing_was_scored(summary, json)
    if microphone.losses:
        print(
            f"The microphone's audio has {microphone.losses} gap(s): this computer, or the way "
            "to the server, was too slow.",
            file=sys.stderr,
        )


async def _send(call: OpenCall, microphone: Microphone, told: Callable[[float], None]) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, microphone.stop)
    print("Speak. Ctrl-C ends the call.", file=sys.stderr)
    try:
        async with aclosing(microphone.blocks()) as blocks:
            async for block in blocks:
                await call.send_audio(block.leg, block.data, block.offset_seconds)
                told(block.offset_seconds or 0.0)
        await call.close()
    finally:
        loop.remove_signal_handler(signal.SIGINT)  # the next Ctrl-C does not wait
