"""What is known of one streamed call at this moment, folded from the service's messages.

`CallView.take` is the only thing that changes it; terminal.py draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from emotion_service.console.truth import Truth
from emotion_service.console.wording import NOT_SCORED, STATES, placement, seconds, word
from emotion_service.v1 import emotion_service_pb2 as pb


@dataclass(slots=True)
class Stretch:
    """`label` holds from `start` to `end`, in seconds; without an end it goes on."""

    label: str
    start: float
    end: float | None = None


@dataclass(slots=True)
class LegView:
    """One leg. `states` never overlap, nor do `sounds`; both are in the order of time."""

    leg: str
    party: str
    truth: list[Stretch] = field(default_factory=list)
    sounds: list[Stretch] = field(default_factory=list)
    states: list[Stretch] = field(default_factory=list)
    cue: pb.Cue | None = None  # the state it is in
    beside: dict[int, pb.Cue] = field(default_factory=dict)  # by kind: what lasts beside it
    not_scored: str = ""  # why, in words
    evidence_seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    over_budget: int = 0
    quality: pb.Quality = field(default_factory=pb.Quality)
    placement: str = ""

    @property
    def sound(self) -> str:
        return self.sounds[-1].label if self.sounds else ""


@dataclass(frozen=True, slots=True)
class Told:
    """A cue that began beside the states, of `leg` from `start` on."""

    label: str
    leg: str
    start: float


@dataclass(slots=True)
class CallView:
    """The call so far; `elapsed` and `total` are seconds of audio, sent and to be sent."""

    total: float
    legs: dict[str, LegView]
    remark: str = ""
    elapsed: float = 0.0
    ready: pb.Ready = field(default_factory=pb.Ready)
    told: list[Told] = field(default_factory=list)
    advice: dict[str, pb.Advice] = field(default_factory=dict)  # by rule: what stands
    stopping: bool = False  # the server asked to reconnect

    def take(self, response: pb.StreamingAnalyzeResponse) -> None:
        """Folds one message in."""
        match response.WhichOneof("response"):
            case "activity":
                self._hear(response.activity)
            case "score":
                self._score(response.score)
            case "cue":
                self._cue(response.cue)
            case "advice":
                self._advise(response.advice)
            case "status":
                self._status(response.status)
            case "summary":
                for leg in response.summary.legs:
                    self.legs[leg.leg].placement = placement(leg.placement)

    def _hear(self, activity: pb.SpeechActivity) -> None:
        sounds = self.legs[activity.leg].sounds
        _turn_to(sounds, word(pb.Sound, activity.sound), seconds(activity.start_offset))

    def _score(self, score: pb.Score) -> None:
        leg = self.legs[score.leg]
        leg.evidence_seconds = score.evidence_seconds
        leg.quality = score.quality
        if score.HasField("latency"):
            leg.latencies_ms.append(score.latency.total_ms)
            leg.over_budget += not score.within_budget

    def _cue(self, cue: pb.Cue) -> None:
        leg, label = self.legs[cue.leg], word(pb.CueKind, cue.kind)
        begins, ends = cue.phase == pb.CUE_PHASE_ONSET, cue.phase == pb.CUE_PHASE_OFFSET
        if cue.kind not in STATES:
            leg.beside[cue.kind] = cue
            if begins:
                self.told.append(Told(label, cue.leg, seconds(cue.start_offset)))
            if ends:
                leg.beside.pop(cue.kind, None)
            return
        if ends:
            _end(leg.states, label, seconds(cue.end_offset))
            leg.cue = None if leg.cue is not None and leg.cue.kind == cue.kind else leg.cue
            return
        leg.cue = cue
        if begins:
            _turn_to(leg.states, label, seconds(cue.start_offset))

    def _advise(self, advice: pb.Advice) -> None:
        self.advice.pop(advice.rule, None)
        if advice.phase != pb.ADVICE_PHASE_ENDED:
            self.advice[advice.rule] = advice

    def _status(self, status: pb.Status) -> None:
        match status.WhichOneof("status"):
            case "ready":
                self.ready = status.ready
            case "not_scored":
                leg = self.legs[status.not_scored.leg]
                leg.not_scored = NOT_SCORED.get(status.not_scored.reason, "unknown reason")
            case "reconnect":
                self.stopping = True


def new_view(config: pb.CallConfig, total: float, truth: Truth | None) -> CallView:
    """The view of a call that is about to begin, `total` seconds long."""
    legs = {leg.leg: LegView(leg.leg, word(pb.Party, leg.party)) for leg in config.legs}
    for segment in truth.segments if truth is not None else ():
        if segment.leg in legs and segment.label:
            stretch = Stretch(segment.label, segment.start, segment.end)
            legs[segment.leg].truth.append(stretch)
    return CallView(total, legs, remark=truth.remark() if truth is not None else "")


def shares(stretches: Sequence[Stretch], start: float, end: float, now: float) -> dict[str, float]:
    """How many seconds of [start, end) each label holds; what goes on lasts until `now`."""
    found: dict[str, float] = {}
    for stretch in reversed(stretches):
        last = now if stretch.end is None else stretch.end
        overlap = min(end, last) - max(start, stretch.start)
        if overlap > 0:
            found[stretch.label] = found.get(stretch.label, 0.0) + overlap
        if last < start:
            break
    return found


def quantile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least `fraction` of them do not exceed (nearest rank)."""
    return sorted(values)[max(0, ceil(fraction * len(values)) - 1)]


def _turn_to(stretches: list[Stretch], label: str, start: float) -> None:
    if stretches and (stretches[-1].end is None or stretches[-1].end > start):
        stretches[-1].end = start
    stretches.append(Stretch(label, start))


def _end(stretches: list[Stretch], label: str, end: float) -> None:
    if stretches and stretches[-1].label == label:
        stretches[-1].end = end
