"""One call's events against a schedule whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from benchmarks.figures import Answer, result
from benchmarks.load import HeardCall, Load
from emotion_service.v1 import emotion_service_pb2 as pb

BEGAN = 100.0


@pytest.fixture
def load() -> Load:
    """Ten seconds in messages of 100 ms: 0 to 99."""
    return Load("", [np.zeros((8, 2), np.uint8)], calls=1, message_ms=100, seconds=10.0)


def duration(milliseconds: int) -> Duration:
    return Duration(seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000)


def score(number: int, end_ms: int, skipped: bool = False) -> bytes:
    reason = pb.ABSTAIN_REASON_OVERLOADED if skipped else pb.ABSTAIN_REASON_UNSPECIFIED
    said = pb.Score(
        leg="customer",
        sequence=number,
        end_offset=duration(end_ms),
        abstain_reason=reason,
        latency=pb.Latency(total_ms=12.0, queue_ms=1.0, features_ms=6.0, model_ms=4.0),
    )
    return pb.StreamingAnalyzeResponse(score=said).SerializeToString()


def summary(scores: int) -> bytes:
    legs = [
        pb.LegSummary(leg="agent", scores=0, speech=duration(1000)),
        pb.LegSummary(leg="customer", scores=scores, speech=duration(4000)),
    ]
    said = pb.CallSummary(duration=duration(10_000), legs=legs)
    return pb.StreamingAnalyzeResponse(summary=said).SerializeToString()


def test_a_score_is_late_by_the_schedule_not_by_when_its_audio_left(load: Load) -> None:
    call = HeardCall(start=BEGAN, events=[(BEGAN + 1.415, score(0, 1500))], status="OK")
    (answer,) = result(load, call, BEGAN).answers
    assert answer.client == pytest.approx(15.0)  # message 14 was due at 1.4 s
    assert replace(answer, client=15.0) == Answer(15.0, 12.0, 1.0, 6.0, 4.0)
    assert answer.transport == pytest.approx(3.0)


def test_skipped_and_unanswered_windows_are_misses(load: Load) -> None:
    events = [
        (BEGAN + 1.42, score(0, 1500)),
        (BEGAN + 2.42, score(2, 2500)),
        (BEGAN + 2.92, score(3, 3000, skipped=True)),
        (BEGAN + 10.1, summary(scores=6)),
    ]
    found = result(load, HeardCall(start=BEGAN, events=events, status="OK"), BEGAN)
    assert len(found.answers) == 2
    assert found.misses == 4  # 3 was skipped; 1, 4 and 5 never came
    assert found.speech == 0.4


def test_what_was_asked_before_or_only_by_the_end_is_not_counted(load: Load) -> None:
    events = [
        (BEGAN + 0.42, score(0, 500)),
        (BEGAN + 4.92, score(1, 5000)),
        (BEGAN + 10.0, score(2, 9980)),
        (BEGAN + 10.1, summary(scores=3)),
    ]
    found = result(load, HeardCall(start=BEGAN, events=events, status="OK"), BEGAN + 1.0)
    assert [answer.client for answer in found.answers] == [pytest.approx(20.0)]
    assert found.misses == 0


def test_a_call_that_broke_off_misses_every_hop_to_its_end(load: Load) -> None:
    call = HeardCall(start=BEGAN, events=[(BEGAN + 1.42, score(0, 1500))], status="UNAVAILABLE")
    found = result(load, call, BEGAN)
    assert len(found.answers) == 1
    assert found.misses == 17  # of 20 half-seconds the first three are behind the score


def test_a_watcher_is_served_when_the_cue_is_there(load: Load) -> None:
    cue = pb.WatchCuesResponse(cue=pb.Cue(decided_offset=duration(2400)))
    heartbeat = pb.WatchCuesResponse(heartbeat=pb.Heartbeat())
    batch = pb.WatchCuesResponse(heartbeat=pb.Heartbeat(), more=[cue, cue])
    watched = [
        (BEGAN + 1.0, heartbeat.SerializeToString()),
        (BEGAN + 2.33, cue.SerializeToString()),
        (BEGAN + 2.35, batch.SerializeToString()),
    ]
    found = result(load, HeardCall(start=BEGAN, watched=watched, status="OK"), BEGAN)
    assert found.watched == pytest.approx([30.0, 50.0, 50.0])
