"""How much speech it took, read off a call's events."""

from __future__ import annotations

import math

from benchmarks.evidence import First, first, spread
from emotion_service.v1 import emotion_service_pb2 as pb


def score(evidence: float, provisional: bool = False, claims: bool = True) -> bytes:
    probabilities = pb.Probabilities(anger=1.0) if claims else None
    said = pb.Score(evidence_seconds=evidence, provisional=provisional, probabilities=probabilities)
    return pb.StreamingAnalyzeResponse(score=said).SerializeToString()


def cue(evidence: float, kind: pb.CueKind.ValueType) -> bytes:
    said = pb.Cue(evidence_seconds=evidence, kind=kind)
    return pb.StreamingAnalyzeResponse(cue=said).SerializeToString()


def test_the_first_of_each_is_told() -> None:
    events = [
        score(0.3, claims=False),
        cue(0.5, pb.CUE_KIND_INSUFFICIENT_EVIDENCE),
        cue(0.5, pb.CUE_KIND_TALK_OVER),
        score(0.7, provisional=True),
        score(1.25),
        cue(1.5, pb.CUE_KIND_NEUTRAL),
        score(2.0),
        cue(2.5, pb.CUE_KIND_AGITATED),
    ]
    assert first(events) == First(score=0.7, firm_score=1.25, state=1.5)
    assert first(events[:4]) == First(score=0.7)
    assert first([]) == First()


def test_what_never_came_takes_for_ever() -> None:
    calls = [First(score=0.1 * n) for n in range(1, 10)] + [First()]
    found = spread(calls)
    assert found["first score"] == {"p10": 0.1, "p50": 0.5, "p90": 0.9}
    assert found["first state"] == {"p10": math.inf, "p50": math.inf, "p90": math.inf}
