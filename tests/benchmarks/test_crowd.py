"""What a call sends for its fate, and what is counted of what it heard."""

from __future__ import annotations

import pytest

from benchmarks.churn import Fate
from benchmarks.crowd import Tally, spoilt
from benchmarks.load import HeardCall
from emotion_service.v1 import emotion_service_pb2 as pb

AUDIO = [bytes([number]) for number in range(10)]


@pytest.mark.parametrize("fate", [Fate.COMPLETED, Fate.CANCELLED])
def test_a_call_that_completes_or_hangs_up_sends_audio_only(fate: Fate) -> None:
    assert list(spoilt(iter(AUDIO), 10, fate)) == AUDIO


def test_consent_is_withdrawn_half_way() -> None:
    sent = list(spoilt(iter(AUDIO), 10, Fate.WITHDRAWN))
    assert sent[:5] + sent[6:] == AUDIO[:5] + AUDIO[6:]
    request = pb.StreamingAnalyzeRequest.FromString(sent[5])
    assert request.update == pb.CallUpdate(consent=pb.CONSENT_WITHDRAWN)


@pytest.mark.parametrize("fate", [Fate.GARBAGE, Fate.WRONG_UPDATE])
def test_what_is_refused_comes_last(fate: Fate) -> None:
    sent = list(spoilt(iter(AUDIO), 10, fate))
    assert sent[:9] == AUDIO[:9]
    if fate is Fate.WRONG_UPDATE:
        request = pb.StreamingAnalyzeRequest.FromString(sent[9])
        assert request == pb.StreamingAnalyzeRequest(update=pb.CallUpdate())
    else:
        with pytest.raises(Exception, match="Error parsing message"):
            pb.StreamingAnalyzeRequest.FromString(sent[9])


def heard(*events: pb.StreamingAnalyzeResponse, status: str = "OK") -> HeardCall:
    said = [(0.0, event.SerializeToString()) for event in events]
    return HeardCall(accepted=True, events=said, status=status)


def score(within_budget: bool = True, skipped: bool = False) -> pb.StreamingAnalyzeResponse:
    reason = pb.ABSTAIN_REASON_OVERLOADED if skipped else pb.ABSTAIN_REASON_UNSPECIFIED
    said = pb.Score(within_budget=within_budget, abstain_reason=reason)
    return pb.StreamingAnalyzeResponse(score=said)


def summary(scores: int) -> pb.StreamingAnalyzeResponse:
    said = pb.CallSummary(legs=[pb.LegSummary(scores=scores), pb.LegSummary()])
    return pb.StreamingAnalyzeResponse(summary=said)


def test_skipped_and_unanswered_windows_are_misses() -> None:
    tally = Tally()
    late, skipped = score(within_budget=False), score(within_budget=False, skipped=True)
    tally.hear(heard(score(), late, skipped, summary(scores=5)), Fate.COMPLETED)
    tally.hear(heard(score(), status="CANCELLED"), Fate.CANCELLED)
    assert (tally.scores, tally.over_budget, tally.misses) == (4, 1, 1 + 2)
    assert tally.ended == {Fate.COMPLETED: 1, Fate.CANCELLED: 1}
    assert not tally.unexpected


def test_a_call_that_ends_otherwise_is_told() -> None:
    tally = Tally()
    tally.hear(heard(status="INTERNAL"), Fate.GARBAGE)
    assert tally.unexpected == {"GARBAGE ended INTERNAL": 1}
    assert not tally.ended
