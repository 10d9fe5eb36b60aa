"""Two live calls say what they say alone; and what would be told apart, and what would not."""

from __future__ import annotations

from benchmarks.conversation import bundled
from benchmarks.load import Load
from benchmarks.same import Same, compare, said
from emotion_service.v1 import emotion_service_pb2 as pb


def test_live_calls_say_what_they_say_alone() -> None:
    found = compare(Load("", bundled(), calls=2, message_ms=37, seconds=6.0))
    assert found == Same(2, 2, found.events, found.scores, 0)
    assert found.events > found.scores > 0


def score(confidence: float, leg: str = "customer", total_ms: float = 1.0) -> bytes:
    own = pb.Score(leg=leg, confidence=confidence, within_budget=total_ms < 300)
    own.latency.total_ms = total_ms
    return pb.StreamingAnalyzeResponse(score=own).SerializeToString()


def test_only_time_and_the_order_of_legs_may_differ() -> None:
    some = [score(0.5), score(0.25), score(0.5, "agent")]
    assert said(some) == said([score(0.5, "agent"), score(0.5, total_ms=999.0), score(0.25)])
    assert said(some) != said([score(0.25), score(0.5), score(0.5, "agent")])
    assert said(some) != said([score(0.5), score(0.2500001), score(0.5, "agent")])
    assert said(some) != said(some[:2])
    ready = pb.StreamingAnalyzeResponse(status=pb.Status(ready=pb.Ready(model_version="x")))
    assert said([ready.SerializeToString()]) == {}
