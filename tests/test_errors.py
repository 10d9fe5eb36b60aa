"""Every row of the first table of docs/errors.md: provoked over a socket, and what it says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_status import rpc_status

from emotion_service.calls.scorer import Scorer, Scoring
from emotion_service.fronts.admission import Admission
from emotion_service.scoring.request import ScoringRequest
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.conftest import StubModel, babble
from tests.fronts.running import (
    EVENTS,
    Server,
    audio,
    config,
    leg,
    reason,
    rest,
    retry_seconds,
    serving,
    untimed,
)
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]
SPEECH = (babble(2.0, seed=3) * 32767).astype("<i2").tobytes()
METHOD = "/emotion_service.v1.EmotionService/StreamingAnalyze"

Ending: TypeAlias = Callable[[Server], Awaitable[grpc.aio.AioRpcError]]
INVALID = "INVALID_ARGUMENT"


# --- how each is provoked: a call with a secret in every text, then what is wrong ---------------


def opened(**changes: Any) -> pb.StreamingAnalyzeRequest:
    texts = {name: "secret" for name in ("contact_id", "tenant", "queue", "agent_id")}
    return config(**{"call_id": "secret", "attributes": {"secret": "secret"}, **texts, **changes})


async def failure(answer: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(answer, PATIENCE_SECONDS)
    return error.value


def said(*requests: pb.StreamingAnalyzeRequest) -> Ending:
    async def send(server: Server) -> grpc.aio.AioRpcError:
        stream = server.stub.StreamingAnalyze()
        for request in requests:
            await stream.write(request)
        return await failure(rest(stream))

    return send


def configured(**changes: Any) -> Ending:
    return said(opened(**changes))


def with_leg(**changes: Any) -> Ending:
    fields = {"leg": "a", "encoding": "audio/L16", "sample_rate_hertz": 8000}
    return configured(legs=[pb.LegConfig(**{**fields, **changes})])


def heard(*chunks: pb.AudioChunk) -> Ending:
    return said(opened(), *(pb.StreamingAnalyzeRequest(audio=chunk) for chunk in chunks))


def updated(*changes: pb.CallUpdate) -> Ending:
    return said(opened(), *(pb.StreamingAnalyzeRequest(update=change) for change in changes))


def chunk(at_ms: int, data: bytes = bytes(320), name: str = "customer") -> pb.AudioChunk:
    offset = Duration()
    offset.FromMilliseconds(at_ms)
    return pb.AudioChunk(leg=name, data=data, offset=offset)


def lying() -> list[pb.AudioChunk]:
    """Declared with 8 kHz, sent with 16 kHz."""
    noise = np.random.default_rng(0).integers(-99, 99, 160_000).astype("<i2").tobytes()
    return [chunk(n * 100, noise[n * 3200 : (n + 1) * 3200]) for n in range(51)]


async def unreadable(server: Server) -> grpc.aio.AioRpcError:
    stream = server.channel.stream_stream(METHOD)()
    await stream.write(b"\xff secret \xff")
    return await failure(rest(stream))


async def taken(server: Server) -> grpc.aio.AioRpcError:
    first = await server.opened(call_id="secret")
    error = await configured()(server)
    await first.done_writing()
    assert (await rest(first))[-1].HasField("summary")
    return error


async def beside(server: Server) -> grpc.aio.AioRpcError:
    """A second call: with none nobody would be harmed."""
    first = await server.opened(call_id="first")
    error = await configured()(server)
    await first.done_writing()
    assert (await rest(first))[-1].HasField("summary")
    return error


async def asked(server: Server) -> grpc.aio.AioRpcError:
    return await failure(server.stub.GetCall(pb.GetCallRequest(call_id="secret nobody")))


async def watched(server: Server) -> grpc.aio.AioRpcError:
    request = pb.WatchCuesRequest(cursor="secret:x", queue="secret")
    return await failure(rest(server.stub.WatchCues(request)))


async def stopping(server: Server) -> grpc.aio.AioRpcError:
    server.service.admission.close()
    return await configured()(server)


async def unread(server: Server) -> grpc.aio.AioRpcError:
    """More statuses than the client's window takes: each change is said of each of 8 legs."""
    stream = server.stub.StreamingAnalyze()
    legs = [leg(f"{n} of a long name", pb.PARTY_CUSTOMER) for n in range(8)]
    await stream.write(opened(call_id="secret " * 18, legs=legs))
    for change in [pb.CONSENT_WITHDRAWN, pb.CONSENT_GRANTED] * 150:
        await stream.write(pb.StreamingAnalyzeRequest(update=pb.CallUpdate(consent=change)))
    while server.servicer._streams:
        await asyncio.sleep(0.01)
    return await failure(rest(stream))


POISON = config(call_id="secret", legs=[leg("poison", pb.PARTY_CUSTOMER)])
WORDS = pb.StreamingAnalyzeRequest(audio=pb.AudioChunk(leg="poison", data=SPEECH))
LONG = "secret " * 20  # 140 characters
MIXED = {"legs": [leg("both", pb.PARTY_MIXED)], "allow_mixed_for_testing": True}
BAD: dict[str, tuple[str, Ending]] = {
    "CONFIG_MISSING": (INVALID, said(next(audio(SPEECH)))),
    "CONFIG_REPEATED": (INVALID, said(opened(), opened())),
    "REQUEST_EMPTY": (INVALID, said(opened(), pb.StreamingAnalyzeRequest())),
    "MESSAGE_UNREADABLE": (INVALID, unreadable),
    "CALL_ID_INVALID": (INVALID, configured(call_id=LONG)),
    "CONTACT_ID_INVALID": (INVALID, configured(contact_id=LONG)),
    "TENANT_INVALID": (INVALID, configured(tenant=LONG)),
    "QUEUE_INVALID": (INVALID, updated(pb.CallUpdate(queue=LONG))),
    "AGENT_ID_INVALID": (INVALID, updated(pb.CallUpdate(agent_id=LONG))),
    "IVR_STEP_INVALID": (INVALID, updated(pb.CallUpdate(ivr_step=LONG))),
    "ATTRIBUTES_INVALID": (INVALID, configured(attributes={"secret": LONG * 2})),
    "LATENCY_BUDGET_INVALID": (INVALID, configured(latency_budget_ms=0)),
    "LEGS_INVALID": (INVALID, configured(legs=[])),
    "LEG_NAME_INVALID": (INVALID, with_leg(leg=LONG)),
    "ENUM_INVALID": (INVALID, configured(consent=77)),
    "UNKNOWN_ENCODING": (INVALID, with_leg(encoding="audio/secret")),
    "UNSUPPORTED_RATE": (INVALID, with_leg(sample_rate_hertz=11_025)),
    "UNSUPPORTED_CHANNELS": (INVALID, with_leg(channels=3)),
    "MIXED_NOT_ALLOWED": ("FAILED_PRECONDITION", configured(**MIXED)),
    "CALL_ID_IN_USE": ("ALREADY_EXISTS", taken),
    "UNDECLARED_LEG": (INVALID, heard(chunk(0, name="secret"))),
    "AUDIO_INVALID": (INVALID, heard(chunk(0, bytes(10_000_000)))),
    "TRUNCATED_AUDIO": (INVALID, heard(chunk(0), chunk(20, b"secret!"))),
    "BAD_INTERLEAVING": (INVALID, heard(chunk(0, b"secrets", name=""))),
    "IMPLAUSIBLE_OFFSET": (INVALID, heard(chunk(0), chunk(700_000))),
    "RATE_CONTRADICTED": (INVALID, heard(*lying())),
    "UPDATE_INVALID": (INVALID, updated(pb.CallUpdate())),
    "UPDATE_CONTRADICTS": (
        INVALID,
        updated(
            pb.CallUpdate(end_reason=pb.END_REASON_COMPLETED),
            pb.CallUpdate(end_reason=pb.END_REASON_FAILED),
        ),
    ),
    "DTMF_DIGIT_INVALID": (INVALID, updated(pb.CallUpdate(dtmf_digit="1234"))),
    "CALL_UNKNOWN": ("NOT_FOUND", asked),
    "CURSOR_INVALID": (INVALID, watched),
    "DEFECT": ("INTERNAL", said(POISON, WORDS)),
}
FULL = "RESOURCE_EXHAUSTED"
BUSY: dict[str, tuple[str, Ending, dict[str, Any]]] = {  # with the settings of the server
    "SERVER_FULL": (FULL, configured(), {"admission": Admission(max_calls=0)}),
    "SERVER_OVERLOADED": (FULL, beside, {"admission": Admission(max_lag_ms=-1.0)}),
    "TOO_MANY_WATCHERS": (FULL, watched, {"admission": Admission(max_watchers=0)}),
    "SERVER_STOPPING": ("UNAVAILABLE", stopping, {}),
    "READER_TOO_SLOW": (FULL, unread, {"slow_reader_seconds": 0.1}),
}


# --- each row -----------------------------------------------------------------------------------


class Poisoned(Scorer):
    """Breaks over every batch that holds the poison leg's windows."""

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Scoring]:
        with super().begun(batch) as scoring:
            yield scoring
            if any(request.leg == "poison" for request in batch):
                raise ValueError("secret")


@asynccontextmanager
async def service(**settings: Any) -> AsyncIterator[Server]:
    async with serving(Poisoned(StubModel()), mixed_allowed=False, **settings) as server:
        yield server


def is_told_well(message: str) -> bool:
    sentences = message.rstrip(".").count(". ") + 1
    return 10 < len(message) < 400 and sentences <= 2 and "\n" not in message


@pytest.mark.parametrize("name", BAD)
async def test_bad_input(name: str) -> None:
    code, provoke = BAD[name]
    async with service() as server:
        error = await provoke(server)
        assert server.service.bus.live_calls == 0
    assert (error.code().name, reason(error)) == (code, name)
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert len(status.details) == 1
    message = error.details() or ""
    assert is_told_well(message), message
    assert "secret" not in message


@pytest.mark.parametrize("name", BUSY)
async def test_a_busy_server_says_when_to_come_again(name: str) -> None:
    code, provoke, settings = BUSY[name]
    async with service(**settings) as server:
        error = await provoke(server)
    assert (error.code().name, reason(error)) == (code, name)
    assert 0 < retry_seconds(error) <= 5
    message = error.details() or ""
    assert is_told_well(message), message
    assert "secret" not in message


async def test_the_message_about_an_unknown_encoding_lists_the_known() -> None:
    async with service() as server:
        error = await BAD["UNKNOWN_ENCODING"][1](server)
    assert "audio/PCMU, audio/PCMA, audio/L16, audio/pcm" in (error.details() or "")


async def test_every_other_call_goes_on_bit_identical() -> None:
    """A neighbour's call lasts while every bad stream comes and goes on the same server."""
    requests = [config(call_id="neighbour"), *audio(SPEECH, 20)]

    async def neighbour(server: Server, between: Callable[[], Awaitable[object]]) -> list[Any]:
        stream = server.stub.StreamingAnalyze()
        reading = asyncio.create_task(rest(stream))
        for request in requests:
            await stream.write(request)
            await between()
        await stream.done_writing()
        responses = await asyncio.wait_for(reading, PATIENCE_SECONDS)
        return [untimed(responses, kind) for kind in EVENTS]

    async with service() as server:
        alone = await neighbour(server, lambda: asyncio.sleep(0))
    names = iter(BAD)
    told: dict[str, str] = {}

    async def disturb() -> None:
        name = next(names, None)
        if name is not None:
            told[name] = reason(await BAD[name][1](server))

    async with service() as server:
        disturbed = await neighbour(server, disturb)
    assert disturbed == alone
    assert len(alone[EVENTS.index("score")]) >= 2
    assert told == {name: name for name in BAD}
    assert len(requests) > len(BAD)


# --- the table is complete ------------------------------------------------------------------------


def documented(section: str) -> dict[str, str]:
    """Reason and second column of a section's rows."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = text.split(f"## {section}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", rows, re.MULTILINE))


def raised() -> set[str]:
    """Every reason in the source: the first word in capitals given to what makes a refusal."""
    files = (ROOT / "emotion_service").rglob("*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    makers = "BadInput|Busy|_end|_length|_in_range|_attribute_change|refusal"
    return set(re.findall(rf'\b(?:{makers})\([^()]*?"([A-Z_]{{4,}})"', source))


def test_the_table_is_what_is_tested() -> None:
    expected = {name: code for name, (code, _) in BAD.items()}
    expected |= {name: f"{code} + RetryInfo" for name, (code, _, _) in BUSY.items()}
    assert documented("Over gRPC") == expected


def test_every_reason_in_the_source_is_documented() -> None:
    tables = ("Over gRPC", "Over HTTP, from the panel", "Commands")
    assert raised() == {reason for table in tables for reason in documented(table)}
