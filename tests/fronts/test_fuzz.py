"""Whatever a client sends: its call ends well, or with a reason that docs/errors.md explains.

The front itself is driven with messages that only the strategies below could think of; over a
socket, raw bytes are sent while another call goes on beside them.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import DECODERS
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import Bus
from emotion_service.fronts import grpc as front
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import GrpcServer
from emotion_service.fronts.stream import Service
from emotion_service.scoring.batcher import Batcher
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.patience import PATIENCE_SECONDS

DOCUMENTED = set(
    re.findall(
        r"^\| `([A-Z_]+)`",
        (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
) - {"DEFECT"}
METHOD = "/emotion_service.v1.EmotionService/StreamingAnalyze"

Drive: TypeAlias = Callable[[Sequence[bytes]], str]


# --- what is sent -----------------------------------------------------------------------------


def some(*likely: Any, rarely: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(likely) | st.sampled_from(likely) | rarely


TEXTS = st.text(max_size=12) | st.just("x" * 300)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "call_id": some("fuzzed", rarely=TEXTS),
    "leg": some("customer", "agent", "", rarely=TEXTS),
    "encoding": some(*DECODERS, rarely=TEXTS),
    "sample_rate_hertz": some(8000, 16_000, 44_100, rarely=st.integers(0, 2**32 - 1)),
    "channels": st.integers(0, 3),
    "legs": st.lists(st.deferred(lambda: messages(pb.LegConfig.DESCRIPTOR)), max_size=3),
    "sequence": st.integers(0, 40) | st.integers(0, 2**64 - 1),
    "data": st.integers(0, 400).map(lambda n: bytes(range(1, 9)) * n) | st.binary(max_size=50),
    # A gap of minutes is allowed, and takes a second to analyse: too long for here.
    "offset": st.builds(Duration, seconds=st.integers(-1, 3), nanos=st.integers(0, 999_999_999))
    | st.builds(Duration, seconds=st.sampled_from([-(2**63), 10_000, 2**63 - 1])),
}
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 6) | st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_STRING: TEXTS,
}


def messages(descriptor: Descriptor) -> st.SearchStrategy[Any]:
    """Messages of a type with any of its fields set to anything that can be serialised."""
    fields = {field.name: _values(field) for field in descriptor.fields}
    kind: Any = message_factory.GetMessageClass(descriptor)
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: kind(**values))


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.name in FIELDS:
        return FIELDS[field.name]
    kind = field.message_type
    if kind is None:
        return SCALARS[field.cpp_type]
    if kind.GetOptions().map_entry:
        return st.dictionaries(TEXTS, TEXTS, max_size=3)
    return messages(kind)


def leg(name: str, party: pb.Party.ValueType) -> pb.LegConfig:
    return pb.LegConfig(leg=name, party=party, encoding="audio/pcm", sample_rate_hertz=8000)


def config(call_id: str) -> pb.StreamingAnalyzeRequest:
    legs = [leg("customer", pb.PARTY_CUSTOMER), leg("agent", pb.PARTY_AGENT)]
    return pb.StreamingAnalyzeRequest(
        config=pb.CallConfig(
            call_id=call_id,
            pacing=pb.PACING_RECORDED,
            legs=legs,
            disclosure_given=True,
            consent=pb.CONSENT_GRANTED,
        )
    )


SOUND = config("fuzzed").SerializeToString()
REQUESTS = messages(pb.StreamingAnalyzeRequest.DESCRIPTOR).map(lambda m: m.SerializeToString())
CALLS = st.lists(REQUESTS, max_size=8).flatmap(
    lambda sent: st.sampled_from([[SOUND, *sent], [SOUND, *sent], sent])
)


@st.composite
def damaged(draw: st.DrawFn) -> list[bytes]:
    """A call whose last message has been cut, overwritten, or made up altogether."""
    sent = [SOUND, draw(REQUESTS)][: draw(st.integers(1, 2))]
    last = bytearray(sent.pop())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(last)))
        last[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return [*sent, bytes(last) if draw(st.integers(0, 4)) else draw(st.binary(max_size=60))]


# --- the front without a socket ---------------------------------------------------------------


class Ended(Exception):
    """The front has ended its stream with a status."""


class Context:
    """What the front writes to, in place of gRPC's."""

    def __init__(self) -> None:
        self.said: list[pb.StreamingAnalyzeResponse] = []
        self.reason = ""

    async def send_initial_metadata(self, metadata: tuple[()]) -> None:
        assert not self.said

    async def write(self, response: pb.StreamingAnalyzeResponse) -> None:
        self.said.append(response)

    async def abort(self, code: grpc.StatusCode, details: str, trailing: Any) -> None:
        self.reason = reason_of(trailing)
        raise Ended


def reason_of(trailing: Any) -> str:
    status, info = Status.FromString(dict(trailing)["grpc-status-details-bin"]), ErrorInfo()
    assert status.details[0].Unpack(info)
    return str(info.reason)


async def parsed(sent: Sequence[bytes]) -> AsyncIterator[pb.StreamingAnalyzeRequest]:
    for message in sent:
        yield pb.StreamingAnalyzeRequest.FromString(message)


async def driven(scorer: Scorer, sent: Sequence[bytes]) -> str:
    """Plays one call against a front of its own; the reason it was ended for, or nothing."""
    async with Batcher(scorer) as batcher:
        service, context = Service(scorer, batcher, Bus()), Context()
        front_of_all: Any = EmotionServicer(service, mixed_allowed=True)
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(Ended):  # context.reason says why
                await front_of_all.StreamingAnalyze(parsed(sent), context)
    assert service.bus.live_calls == 0
    assert context.reason or context.said[-1].HasField("summary")
    return context.reason


@pytest.fixture
def drive(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    monkeypatch.setattr(front, "CANCELLATION_SECONDS", 0.0)
    with asyncio.Runner() as runner:
        yield lambda sent: runner.run(driven(scorer, sent))


ANY_CALL = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ANY_CALL
@given(CALLS)
def test_any_messages_in_any_order(drive: Drive, sent: list[bytes]) -> None:
    assert drive(sent) in {"", *DOCUMENTED}


@ANY_CALL
@given(damaged())
def test_damaged_messages(drive: Drive, sent: list[bytes]) -> None:
    assert drive(sent) in {"", *DOCUMENTED}


# --- over a socket, beside another call -------------------------------------------------------


@pytest.fixture
def channel(scorer: Scorer) -> Iterator[grpc.Channel]:
    """To a service in a thread of its own."""
    port: list[int] = []
    started, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with Batcher(scorer) as batcher:
            servicer = EmotionServicer(Service(scorer, batcher, Bus()), mixed_allowed=True)
            server = GrpcServer(servicer)
            port.append(server.bind("127.0.0.1", 0))
            await server.start()
            started.set()
            await stop.wait()
            await server.stop(None)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(PATIENCE_SECONDS)
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port[0]}", options=options) as channel:
        yield channel
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE_SECONDS)
    loop.close()


def exchanged(channel: grpc.Channel, sent: Sequence[bytes]) -> tuple[list[bytes], str]:
    """What the service answered, and the reason it ended the call for, or nothing."""
    raw: Any = channel.stream_stream(METHOD)
    call = raw(iter(sent), timeout=PATIENCE_SECONDS)
    said: list[bytes] = []
    try:
        said += call  # list.extend keeps what came before an error
    except grpc.RpcError:
        return said, reason_of(call.trailing_metadata())
    return said, ""


def told(channel: grpc.Channel, call_id: str, speech: bytes) -> list[str]:
    """A good call of 2 s of speech: all that does not depend on when it was said."""
    requests = [config(call_id)]
    for at in range(0, 32_000, 1120):
        chunk = pb.AudioChunk(leg="customer", data=speech[at : at + 1120])
        requests.append(pb.StreamingAnalyzeRequest(audio=chunk))
    said, reason = exchanged(channel, [request.SerializeToString() for request in requests])
    assert reason == ""
    responses = [pb.StreamingAnalyzeResponse.FromString(message) for message in said]
    for response in responses:
        kind = response.WhichOneof("response")
        if kind in ("score", "cue"):
            getattr(response, kind).ClearField("latency")
            getattr(response, kind).ClearField("within_budget")
    return sorted(str(response) for response in responses)


def test_raw_bytes_end_their_call_and_harm_no_other(channel: grpc.Channel, speech: bytes) -> None:
    alone = told(channel, "neighbour", speech)
    assert sum("probabilities" in event for event in alone) >= 2
    beside: list[bool] = []
    over = threading.Event()

    def neighbour() -> None:
        while not over.is_set():
            beside.append(told(channel, "neighbour", speech) == alone)

    @settings(max_examples=60, deadline=None)
    @given(damaged() | CALLS)
    def strangers(sent: list[bytes]) -> None:
        assert exchanged(channel, sent)[1] in {"", *DOCUMENTED}

    thread = threading.Thread(target=neighbour)
    thread.start()
    try:
        strangers()
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)
    assert len(beside) >= 3
    assert all(beside)
