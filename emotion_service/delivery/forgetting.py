"""What may still be told of a call once its customer has objected: how long it was, who spoke."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from emotion_service.delivery.notice import CallState, Published
from emotion_service.types import (
    INFERRED_CUES,
    NO_TEXT,
    Advice,
    CallSummary,
    Cue,
    EmotionScore,
    Feedback,
    Trend,
)


def without_moods(state: CallState) -> CallState:
    """A call as it stood, and nothing of its customer's voice."""
    return replace(
        state,
        legs=(),
        summary=None if state.summary is None else _without_moods(state.summary),
        trend=None,
        advice=(),
        hand_over=NO_TEXT,
        earlier=(),
    )


def kept(event: Published, standing: Collection[str]) -> Published | None:
    """What is left of an event from before the objection; None: nothing. Of advice, that by the
    rules that still stand: what rested on the voice has ended."""
    match event:
        case EmotionScore() | Trend() | Feedback():
            return None
        case Cue():
            return None if event.kind in INFERRED_CUES else event
        case Advice():
            return event if event.rule in standing else None
        case CallState():
            return without_moods(event)
        case CallSummary():
            return _without_moods(event)
    return event


def _without_moods(summary: CallSummary) -> CallSummary:
    turns = tuple(turn for turn in summary.turns if turn.kind not in INFERRED_CUES)
    return replace(summary, states=(), turns=turns, turning_points=(), hand_over=NO_TEXT)
