"""What a call comes to: who spoke how much, how often and how long which state lasted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotion_service.cues.chapters import Chapters, turning_points
from emotion_service.cues.hand_over import Heard, Outline, Waits, hand_over
from emotion_service.types import (
    INFERRED_CUES,
    MANNERS,
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
    Text,
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
        self._ended: defaultdict[tuple[str, CueKind], Waits] = defaultdict(Waits)
        self._chapters: defaultdict[str, Chapters] = defaultdict(Chapters)

    def add(self, event: SpeechActivity | EmotionScore | Cue) -> None:
        if isinstance(event, SpeechActivity):
            self._hear(event)
        elif isinstance(event, EmotionScore):
            self._scores[event.leg] += 1
            self._abstained[event.leg] += event.probabilities is None
        else:
            self._note(event)

    def forget(self, leg: str) -> None:
        """Takes back what was inferred of a leg: its states and manners."""
        for kind in INFERRED_CUES:
            del self._episodes[leg, kind], self._totals[leg, kind]
            self._ended.pop((leg, kind), None)
        self._chapters.pop(leg, None)

    def shares(self, legs: Sequence[str], at: int) -> dict[str, float]:
        """Each leg's part of all speech before `at`."""
        spoken = {leg: self._spoken(leg, at) for leg in legs}
        everyone = sum(spoken.values())
        return {leg: speech / everyone if everyone else 0.0 for leg, speech in spoken.items()}

    def hand_over(
        self,
        at: int,
        end_reason: EndReason | None,
        legs: Sequence[LegEnd],
        states: Mapping[str, Cue],
    ) -> Text:
        """What the next agent should know; `states` that last, `end_reason` None before the end."""
        heard = tuple(self._heard(end, at, states.get(end.leg)) for end in legs)
        silences = sum((self._ended[end.leg, CueKind.DEAD_AIR] for end in legs), Waits())
        return hand_over(Outline(at, end_reason, heard, silences))

    def summary(
        self, duration: int, end_reason: EndReason, model_version: str, legs: Sequence[LegEnd]
    ) -> CallSummary:
        """The whole call of `duration` samples, once every cue has had its offset."""
        shares = self.shares([end.leg for end in legs], duration)
        return CallSummary(
            duration=duration,
            end_reason=end_reason,
            legs=tuple(self._leg(end, duration, shares[end.leg]) for end in legs),
            states=tuple(time for end in legs for time in self._times(end.leg, STATES)),
            talk_overs=sum(self._episodes[end.leg, CueKind.TALK_OVER] for end in legs),
            model_version=model_version,
            turns=tuple(time for end in legs for time in self._times(end.leg, TURNS)),
            turning_points=tuple(
                point
                for end in legs
                for point in turning_points(end.leg, self._chapters[end.leg].told)
            ),
            hand_over=self.hand_over(duration, end_reason, legs, {}),
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
            length = cue.end - cue.start
            self._totals[cue.leg, cue.kind] += length
            self._ended[cue.leg, cue.kind] += Waits(1, length)
            if cue.kind in STATES:
                self._chapters[cue.leg].add(cue.kind, cue.start, cue.end)

    def _spoken(self, leg: str, duration: int) -> int:
        return self._speech[leg] + max(0, duration - self._since.get(leg, duration))

    def _heard(self, end: LegEnd, at: int, state: Cue | None) -> Heard:
        ended = self._chapters[end.leg]
        return Heard(
            party=end.party,
            speech=self._spoken(end.leg, at),
            not_scored=end.not_scored,
            chapters=ended.with_current(state.kind, state.start, at) if state else ended.told,
            manners=tuple(kind for kind in MANNERS if self._episodes[end.leg, kind]),
            broke_in=self._episodes[end.leg, CueKind.TALK_OVER],
            slow_replies=self._ended[end.leg, CueKind.SLOW_REPLY],
        )

    def _leg(self, end: LegEnd, duration: int, share: float) -> LegSummary:
        return LegSummary(
            leg=end.leg,
            party=end.party,
            speech=self._spoken(end.leg, duration),
            talk_share=share,
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
