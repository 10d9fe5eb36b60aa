"""Each stage of the service at work, on one unit or on those of several calls together.

A workload is endless: each step does `batch` units, of as many calls or legs, with what the stage
remembers of each. A stage that knows no batch does one unit after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice

import numpy as np

from benchmarks.material import LEGS, MESSAGE, Played, config, per_second, replay
from emotion_service.audio import features, gate, level, prosody, vad
from emotion_service.audio.codecs import LegDecoder
from emotion_service.audio.ear import Ear, listen
from emotion_service.audio.gate import SoundGate
from emotion_service.audio.level import Level
from emotion_service.audio.placement import Placer
from emotion_service.audio.vad import VoiceDetector
from emotion_service.calls.call import Call
from emotion_service.calls.leg import Decided, Leg
from emotion_service.calls.scorer import Scorer, Window
from emotion_service.delivery.notice import Address, Latency
from emotion_service.fronts.wire import audio_from_proto, event_to_proto
from emotion_service.routing.ruleset import RuleSet
from emotion_service.scoring.model import EmotionModel
from emotion_service.scoring.speaker import padded
from emotion_service.types import BLOCK, SAMPLE_RATE_HERTZ, FloatArray, Permit
from emotion_service.v1 import emotion_service_pb2 as pb

BLOCKS = MESSAGE // BLOCK
REPEATED = 20  # messages of a leg, then they come again
LATENCY = Latency(20.0, 1.0, 5.0, 4.0)


@dataclass(frozen=True, slots=True)
class Material:
    """What the stages work on."""

    scorer: Scorer
    model: EmotionModel
    rules: RuleSet
    calls: list[list[Played]]

    @property
    def messages(self) -> list[Played]:
        return [message for call in self.calls for message in call]

    @property
    def windows(self) -> list[Window]:
        """Those that the model is asked about."""
        windows = [window for message in self.messages for window in message.windows]
        return [window for window in windows if window.abstain is None]

    def bytes_of_legs(self) -> list[list[bytes]]:
        """The messages of each leg of each call, taken apart."""
        return [
            [message.audio.data[leg :: len(LEGS)] for message in call]
            for call in self.calls
            for leg in range(len(LEGS))
        ]

    def audio(self, batch: int) -> Iterator[FloatArray]:
        """Without end: the next 100 ms of so many legs, float32 (batch * MESSAGE,). Legs that are
        the same recording are at different places in it."""
        legs = [[_decoder().decode(data) for data in leg] for leg in self.bytes_of_legs()]
        steps = [
            np.concatenate([legs[i % len(legs)][(at + 7 * i) % len(legs[0])] for i in range(batch)])
            for at in range(REPEATED)
        ]
        return cycle(steps)


Work = Callable[[Material, int], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Stage:
    """`rate`: units a call-second."""

    unit: str
    rate: Callable[[Material], float]
    work: Work


# --- hop 1 and 2: a leg and 100 ms ------------------------------------------------------------


def parse(material: Material, batch: int) -> Iterator[None]:
    requests = cycle(
        [
            pb.StreamingAnalyzeRequest(
                audio=pb.AudioChunk(data=message.audio.data, sequence=number)
            ).SerializeToString()
            for number, message in enumerate(material.messages)
        ]
    )
    while True:
        for data in islice(requests, batch):
            audio_from_proto(pb.StreamingAnalyzeRequest.FromString(data).audio)
        yield


def decode(material: Material, batch: int) -> Iterator[None]:
    decoder, messages = _decoder(), cycle(data for leg in material.bytes_of_legs() for data in leg)
    while True:
        for data in islice(messages, batch):
            decoder.decode(data)
        yield


def place(material: Material, batch: int) -> Iterator[None]:
    placers = [Placer(SAMPLE_RATE_HERTZ) for _ in range(batch)]
    samples = np.split(next(material.audio(batch)), batch)
    for message in count():
        for placer, part in zip(placers, samples, strict=True):
            placer.place(part, message * MESSAGE / SAMPLE_RATE_HERTZ, None)
        yield


def levelling(material: Material, batch: int) -> Iterator[None]:
    levels, counts = [Level() for _ in range(batch)], [BLOCKS] * batch
    for samples in material.audio(batch):
        level.apply(levels, samples, counts)
        yield


def voice(material: Material, batch: int) -> Iterator[None]:
    detectors, counts = [VoiceDetector() for _ in range(batch)], [BLOCKS] * batch
    for samples in cycle(_levelled(material, batch)):
        vad.detect(detectors, samples, counts)
        yield


def sounds(material: Material, batch: int) -> Iterator[None]:
    counts, levelled = [BLOCKS] * batch, _levelled(material, batch)
    detectors = [VoiceDetector() for _ in range(batch)]
    voices = [vad.detect(detectors, samples, counts) for samples in levelled]
    gates = [SoundGate() for _ in range(batch)]
    for samples, voiced in cycle(zip(levelled, voices, strict=True)):
        gate.classify(gates, samples, voiced, counts)
        yield


def activity(material: Material, batch: int) -> Iterator[None]:
    """All that a leg makes of what was heard on it, the requests of its windows included."""
    ears, lost = [Ear() for _ in range(batch)], [0.0] * BLOCKS
    heard = []
    for samples in islice(material.audio(batch), REPEATED):
        parts = np.split(samples, batch)
        blocks = listen(ears, parts)
        heard.append([Decided(*each) for each in zip(parts, [lost] * batch, blocks, strict=True)])
    legs = [_scored_leg(material.scorer) for _ in range(batch)]
    for step in cycle(heard):
        for leg, decided in zip(legs, step, strict=True):
            leg.decide(decided)
            for number, progress in enumerate(leg.progress()):
                if progress.due and leg.grant is not None:
                    leg.grant.request(progress.at, number, 0)
        yield


# --- hop 3 and 4: a window --------------------------------------------------------------------


def featuring(material: Material, batch: int) -> Iterator[None]:
    requests = [r for message in material.messages for r in message.requests]
    audio = cycle(request.audio for request in requests)
    while True:
        features.extract(list(islice(audio, batch)))
        yield


def describing(material: Material, batch: int) -> Iterator[None]:
    frames = cycle(window.frames for window in material.windows)
    while True:
        for window in islice(frames, batch):
            prosody.describe(window)
        yield


def answering(material: Material, batch: int) -> Iterator[None]:
    shown = cycle([(*padded(w.frames), np.array(w.context, np.float32)) for w in material.windows])
    while True:
        values, voiced, context = zip(*islice(shown, batch), strict=True)
        material.model.run(np.stack(values), np.stack(voiced), np.stack(context))
        yield


# --- hop 5 and 6: a message of both legs; an event --------------------------------------------


def cueing(material: Material, batch: int) -> Iterator[None]:
    """Timeline, turns, states, trends."""
    return _replayed(material, batch, "course")


def advising(material: Material, batch: int) -> Iterator[None]:
    return _replayed(material, batch, "advisor")


def encode(material: Material, batch: int) -> Iterator[None]:
    events = cycle([event for message in material.messages for event in message.events])
    address = Address.of(config())
    while True:
        for event in islice(events, batch):
            event_to_proto(address, "contact", event, LATENCY, 300).SerializeToString()
        yield


# --- what several need ------------------------------------------------------------------------


def _decoder() -> LegDecoder:
    return LegDecoder(LEGS[0].encoding, LEGS[0].sample_rate_hertz)


def _levelled(material: Material, batch: int) -> list[FloatArray]:
    levels, counts = [Level() for _ in range(batch)], [BLOCKS] * batch
    steps = islice(material.audio(batch), REPEATED)
    return [level.apply(levels, samples, counts) for samples in steps]


def _scored_leg(scorer: Scorer) -> Leg:
    leg, told = Leg(LEGS[0]), config()
    permit = Permit(LEGS[0].leg, LEGS[0].party, told.disclosure_given, told.consent)
    leg.allow(permit, scorer.new_speaker())
    return leg


def _replayed(material: Material, batch: int, part: str) -> Iterator[None]:
    """Course or advisor of so many calls, each told what it was told when they were played."""
    calls = [_again(material, call, part) for call in islice(cycle(material.calls), batch)]
    while True:
        for call in calls:
            next(call)
        yield


def _again(material: Material, messages: Sequence[Played], part: str) -> Iterator[None]:
    while True:
        call = Call(config(), material.scorer, material.rules)
        on = getattr(call, f"_{part}")
        for message in messages:
            replay(getattr(message, part), on)
            yield


def _legs_and_messages(material: Material) -> float:
    return len(LEGS) * SAMPLE_RATE_HERTZ / MESSAGE


def _messages(material: Material) -> float:
    return SAMPLE_RATE_HERTZ / MESSAGE


def _windows(material: Material) -> float:
    return per_second([sum(len(m.requests) for m in call) for call in material.calls])


def _events(material: Material) -> float:
    return per_second([sum(len(m.events) for m in call) for call in material.calls])


LEG, MESSAGES = "leg, 100 ms", "call, 100 ms"
STAGES: dict[str, Stage] = {
    "parse": Stage(MESSAGES, _messages, parse),
    "decode": Stage(LEG, _legs_and_messages, decode),
    "place": Stage(LEG, _legs_and_messages, place),
    "level": Stage(LEG, _legs_and_messages, levelling),
    "vad": Stage(LEG, _legs_and_messages, voice),
    "gate": Stage(LEG, _legs_and_messages, sounds),
    "activity": Stage(LEG, _legs_and_messages, activity),
    "features": Stage("window", _windows, featuring),
    "prosody": Stage("window", _windows, describing),
    "model": Stage("window", _windows, answering),
    "cues": Stage(MESSAGES, _messages, cueing),
    "rules": Stage(MESSAGES, _messages, advising),
    "encode": Stage("event", _events, encode),
}
