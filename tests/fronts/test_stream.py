"""One call on the event loop: nothing lost, nothing left behind, every wait measured."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from emotion_service.calls.hearing import TICK_SECONDS
from emotion_service.calls.scorer import Scorer, Scoring
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.notice import Acknowledged, Ready, Reconnect
from emotion_service.errors import BadInput
from emotion_service.fronts.acknowledger import Acknowledger
from emotion_service.fronts.stream import (
    RECORDED_PENDING,
    CallStream,
    Said,
    Service,
)
from emotion_service.offline import analyze
from emotion_service.scoring.batcher import Batcher
from emotion_service.scoring.request import ScoringRequest
from emotion_service.types import (
    AttributeChange,
    CallConfig,
    CallEvent,
    CallSummary,
    Consent,
    ConsentChange,
    Cue,
    EmotionScore,
    EncodedAudio,
    LineChange,
    LineState,
    NotScored,
    Pacing,
    ScoringStatus,
)
from tests.patience import PATIENCE_SECONDS

BYTES_A_SECOND = 16_000


class Gate(Scorer):
    """A scorer that waits; the test opens and shuts it, or lets it break."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(scorer._model)
        self.open = threading.Event()
        self.error: Exception | None = None

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Scoring]:
        def asked() -> None:
            assert self.open.wait(PATIENCE_SECONDS)
            if self.error is not None:
                raise self.error
            ask()

        with super().begun(batch) as scoring:
            ask, scoring.ask = scoring.ask, asked  # type: ignore[method-assign]
            yield scoring


def chunks(speech: bytes, milliseconds: int, leg: str = "customer") -> Iterator[EncodedAudio]:
    step = BYTES_A_SECOND * milliseconds // 1000
    for start in range(0, len(speech), step):
        yield EncodedAudio(leg, speech[start : start + step], start / BYTES_A_SECOND)


async def played(stream: CallStream, audio: Iterator[EncodedAudio]) -> list[Said]:
    async def play() -> None:
        for chunk in audio:
            await stream.push(chunk)
        await stream.finish()

    player = asyncio.create_task(play())
    said = [item async for item in stream.outbox]
    await player
    return said


@pytest.fixture
def gate(scorer: Scorer) -> Gate:
    return Gate(scorer)


@pytest.mark.parametrize("milliseconds", [20, 70, 4500])
async def test_a_stream_says_what_the_offline_analysis_says(
    service: Service, config: CallConfig, speech: bytes, milliseconds: int
) -> None:
    said = await played(CallStream(config, service), chunks(speech, milliseconds))
    offline = list(analyze(config, chunks(speech, 70), service.scorer))

    def of(kind: type[object], events: list[object]) -> list[object]:
        return [event for event in events if isinstance(event, kind)]

    streamed: list[object] = [item.event for item in said]
    for kind in (Ready, ScoringStatus, EmotionScore, Cue, CallSummary):
        assert of(kind, streamed) == of(kind, [*offline])
    assert len(of(EmotionScore, streamed)) >= 5
    assert isinstance(streamed[0], Ready)
    assert isinstance(streamed[-1], CallSummary)


async def test_scores_and_cues_say_what_they_waited_for(
    service: Service, config: CallConfig, speech: bytes
) -> None:
    said = await played(CallStream(config, service), chunks(speech, 20))
    assert any(isinstance(item.event, Cue) for item in said)
    for item in said:
        latency = item.latency(service.clock())
        if isinstance(item.event, EmotionScore | Cue):
            assert latency is not None
            assert 0 <= latency.queue_ms <= latency.total_ms
        else:
            assert latency is None
    scored = [item.latency(service.clock()) for item in said if item.scored is not None]
    assert all(latency is not None and latency.features_ms > 0 for latency in scored)


async def test_latency_runs_from_the_message_that_held_the_last_needed_sample(
    gate: Gate, config: CallConfig, speech: bytes
) -> None:
    now = [0.0]
    gate.open.set()
    async with Batcher(gate) as batcher:
        service = Service(gate, batcher, Bus(), clock=lambda: now[0])
        stream = CallStream(config, service)
        for audio in chunks(speech, 100):
            now[0] += 0.1  # message i holds the samples up to i * 100 ms, and arrives then
            await stream.push(audio)
        await stream.finish()
        said = [item async for item in stream.outbox]
    scores = [item for item in said if isinstance(item.event, EmotionScore)]
    assert len(scores) >= 5
    for item in scores:
        assert isinstance(item.event, EmotionScore)
        arrived = -(-item.event.end // 800) * 0.1
        assert item.arrived == pytest.approx(arrived)
        latency = item.latency(arrived + 0.25)
        assert latency is not None and latency.total_ms == pytest.approx(250)


async def test_small_messages_are_heard_a_stride_at_a_time_and_dated_each(
    gate: Gate, config: CallConfig, speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, heard = [0.0], list[float]()
    strides = [second + part for second in range(3) for part in (0.26, 0.5, 0.76, 1.0)]
    first_words = [1.42, 2.02]  # 0.6 and 1.2 s of speech
    gate.open.set()
    async with Batcher(gate) as batcher:
        service = Service(gate, batcher, Bus(), clock=lambda: now[0])
        stream = CallStream(config, service)
        proceed = stream._proceed

        def counted() -> None:
            heard.append(now[0])
            proceed()

        monkeypatch.setattr(stream, "_proceed", counted)
        for audio in chunks(speech[: BYTES_A_SECOND * 3], 20):
            now[0] += 0.02
            await stream.push(audio)
        assert heard == pytest.approx(sorted(strides + first_words))
        await stream.finish()
        said = [item async for item in stream.outbox]
    for item in said:  # of each the message that held the last sample it needed
        if isinstance(item.event, EmotionScore):
            assert item.arrived == pytest.approx(item.event.end / 8000)
        elif isinstance(item.event, Cue) and item.event.decided < 3 * 8000:
            assert item.arrived == pytest.approx(-(-item.event.decided // 160) * 0.02)
    assert any(isinstance(item.event, Cue) for item in said)


async def test_a_change_comes_after_all_audio_before_it(
    service: Service, config: CallConfig, speech: bytes
) -> None:
    stream = CallStream(replace(config, pacing=Pacing.LIVE), service)
    for audio in itertools.islice(chunks(speech, 20), 4):  # no stride
        await stream.push(audio)
    await asyncio.sleep(2 * TICK_SECONDS)
    assert service.bus.call(config.call_id).elapsed == 0
    stream.update(LineChange("agent", LineState.MUTED))
    assert service.bus.call(config.call_id).elapsed == 4 * 160
    stream.abandon()


async def push_live(stream: CallStream, speech: bytes) -> None:
    """In half seconds, each heard before the next comes."""
    for number, audio in enumerate(chunks(speech, 20)):
        await stream.push(audio)
        if number % 25 == 24:
            await asyncio.sleep(2 * TICK_SECONDS)


async def test_a_live_call_is_always_read(gate: Gate, config: CallConfig, speech: bytes) -> None:
    async with Batcher(gate) as batcher:
        service = Service(gate, batcher, Bus())
        stream = CallStream(replace(config, pacing=Pacing.LIVE), service)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await push_live(stream, speech)  # while nothing is scored at all
        gate.open.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stream.finish()
        said = [item.event async for item in stream.outbox]
    summary = said[-1]
    assert isinstance(summary, CallSummary)
    assert summary.legs[0].skipped_windows > 0


async def test_a_recorded_call_is_held_back_and_skips_nothing(
    gate: Gate, config: CallConfig, speech: bytes
) -> None:
    async with Batcher(gate) as batcher:
        stream = CallStream(config, Service(gate, batcher, Bus()))
        player = asyncio.create_task(played(stream, chunks(speech, 20)))
        await asyncio.sleep(0.3)
        assert stream._call.pending == RECORDED_PENDING + 1  # one more, and its sender waits
        assert not player.done()
        gate.open.set()
        said = await asyncio.wait_for(player, PATIENCE_SECONDS)
    summary = said[-1].event
    assert isinstance(summary, CallSummary)
    assert summary.legs[0].skipped_windows == 0


async def test_an_error_of_the_scorer_ends_this_call_with_it(
    gate: Gate, config: CallConfig, speech: bytes
) -> None:
    gate.error = ZeroDivisionError("defect")
    gate.open.set()
    async with Batcher(gate) as batcher:
        stream = CallStream(config, Service(gate, batcher, Bus()))
        with pytest.raises(ZeroDivisionError):
            for audio in chunks(speech, 20):
                await stream.push(audio)
            await stream.finish()
        stream.fail(BadInput("LATER", "an error after the first changes nothing"))
        with pytest.raises(ZeroDivisionError):
            _ = [item async for item in stream.outbox]


async def test_an_abandoned_call_leaves_nothing(
    gate: Gate, config: CallConfig, speech: bytes
) -> None:
    async with Batcher(gate) as batcher:
        service = Service(gate, batcher, Bus())
        stream = CallStream(replace(config, pacing=Pacing.LIVE), service)
        await push_live(stream, speech)
        waiting = list(stream._futures)
        stream.abandon()
        stream.abandon()
        gate.open.set()
        await asyncio.wait(waiting)
        assert waiting and all(future.cancelled() for future in waiting)
        assert service.bus.live_calls == 0
        with pytest.raises(BadInput):
            service.bus.call(config.call_id)
        CallStream(config, service).abandon()  # the call_id is free again


async def test_a_live_call_id_is_taken_and_its_call_unharmed(
    service: Service, config: CallConfig
) -> None:
    stream = CallStream(config, service)
    with pytest.raises(BadInput) as taken:
        CallStream(config, service)
    assert taken.value.reason == "CALL_ID_IN_USE"
    assert service.bus.call(config.call_id).live
    stream.abandon()


async def test_updates_reach_the_call_and_its_state(service: Service, config: CallConfig) -> None:
    stream = CallStream(config, service)
    stream.update(AttributeChange("queue", "care"))
    stream.update(AttributeChange("agent_id", "bob"))
    stream.update(ConsentChange(Consent.WITHDRAWN))
    state = service.bus.call(config.call_id)
    assert (state.address.queue, state.address.agent_id) == ("care", "bob")
    assert [leg.not_scored for leg in state.legs] == [
        NotScored.CONSENT_WITHDRAWN,
        NotScored.NOT_A_CUSTOMER,
    ]
    stream.abandon()
    statuses = [item.event async for item in stream.outbox]
    assert statuses[-1] == ScoringStatus("customer", NotScored.CONSENT_WITHDRAWN)


async def test_a_withdrawn_consent_stops_what_waits_to_be_scored(
    gate: Gate, config: CallConfig, speech: bytes
) -> None:
    async with Batcher(gate) as batcher:
        stream = CallStream(replace(config, pacing=Pacing.LIVE), Service(gate, batcher, Bus()))
        await push_live(stream, speech)
        waiting = list(stream._futures)
        stream.update(ConsentChange(Consent.WITHDRAWN))
        assert waiting and all(future.cancelled() for future in waiting)
        gate.open.set()
        await asyncio.wait_for(stream.finish(), PATIENCE_SECONDS)
    said = [item.event async for item in stream.outbox]
    withdrawn = said.index(ScoringStatus("customer", NotScored.CONSENT_WITHDRAWN))
    assert not [event for event in said[withdrawn:] if isinstance(event, EmotionScore)]
    assert isinstance(said[-1], CallSummary)


async def test_words_to_the_stream_stay_in_order_with_its_events(
    service: Service, config: CallConfig
) -> None:
    stream = CallStream(config, service)
    stream.say(Reconnect(5.0))
    stream.abandon()
    said: list[CallEvent | object] = [item.event async for item in stream.outbox]
    assert said == [
        Ready("stub-1", "CC0-1.0", 300),
        ScoringStatus("customer", None),
        ScoringStatus("agent", NotScored.NOT_A_CUSTOMER),
        Reconnect(5.0),
    ]


def test_sequences_are_acknowledged_once_a_second_a_leg_and_at_the_end() -> None:
    acknowledger = Acknowledger()
    said = [
        (now, heard)
        for now, leg, sequence in [
            (0.0, "a", 5),
            (0.1, "b", 0),
            (0.6, "a", 7),
            (1.0, "a", 6),
            (1.2, "b", 1),
            (1.9, "a", 8),
            (2.0, "a", 9),
        ]
        for heard in acknowledger.heard(leg, sequence, now)
    ]
    assert said == [
        (1.0, Acknowledged("a", 5)),
        (1.2, Acknowledged("b", 0)),
        (2.0, Acknowledged("a", 7)),
    ]
    assert acknowledger.finished() == [Acknowledged("a", 9), Acknowledged("b", 1)]
