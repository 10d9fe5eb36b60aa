"""What a service counts, for Prometheus. Labels are words of this package, never a caller's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from emotion_service.types import Abstain, Cue, EmotionScore, Feedback, Placement, seconds

SPACE = "emotion_service"
LATENCY_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0),
)
# Of Placement: what each field is called, and whether it is a length of audio or a count.
PLACEMENT: dict[str, tuple[str, str]] = {
    "received": ("audio_seconds", "Audio placed, all legs."),
    "lost": ("audio_lost_seconds", "Audio that never arrived, replaced by silence."),
    "gaps": ("audio_gaps", "Stretches that never arrived."),
    "overlaps": ("audio_overlaps", "Messages that repeated part of what was there."),
    "duplicates": ("audio_duplicates", "Messages that repeated all of what was there."),
    "reordered": ("audio_reordered", "Messages that came early and waited for others."),
    "late": ("audio_late", "Messages that came more than 200 ms late and were dropped."),
}
LENGTHS = ("received", "lost")


class HasLatency(Protocol):
    """Milliseconds, as delivery.notice.Latency has them."""

    @property
    def total_ms(self) -> float: ...
    @property
    def queue_ms(self) -> float: ...
    @property
    def features_ms(self) -> float: ...
    @property
    def model_ms(self) -> float: ...


Placements = Callable[[], Iterable[Placement]]


class Metrics:
    """The figures of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._info = Info(SPACE, "What runs here.", registry=registry)
        self._calls = Counter(f"{SPACE}_calls", "Calls accepted.", registry=registry)
        self._ended = Counter(
            f"{SPACE}_calls_ended",
            "Calls that ended: completed, with a summary; or broken_off.",
            ["how"],
            registry=registry,
        )
        self._scores = Counter(
            f"{SPACE}_scores",
            "Windows answered; abstained says why nothing was claimed, or none.",
            ["abstained"],
            registry=registry,
        )
        self._skipped = Counter(
            f"{SPACE}_windows_skipped", "Windows skipped: a leg was behind.", registry=registry
        )
        self._cues = Counter(f"{SPACE}_cues", "Cues.", ["kind", "phase"], registry=registry)
        self._feedback = Counter(
            f"{SPACE}_feedback", "What people thought of cues.", ["verdict"], registry=registry
        )
        self._objections = Counter(
            f"{SPACE}_objections", "Contacts that objected to being scored.", registry=registry
        )
        self._latency = Histogram(
            f"{SPACE}_latency_seconds",
            "Of a score: queue, features and model of its batch, and in total from the arrival of "
            "the last needed audio until it could be written; cue: the same total of a cue.",
            ["stage"],
            buckets=LATENCY_SECONDS,
            registry=registry,
        )
        self._misses = Counter(
            f"{SPACE}_budget_misses",
            "Scores later than their call's latency budget, skipped windows included.",
            registry=registry,
        )
        self._refusals = Counter(
            f"{SPACE}_refusals", "Streams and questions ended by an error.", ["reason"],
            registry=registry,
        )  # fmt: skip
        self._audio = _Audio()
        registry.register(self._audio)
        ProcessCollector(registry=registry)

    def describe(self, version: str, model: str, licence: str) -> None:
        """Which service and model these are the figures of."""
        self._info.info({"version": version, "model": model, "licence": licence})

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A figure that is asked for whenever somebody looks."""
        Gauge(f"{SPACE}_{name}", text, registry=self.registry).set_function(value)

    def opened(self, call: object, placements: Placements) -> None:
        """A call begins; `placements` is asked for its legs' from another thread."""
        self._calls.inc()
        self._audio.add(call, placements)

    def ended(self, call: object, completed: bool) -> None:
        """It is over."""
        self._ended.labels("completed" if completed else "broken_off").inc()
        self._audio.remove(call)

    def scored(self, score: EmotionScore, latency: HasLatency | None, budget_ms: int) -> None:
        """A window was answered."""
        reason = score.abstain
        self._scores.labels("none" if reason is None else reason.name.lower()).inc()
        if reason is Abstain.OVERLOADED:
            self._skipped.inc()
            self._misses.inc()
        elif latency is not None:
            for stage in ("queue", "features", "model", "total"):
                self._latency.labels(stage).observe(getattr(latency, f"{stage}_ms") / 1e3)
            if latency.total_ms > budget_ms:
                self._misses.inc()

    def cued(self, cue: Cue, latency: HasLatency | None) -> None:
        """A cue was given."""
        self._cues.labels(cue.kind.name.lower(), cue.phase.name.lower()).inc()
        if latency is not None:
            self._latency.labels("cue").observe(latency.total_ms / 1e3)

    def judged(self, feedback: Feedback) -> None:
        """A person said what they think of a cue."""
        self._feedback.labels(feedback.verdict.name.lower()).inc()

    def objected(self) -> None:
        """A contact objected."""
        self._objections.inc()

    def refused(self, reason: str) -> None:
        """A stream or question ended with this error."""
        self._refusals.labels(reason).inc()


class _Audio(Collector):
    """What became of the audio: of ended calls kept as a sum, of live ones asked when needed.

    Prometheus asks from a thread of its own: the lock keeps a call that ends just then from
    being counted twice or not at all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: dict[object, Placements] = {}
        self._past = Placement()

    def add(self, call: object, placements: Placements) -> None:
        with self._lock:
            self._live[call] = placements

    def remove(self, call: object) -> None:
        with self._lock:
            self._past = _sum([self._past, *self._live.pop(call)()])

    def collect(self) -> Iterator[CounterMetricFamily]:
        with self._lock:
            live = [placement for call in self._live.values() for placement in call()]
            total = _sum([self._past, *live])
        for field, (name, text) in PLACEMENT.items():
            value = getattr(total, field)
            value = seconds(value) if field in LENGTHS else value
            yield CounterMetricFamily(f"{SPACE}_{name}", text, value=value)


def _sum(placements: Iterable[Placement]) -> Placement:
    every = list(placements)
    return Placement(
        **{
            field.name: sum(getattr(placement, field.name) for placement in every)
            for field in fields(Placement)
        }
    )
