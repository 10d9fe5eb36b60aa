"""The analyze driver: events in their order, whatever the chunks."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.notice import Ready
from emotion_service.errors import BadInput
from emotion_service.fronts.wire import config_from_proto
from emotion_service.offline import analyze
from emotion_service.playback import PlaybackOptions, RecordedCall, open_recording
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.request import ScoredBatch, ScoringRequest
from emotion_service.scoring.speaker import Speaker
from emotion_service.types import (
    CallEvent,
    CallSummary,
    Consent,
    Cue,
    CueKind,
    EmotionScore,
    EncodedAudio,
    Indices,
    NotScored,
    Probabilities,
    ScoringStatus,
    SpeechActivity,
)

CALL = Path(__file__).parents[1] / "examples" / "demo_calls" / "english.flac"


class Angry(Scorer):
    """Hears anger in everything."""

    def __init__(self) -> None:
        self.model_name, self.model_version = "angry", "angry-1"
        self.model_licence, self.model_sha256 = "CC0-1.0", "0" * 64
        self.batches: list[int] = []

    def new_speaker(self) -> Speaker:
        return Speaker({name: Typical(4.0, 2.0) for name in QUANTITIES})

    def score(self, batch: list[ScoringRequest]) -> ScoredBatch:
        self.batches.append(len(batch))
        return ScoredBatch([self._angry(request) for request in batch], 0.0, 0.0)

    def _angry(self, request: ScoringRequest) -> EmotionScore:
        return EmotionScore(
            permit=request.permit,
            sequence=request.sequence,
            start=request.audio.start,
            end=request.end,
            evidence=16000,
            quality=request.quality,
            model_version=self.model_version,
            probabilities=Probabilities(0.9, 0.05, 0.02, 0.03),
            indices=Indices(0.9, 0.1),
            provisional=False,
            abstain=None,
            reasons=(),
        )


def recorded(**options: object) -> RecordedCall:
    told = PlaybackOptions((CALL,), "c1", disclosure_given=True, consent=Consent.GRANTED)
    return open_recording(replace(told, **options))  # type: ignore[arg-type]


def events_of(call: RecordedCall, scorer: Scorer, seconds: float = 14.0) -> list[Ready | CallEvent]:
    """Of the first seconds of the call: 14 are a whole number of chunks of 20, 70 and 1000 ms."""
    chunks = takewhile(lambda chunk: (chunk.offset_seconds or 0.0) < seconds - 1e-6, call.chunks())
    return list(analyze(config_from_proto(call.config), chunks, scorer))


def test_from_ready_to_summary() -> None:
    scorer = Angry()
    events = events_of(recorded(), scorer, seconds=34.0)
    assert events[:3] == [
        Ready("angry-1", "CC0-1.0", 300),
        ScoringStatus("customer", None),
        ScoringStatus("agent", NotScored.NOT_A_CUSTOMER),
    ]
    summary = events[-1]
    assert isinstance(summary, CallSummary)
    assert summary.duration == 34 * 8000
    scores = [event for event in events if isinstance(event, EmotionScore)]
    assert [score.sequence for score in scores] == list(range(len(scoring_batches(scorer))))
    assert summary.legs[0].scores == len(scores)
    assert {score.leg for score in scores} == {"customer"}
    kinds = {event.kind for event in events if isinstance(event, Cue)}
    assert {CueKind.AGITATED, CueKind.TALK_OVER} <= kinds


def scoring_batches(scorer: Angry) -> list[int]:
    assert set(scorer.batches) == {1}
    return scorer.batches


def test_without_consent_nothing_reaches_the_scorer() -> None:
    scorer = Angry()
    events = events_of(recorded(consent=Consent.PENDING), scorer)
    assert scorer.batches == []
    assert ScoringStatus("customer", NotScored.CONSENT_PENDING) in events
    assert any(isinstance(event, SpeechActivity) for event in events)


def by_kind(events: list[Ready | CallEvent]) -> dict[type, list[Ready | CallEvent]]:
    """Kinds may change places when a long message settles several things at once."""
    kinds: dict[type, list[Ready | CallEvent]] = {}
    for event in events:
        kinds.setdefault(type(event), []).append(event)
    return kinds


@pytest.mark.parametrize("chunk_ms", [70, 1000])
def test_chunks_make_no_difference(chunk_ms: int) -> None:
    assert by_kind(events_of(recorded(chunk_ms=chunk_ms), Angry())) == by_kind(
        events_of(recorded(), Angry())
    )


def test_a_call_without_audio_still_ends_in_a_summary() -> None:
    events = events_of(recorded(), Angry(), seconds=0.0)
    assert isinstance(events[-1], CallSummary)
    assert events[-1].duration == 0


def test_what_a_server_would_refuse() -> None:
    with pytest.raises(BadInput) as refused:
        list(analyze(config_from_proto(recorded().config), [EncodedAudio("x", b"")], Angry()))
    assert refused.value.reason == "UNDECLARED_LEG"
