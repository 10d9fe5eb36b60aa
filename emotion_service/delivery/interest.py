"""Which events a watcher wants to hear of, of the calls that its filter admits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from emotion_service.delivery.notice import CallState, Notice
from emotion_service.types import Advice, EmotionScore, SpeechActivity

Interest: TypeAlias = Callable[[Notice], bool]


def everything(notice: Notice) -> bool:
    """Scores and speech activity too."""
    return True


def all_but_scores(notice: Notice) -> bool:
    """Neither scores nor speech activity."""
    return not isinstance(notice.event, EmotionScore | SpeechActivity)


def advice(notice: Notice) -> bool:
    """Advice, and calls that take what stands to another queue, tenant or agent."""
    before, after = notice.audience
    moved = before != after and isinstance(notice.event, CallState) and bool(notice.event.advice)
    return moved or isinstance(notice.event, Advice)
