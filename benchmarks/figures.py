"""From what was heard to figures: latencies by stage, misses, processor time and memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from google.protobuf.duration_pb2 import Duration

from benchmarks.evidence import first, spread
from benchmarks.load import LEGS, Heard, HeardCall, Load
from benchmarks.server import Sample
from benchmarks.timing import HOP_SECONDS, due, last_needed, percentile, samples_a_message
from emotion_service.client.together import singly
from emotion_service.types import SAMPLE_RATE_HERTZ
from emotion_service.v1 import emotion_service_pb2 as pb

CUSTOMER = LEGS[0][0]
HOP = int(HOP_SECONDS * SAMPLE_RATE_HERTZ)


@dataclass(frozen=True, slots=True)
class Answer:
    """One score, in milliseconds: `client` from the scheduled send of the last message it needed
    until it was there, the others as the service tells them."""

    client: float
    service: float
    queue: float
    features: float
    model: float

    @property
    def hearing(self) -> float:
        """What is left of the service's: waiting for the others' audio, hearing it, cues, and the
        event loop, which has other calls too."""
        return self.service - self.queue - self.features - self.model

    @property
    def transport(self) -> float:
        """What the service does not see: generator, both kernels, and waiting to be read."""
        return self.client - self.service


STAGES: dict[str, Callable[[Answer], float]] = {
    "hearing and event loop": attrgetter("hearing"),
    "queue": attrgetter("queue"),
    "features": attrgetter("features"),
    "model": attrgetter("model"),
    "service in all": attrgetter("service"),
    "transport and client": attrgetter("transport"),
}


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one call gave within the measured time; `watched` in ms, `speech` in 0..1."""

    answers: list[Answer]
    misses: int
    watched: list[float]
    speech: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. Percentiles count a miss as infinite."""

    calls: int
    message_ms: int
    seconds: float
    warm_up_seconds: float
    slow_watchers: int
    scores: int
    misses: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    stages_ms: dict[str, dict[str, float]]
    watched: int
    watched_p50_ms: float
    watched_p99_ms: float
    cpu_ms_per_call_second: float
    rss_mb: float  # before the calls
    rss_peak_mb: float
    rss_kb_per_call: float
    generator_lag_p99_ms: float
    generator_cores: float
    other_cores: float
    stolen_cores: float  # by the host of a virtual machine
    customer_speaks: float
    evidence_seconds: dict[str, dict[str, float]]  # of speech, when something was first said
    refused: dict[str, int]
    broken: dict[str, int]
    slow_watchers_cut: int


def figures(
    load: Load, heard: Heard, samples: Sequence[Sample], warm_up_seconds: float
) -> tuple[Figures, list[Answer]]:
    """The figures of a run, and the answers they are made of."""
    accepted = [call for call in heard.calls if call.accepted]
    heard_first = [first(data for _, data in call.events) for call in accepted]
    measured_from = heard.began + HOP_SECONDS + warm_up_seconds
    results = [result(load, call, measured_from) for call in accepted]
    answers = [answer for one in results for answer in one.answers]
    client = [answer.client for answer in answers]
    misses = sum(one.misses for one in results)
    watched = [latency for one in results for latency in one.watched]
    lags = [lag * 1e3 for call in accepted for lag in call.lags]
    begin, last = (_nearest(samples, at) for at in (measured_from, heard.ended))
    spent = last.cpu_seconds - begin.cpu_seconds
    length, run = last.at - begin.at, heard.ended - heard.began
    generator = heard.cpu_seconds / run
    peak = max(sample.rss_bytes for sample in samples)
    return Figures(
        calls=load.calls,
        message_ms=load.message_ms,
        seconds=load.seconds,
        warm_up_seconds=warm_up_seconds,
        slow_watchers=load.slow_watchers,
        scores=len(answers),
        misses=misses,
        p50_ms=percentile(client, misses, 50),
        p90_ms=percentile(client, misses, 90),
        p99_ms=percentile(client, misses, 99),
        max_ms=percentile(client, misses, 100),
        stages_ms={name: _stage(stage, answers) for name, stage in STAGES.items()},
        watched=len(watched),
        watched_p50_ms=percentile(watched, 0, 50),
        watched_p99_ms=percentile(watched, 0, 99),
        cpu_ms_per_call_second=spent * 1e3 / (len(accepted) * length) if accepted else 0.0,
        rss_mb=samples[0].rss_bytes / 1e6,
        rss_peak_mb=peak / 1e6,
        rss_kb_per_call=(peak - samples[0].rss_bytes) / 1e3 / max(1, len(accepted)),
        generator_lag_p99_ms=percentile(lags, 0, 99),
        generator_cores=generator,
        other_cores=(last.machine_seconds - begin.machine_seconds - spent) / length - generator,
        stolen_cores=(last.stolen_seconds - begin.stolen_seconds) / length,
        customer_speaks=sum(one.speech for one in results) / max(1, len(results)),
        evidence_seconds=spread(heard_first),
        refused=dict(Counter(call.status for call in heard.calls if not call.accepted)),
        broken=dict(Counter(call.status for call in accepted if call.status != "OK")),
        slow_watchers_cut=heard.cut,
    ), answers


def result(load: Load, call: HeardCall, measured_from: float) -> CallResult:
    """What one accepted call gave.

    A window that was skipped is a miss, and so is one of which nothing was heard. When the call
    broke off, nobody knows which would have come: every later 500 ms counts as a miss. Windows
    that only the end of the call made due are left out: nothing live waits for them.
    """
    answers, misses, seen, expected, speech, reached = [], 0, 0, 0, 0.0, 0
    for at, data in call.events:
        event = pb.StreamingAnalyzeResponse.FromString(data)
        if event.HasField("summary"):
            leg = next(leg for leg in event.summary.legs if leg.leg == CUSTOMER)
            expected = leg.scores
            speech = samples_of(leg.speech) / samples_of(event.summary.duration)
        elif event.HasField("score"):
            seen, expected = seen + 1, max(expected, event.score.sequence + 1)
            reached = samples_of(event.score.end_offset)
            asked = _asked(load, call, event.score.end_offset)
            if asked is None or asked < measured_from:
                continue
            if event.score.abstain_reason == pb.ABSTAIN_REASON_OVERLOADED:
                misses += 1
            else:
                answers.append(_answer(event.score.latency, (at - asked) * 1e3))
    if call.status != "OK":
        misses += (load.messages * samples_a_message(load.message_ms) - reached) // HOP
    watched = _watched(load, call, measured_from)
    return CallResult(answers, misses + expected - seen, watched, speech)


def samples_of(duration: Duration) -> int:
    """A duration in samples at 8 kHz."""
    return duration.seconds * SAMPLE_RATE_HERTZ + duration.nanos * SAMPLE_RATE_HERTZ // 10**9


def _asked(load: Load, call: HeardCall, end: Duration) -> float | None:
    """When the last message that reaches `end` had to leave; None when it is the call's last."""
    number = last_needed(samples_of(end), load.message_ms)
    if number >= load.messages - 1:
        return None
    return due(call.start, number, load.message_ms)


def _answer(latency: pb.Latency, client_ms: float) -> Answer:
    return Answer(
        client_ms, latency.total_ms, latency.queue_ms, latency.features_ms, latency.model_ms
    )


def _watched(load: Load, call: HeardCall, measured_from: float) -> list[float]:
    """Milliseconds until the watcher had each cue, and each score if it asked for those."""
    found = []
    told = [
        (at, event)
        for at, data in call.watched
        for event in singly(pb.WatchCuesResponse.FromString(data))
    ]
    for at, event in told:
        if event.HasField("cue"):
            asked = _asked(load, call, event.cue.decided_offset)
        elif event.HasField("score"):
            asked = _asked(load, call, event.score.end_offset)
        else:
            continue
        if asked is not None and asked >= measured_from:
            found.append((at - asked) * 1e3)
    return found


def _stage(stage: Callable[[Answer], float], answers: Sequence[Answer]) -> dict[str, float]:
    values = [stage(answer) for answer in answers]
    return {"p50": percentile(values, 0, 50), "p99": percentile(values, 0, 99)}


def _nearest(samples: Sequence[Sample], at: float) -> Sample:
    """The first sample not before `at`, else the last."""
    return samples[min(len(samples) - 1, bisect_left(samples, at, key=attrgetter("at")))]
