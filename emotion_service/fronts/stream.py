"""What every protocol drives: one call on the event loop, scored by the batcher, told to the bus.

A front pushes what arrives and writes what comes out:

    stream = CallStream(config, service)
    ... await stream.push(audio); stream.update(change); await stream.finish() ...   # one task
    async for said in stream.outbox: write(said.event, said.latency(now))            # another
    stream.abandon()                                                                 # finally
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from emotion_service.calls.call import Call
from emotion_service.calls.hearing import Hearing
from emotion_service.calls.leg import Leg, hear
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import LiveCall
from emotion_service.delivery.notice import (
    Acknowledged,
    Address,
    CallState,
    Latency,
    Ready,
    Reconnect,
    StreamEvent,
    state_key,
)
from emotion_service.delivery.outbox import Outbox
from emotion_service.fronts.acknowledger import Acknowledger
from emotion_service.fronts.admission import Admission
from emotion_service.fronts.arrivals import Arrivals
from emotion_service.metrics import Metrics
from emotion_service.routing.ruleset import NO_RULES, RuleSet
from emotion_service.scoring.batcher import Batcher, Scored
from emotion_service.types import (
    Advice,
    AttributeChange,
    CallConfig,
    CallEvent,
    CallSummary,
    CallUpdate,
    Consent,
    ConsentChange,
    Cue,
    EmotionScore,
    EncodedAudio,
    Pacing,
    ScoringStatus,
    SpeechActivity,
    Trend,
)

UNWRITTEN = 256  # events waiting for the writer
RECORDED_PENDING = 4  # windows of a recorded call being scored; with more its sender waits


@dataclass(frozen=True, slots=True)
class Service:
    """What all calls of a process share."""

    scorer: Scorer
    batcher: Batcher
    bus: Bus
    rules: RuleSet = NO_RULES
    hearing: Hearing = field(default_factory=Hearing)
    admission: Admission = field(default_factory=Admission)
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Said:
    """An event for the call's own stream; `arrived` is when its last needed audio did."""

    event: StreamEvent
    arrived: float | None = None
    scored: Scored | None = None

    def latency(self, now: float) -> Latency | None:
        """What the service added when the event is written `now`; None where nothing waited."""
        if self.arrived is None:
            return None
        total = (now - self.arrived) * 1e3
        if self.scored is None:
            return Latency(total)
        return Latency(total, self.scored.queue_ms, self.scored.features_ms, self.scored.model_ms)


class CallStream:
    """One call from its config to its summary.

    Raises:
        BadInput: the config cannot be used, or its call_id is live already.
        Busy: the service takes no more calls now.
    """

    def __init__(self, config: CallConfig, service: Service) -> None:
        service.admission.admit_call(service.bus.live_calls)
        self._objected = service.bus.objects((config.tenant, config.contact_id))
        if self._objected:
            config = replace(config, consent=Consent.WITHDRAWN)
        self.config = config
        self._service = service
        self._call = Call(config, service.scorer, service.rules)
        # A recorded call loses nothing: `push` waits for the writer instead.
        recorded = config.pacing is Pacing.RECORDED
        self.outbox: Outbox[Said] = Outbox(sys.maxsize if recorded else UNWRITTEN)
        self.address = Address.of(config)
        self._futures: dict[asyncio.Future[Scored], str] = {}  # of which leg
        self._resolved = asyncio.Event()
        self._failure: Exception | None = None
        self._unheard: dict[str, None] = {}  # legs that are worth hearing,
        self._unheard_since = math.inf  # and since when
        self._arrivals = Arrivals()
        self._acknowledger = Acknowledger()
        events = self._call.start()
        budget_ms = config.latency_budget_ms
        service.bus.open(
            LiveCall(
                self.address,
                config.contact_id,
                budget_ms,
                self.state,
                self.object,
                lambda: self._call.hand_over,
            )
        )
        self._live = True
        service.metrics.opened(self, self._call.placements)
        scorer = service.scorer
        self.say(Ready(scorer.model_version, scorer.model_licence, budget_ms))
        self._tell(events)

    # --- what arrives ---

    async def push(self, audio: EncodedAudio) -> None:
        """A message of audio, heard as soon as it completes a stride (see Leg.worth_hearing). Live
        calls never wait in here: theirs is heard with what others send within a few milliseconds
        (see Hearing).

        Raises:
            BadInput: see Call.receive.
        """
        arrived = self._service.clock()
        names = self._call.receive(audio)
        self._arrivals.add(self._call.received, arrived)
        worth = [leg.config.leg for leg in self._call.legs(names) if leg.worth_hearing]
        if worth:
            self._unheard |= dict.fromkeys(worth)
            self._unheard_since = min(self._unheard_since, arrived)
            if self.config.pacing is Pacing.RECORDED:
                self._hear_now()
            else:
                self._service.hearing.add(self)
        if audio.sequence is not None:
            for heard in self._acknowledger.heard(audio.leg, audio.sequence, arrived):
                self.say(heard)
        await self.caught_up()

    def unheard(self) -> list[Leg]:
        """The legs that are worth hearing."""
        return self._call.legs(self._unheard)

    def heard(self) -> None:
        """What follows from it."""
        try:
            self._proceed()
        except Exception as error:
            self.fail(error)

    def _hear_now(self) -> None:
        """All that has been received, however little, without waiting for others."""
        self._unheard = dict.fromkeys(leg.leg for leg in self.config.legs)
        self._unheard_since = min(self._unheard_since, self._service.clock())
        hear(self.unheard())
        self._proceed()

    def _proceed(self) -> None:
        if not self._unheard:
            return
        arrived, self._unheard_since = self._unheard_since, math.inf
        legs, self._unheard = self._unheard, {}
        events = self._call.progress(legs)
        self._tell(events, arrived)
        self._submit(arrived)

    async def caught_up(self) -> None:
        """Holds the sender of a recorded call back while scores or the writer are behind."""
        if self.config.pacing is Pacing.RECORDED:
            await self._pending_at_most(RECORDED_PENDING)
            await self.outbox.below(UNWRITTEN)

    def update(self, change: CallUpdate) -> None:
        """A change in the call. Where it ends a permission to score, nothing more is scored.

        Raises:
            BadInput: see Call.update.
        """
        self._hear_now()  # what came before it
        if self._objected and isinstance(change, ConsentChange):
            change = ConsentChange(Consent.WITHDRAWN)
        events = self._call.update(change)
        for event in events:
            if isinstance(event, ScoringStatus):
                self._cancel([f for f, leg in self._futures.items() if leg == event.leg])
        self._tell(events)
        match change:
            case AttributeChange("queue", value):
                self.address = replace(self.address, queue=value)
            case AttributeChange("agent_id", value):
                self.address = replace(self.address, agent_id=value)
        self._service.bus.move(self.address)

    def object(self) -> None:
        """The customer objects: nothing more is scored, whatever consent is sent later."""
        self._objected = True
        try:
            self.update(ConsentChange(Consent.WITHDRAWN))
        except Exception as error:  # of this call only: others of the contact must be told too
            self.fail(error)

    async def finish(self) -> None:
        """No more will arrive: flushes, waits for the last scores, says the summary last."""
        self._hear_now()
        ended = self._service.clock()
        events = self._call.finish()
        self._arrivals.add(self._call.elapsed, ended)
        self._tell(events, ended)
        self._submit(ended)
        await self._pending_at_most(0)
        for heard in self._acknowledger.finished():
            self.say(heard)
        self._tell(self._call.close())
        self.outbox.close()

    # --- how it ends otherwise ---

    def fail(self, error: Exception) -> None:
        """Ends the stream with this error, after what is already waiting to be written."""
        self._failure = self._failure or error
        self._resolved.set()
        self.outbox.close(error)

    def abandon(self) -> None:
        """Nobody listens any more: leaves no future and no live call behind. Idempotent."""
        self._service.hearing.discard(self)
        self._cancel(list(self._futures))
        self.outbox.close()
        if self._live:
            self._live = False
            self._tell([*self._call.abandon()])
            self._service.bus.drop(self.config.call_id)
            self._service.metrics.ended(self, completed=False)

    # --- what it says ---

    def say(self, event: Ready | Reconnect | Acknowledged) -> None:
        """To the call's own stream only."""
        self.outbox.put(Said(event))

    def state(self) -> CallState:
        """The call as it stands."""
        call = self._call
        return CallState(
            self.address,
            self.config.contact_id,
            live=True,
            elapsed=call.elapsed,
            legs=tuple(call.leg_states()),
            trend=call.trend,
            advice=call.advice,
        )

    def _tell(
        self, events: list[CallEvent], arrived: float | None = None, scored: Scored | None = None
    ) -> None:
        """To the call's own stream and to the bus; the rest says what the events waited for."""
        for event in events:
            if isinstance(event, Cue):
                said = Said(event, self._arrivals.of(event.decided), scored)
            elif isinstance(event, EmotionScore):
                said = Said(event, arrived, scored)
            else:
                said = Said(event)
            self.outbox.put(said, state_key(event))
            self._publish(said)

    def _publish(self, said: Said) -> None:
        bus, metrics, config = self._service.bus, self._service.metrics, self.config
        latency = said.latency(self._service.clock())
        match said.event:
            case EmotionScore() as score:
                metrics.scored(score, latency, config.latency_budget_ms)
                bus.tell(config.call_id, score, latency)
            case Cue() as cue:
                metrics.cued(cue, latency)
                bus.tell(config.call_id, cue, latency)
            case SpeechActivity() | Trend() | Advice() as event:
                bus.tell(config.call_id, event)
            case CallSummary() as summary:
                self._live = False
                metrics.ended(self, completed=True)
                bus.end(config.call_id, summary)

    # --- scores on their way ---

    def _submit(self, arrived: float) -> None:
        for request in self._call.take_requests():
            future = self._service.batcher.submit(request)
            self._futures[future] = request.leg
            future.add_done_callback(partial(self._scored, arrived))

    def _scored(self, arrived: float, future: asyncio.Future[Scored]) -> None:
        if self._futures.pop(future, None) is None:
            return  # cancelled
        try:
            scored = future.result()
            self._tell(self._call.resolve(scored.score), arrived, scored)
        except Exception as error:
            self.fail(error)
        self._resolved.set()

    def _cancel(self, futures: list[asyncio.Future[Scored]]) -> None:
        for future in futures:
            del self._futures[future]
            future.cancel()
        self._resolved.set()

    async def _pending_at_most(self, count: int) -> None:
        while self._call.pending > count and self._failure is None:
            self._resolved.clear()
            await self._resolved.wait()
        if self._failure is not None:
            raise self._failure
