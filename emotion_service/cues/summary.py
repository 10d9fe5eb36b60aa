"""What a call comes to: who spoke how much, how often and how long which state lasted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emotion_service.types import (
    STATES,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EndReason,
    LegSummary,
    NotScored,
    Party,
    Placement,
    Sound,
    SpeechActivity,
    StateTime,
)

TURNS = tuple(kind for kind in CueKind if kind not in STATES)


@dataclass(frozen=True, slots=True)
class LegEnd:
    """What the call itself knows of a leg as it ends; fields as in LegSummary."""

    leg: str
    party: Party
    placement: Placement
    skipped_windows: int
    not_scored: NotScored | None


class Tally:
    """Counts one call's ordered activities, scores and cues (sequence numbers do not matter)."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}  # of the legs that speak
        self._speech: Counter[str] = Counter()  # samples, without what is still being said
        self._scores: Counter[str] = Counter()
        self._abstained: Counter[str] = Counter()
        self._episodes: Counter[tuple[str, CueKind]] = Counter()
        self._totals: Counter[tuple[str, CueKind]] = Counter()  # samples, of what has ended

    def add(self, event: SpeechActivity | EmotionScore | Cue) -> None:
        if isinstance(event, SpeechActivity):
            self._hear(event)
        elif isinstance(event, EmotionScore):
            self._scores[event.leg] += 1
            self._abstained[event.leg] += event.probabilities is None
        else:
            self._note(event)

    def summary(
        self, duration: int, end_reason: EndReason, model_version: str, legs: Sequence[LegEnd]
    ) -> CallSummary:
        """The whole call of `duration` samples, once every cue has had its offset."""
        spoken = {end.leg: self._spoken(end.leg, duration) for end in legs}
        return CallSummary(
            duration=duration,
            end_reason=end_reason,
            legs=tuple(self._leg(end, spoken) for end in legs),
            states=tuple(time for end in legs for time in self._times(end.leg, STATES)),
            talk_overs=sum(self._episodes[end.leg, CueKind.TALK_OVER] for end in legs),
            model_version=model_version,
            turns=tuple(time for end in legs for time in self._times(end.leg, TURNS)),
        )

    def _hear(self, activity: SpeechActivity) -> None:
        if activity.sound is Sound.SPEECH:
            self._since.setdefault(activity.leg, activity.start)
        elif activity.leg in self._since:
            self._speech[activity.leg] += max(0, activity.start - self._since.pop(activity.leg))

    def _note(self, cue: Cue) -> None:
        if cue.phase is CuePhase.ONSET:
            self._episodes[cue.leg, cue.kind] += 1
        elif cue.phase is CuePhase.OFFSET:
            self._totals[cue.leg, cue.kind] += cue.end - cue.start

    def _spoken(self, leg: str, duration: int) -> int:
        return self._speech[leg] + max(0, duration - self._since.get(leg, duration))

    def _leg(self, end: LegEnd, spoken: dict[str, int]) -> LegSummary:
        speech, everyone = spoken[end.leg], sum(spoken.values())
        return LegSummary(
            leg=end.leg,
            party=end.party,
            speech=speech,
            talk_share=speech / everyone if everyone else 0.0,
            scores=self._scores[end.leg],
            abstained=self._abstained[end.leg],
            skipped_windows=end.skipped_windows,
            not_scored=end.not_scored,
            placement=end.placement,
        )

    def _times(self, leg: str, kinds: Sequence[CueKind]) -> list[StateTime]:
        return [
            StateTime(leg, kind, self._episodes[leg, kind], self._totals[leg, kind])
            for kind in kinds
            if self._episodes[leg, kind]
        ]
