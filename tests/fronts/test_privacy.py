"""A defect that quotes a caller, and libraries that do: neither logs nor figures repeat it."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import NoReturn

import grpc
import pytest
from prometheus_client import generate_latest

from emotion_service import logs
from emotion_service.calls.scorer import Scorer
from emotion_service.config import LogFormat
from emotion_service.scoring.request import ScoringRequest
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.running import audio, config, leg, rest, serving

TELL_TALE = "Zyxwvut"


class Quoting(Scorer):
    """A defect whose message holds what it was working on."""

    def begun(self, batch: list[ScoringRequest]) -> NoReturn:
        raise ValueError(f"{TELL_TALE} {batch}")


@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.TEXT])
async def test_what_quotes_a_caller_is_reduced_to_its_place(
    log_format: LogFormat, scorer: Scorer, speech: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(log_format)
    opening = config(
        call_id=f"{TELL_TALE}-call",
        contact_id=f"{TELL_TALE}-contact",
        tenant=f"{TELL_TALE}-tenant",
        agent_id=f"{TELL_TALE}-agent",
        attributes={TELL_TALE: TELL_TALE},
        legs=[leg(TELL_TALE, pb.PARTY_CUSTOMER)],
    )
    digits = [pb.StreamingAnalyzeRequest(update=pb.CallUpdate(dtmf_digit="7")) for _ in range(5)]
    spoken = next(audio(speech, 4500))
    spoken.audio.leg = TELL_TALE
    async with serving(Quoting(scorer._model)) as server:
        logs.watch_loop()
        assert await server.refused([opening, *digits, spoken]) == ("INTERNAL", "DEFECT")
        ask = server.channel.unary_unary("/emotion_service.v1.EmotionService/GetCall")
        with pytest.raises(grpc.aio.AioRpcError):  # gRPC logs what it could not read
            await ask(f"\x0a\xff{TELL_TALE}".encode())
        with pytest.raises(grpc.aio.AioRpcError):
            await rest(server.stub.WatchCues(pb.WatchCuesRequest(cursor=TELL_TALE)))
        asyncio.get_running_loop().call_soon(_quote)
        try:
            _quote()
        except ValueError:
            logging.getLogger("a.library").exception("%s said", TELL_TALE)
        await asyncio.sleep(0.05)
        figures = generate_latest(server.service.metrics.registry).decode()
    written = "".join(capsys.readouterr())
    assert 'emotion_service_refusals_total{reason="DEFECT"} 1.0' in figures
    assert TELL_TALE.lower() not in (written + figures).lower()
    for event in ("defect", "refused", "a library logged", "a task failed"):
        assert event in written
    if log_format is LogFormat.JSON:
        log = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
        assert [line["error"] for line in log if line["level"] == "error"] == [
            "ValueError",
            "DecodeError",
            "ValueError",
            "ValueError",
        ]


def _quote() -> None:
    raise ValueError(TELL_TALE)
