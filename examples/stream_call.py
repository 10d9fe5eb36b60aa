"""Streams a recorded customer to a service and prints the cues.

python examples/stream_call.py 127.0.0.1:50051 customer.wav
"""

import asyncio
import sys

import soundfile

from emotion_service.client import EmotionClient, OpenCall
from emotion_service.v1 import emotion_service_pb2 as pb


async def send(call: OpenCall, audio: bytes, rate: int) -> None:
    step = 2 * rate // 10  # bytes of 100 ms; a live source sends them as they are spoken
    for start in range(0, len(audio), step):
        await call.send_audio("customer", audio[start : start + step], start / 2 / rate)
    await call.close()


async def main(server: str, file: str) -> None:
    samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    leg = pb.LegConfig(leg="customer", party=pb.PARTY_CUSTOMER, sample_rate_hertz=rate)
    leg.encoding = "audio/pcm"
    config = pb.CallConfig(call_id="example-python", legs=[leg], pacing=pb.PACING_RECORDED)
    config.disclosure_given, config.consent = True, pb.CONSENT_GRANTED  # only where it is so
    async with (
        EmotionClient(server) as client,
        client.open_call(config, wait_seconds=10) as call,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(send(call, samples[:, 0].astype("<i2").tobytes(), rate))
        async for event in call.events():
            if event.HasField("cue"):
                cue, end = event.cue, event.cue.end_offset.ToMilliseconds() / 1000
                why = "; ".join(reason.text for reason in cue.reasons)
                kind, phase = pb.CueKind.Name(cue.kind), pb.CuePhase.Name(cue.phase)
                print(f"{end:.3f} s {cue.leg} {kind} {phase} {cue.confidence:.3f} {why}")
            if event.HasField("summary"):
                print(f"summary: {event.summary.legs[0].scores} scores")


asyncio.run(main(*sys.argv[1:]))
