"""One call: the only place where the stages meet. No clock, no tasks: messages in, events out.

events = call.push(audio)            # what the audio settled
for request in call.take_requests():  # windows to score, in any batch, at any time
    ... call.resolve(score) ...       # a score comes back, and with it what it settles
call.finish() ... call.close()        # the end: flush, then the summary
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from emotion_service.audio.activity import RUN_BLOCKS
from emotion_service.audio.codecs import badly_interleaved
from emotion_service.calls.leg import Grant, Leg, Progress, hear
from emotion_service.calls.scorer import Scorer, skipped
from emotion_service.cues.course import Course
from emotion_service.cues.summary import LegEnd
from emotion_service.cues.timeline import PATIENCE
from emotion_service.errors import BadInput
from emotion_service.routing.advisor import Advisor
from emotion_service.routing.ruleset import NO_RULES, RuleSet
from emotion_service.scoring.request import ScoringRequest
from emotion_service.trust.consent import decide
from emotion_service.types import (
    BLOCK,
    Advice,
    AttributeChange,
    CallConfig,
    CallEvent,
    CallUpdate,
    Consent,
    ConsentChange,
    Cue,
    DisclosureChange,
    DtmfDigit,
    EmotionScore,
    EncodedAudio,
    EndReason,
    EndReasonChange,
    FloatArray,
    LineChange,
    LineState,
    NotScored,
    Pacing,
    Party,
    PartyChange,
    Permit,
    Placement,
    ScoringStatus,
    Sound,
    SpeechActivity,
    Text,
    Trend,
)

BEHIND = 4000  # samples (500 ms) of audio since a live leg's oldest unscored window was asked for
OBJECTED = (Consent.WITHDRAWN, Consent.REFUSED)
HANGOVER = RUN_BLOCKS[Sound.SILENCE] * BLOCK
LAG = max(run for sound, run in RUN_BLOCKS.items() if sound is not Sound.SILENCE) * BLOCK


@dataclass(frozen=True, slots=True)
class LegStatus:
    """A leg as a snapshot shows it."""

    leg: str
    party: Party
    sound: Sound
    not_scored: NotScored | None
    cue: Cue | None
    placement: Placement
    further: tuple[Cue, ...]


class Call:
    """The state of one call, owned by its stream."""

    def __init__(self, config: CallConfig, scorer: Scorer, rules: RuleSet = NO_RULES) -> None:
        self.config = config
        self.end_reason = EndReason.UNSPECIFIED
        self._scorer = scorer
        self._disclosed, self._consent = config.disclosure_given, config.consent
        names = [leg.leg for leg in config.legs]
        self._legs = {leg.leg: Leg(leg) for leg in config.legs}
        self._alike = (
            len(
                {(leg.encoding.lower(), leg.sample_rate_hertz, leg.channels) for leg in config.legs}
            )
            == 1
        )
        self._refused: dict[str, NotScored] = {}
        self._course = Course(names, HANGOVER, LAG)
        self._advisor = Advisor(rules, config)
        self._requests: list[ScoringRequest] = []
        self._asked: dict[tuple[str, int], int] = {}  # unscored windows: audio heard when asked
        self._score_sequence: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

    # --- what the stream sees ---

    @property
    def pending(self) -> int:
        """Windows requested and not yet resolved."""
        return len(self._asked)

    @property
    def elapsed(self) -> int:
        """Samples decided on the leg that is furthest."""
        return max(leg.at for leg in self._legs.values())

    @property
    def received(self) -> int:
        """Samples that have come on the leg that is furthest, heard or not."""
        return max(leg.received for leg in self._legs.values())

    @property
    def trend(self) -> Trend | None:
        """The latest."""
        return self._course.trend

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What stands."""
        return self._advisor.standing

    @property
    def hand_over(self) -> Text:
        """What the next agent should know, as of now."""
        return self._course.hand_over(self.elapsed, self._leg_ends())

    def start(self) -> list[CallEvent]:
        """Says of each leg whether it is scored."""
        return [event for leg in self._legs for event in self._permit(leg)]

    def push(self, audio: EncodedAudio) -> list[CallEvent]:
        """A message of audio: `receive`, `hear` and `progress` in one.

        Raises:
            BadInput: see receive.
        """
        names = self.receive(audio)
        hear(self.legs(names))
        return self.progress(names)

    def receive(self, audio: EncodedAudio) -> list[str]:
        """Decodes and places a message of audio; the legs it is for.

        Raises:
            BadInput: of an undeclared leg, not decodable as declared, or implausibly placed.
        """
        reached = self.received
        if audio.leg:
            leg = self._leg(audio.leg)
            leg.receive(audio.data, audio.offset_seconds, audio.sequence, reached)
            return [audio.leg]
        for leg, samples in zip(self._legs.values(), self._split(audio.data), strict=True):
            leg.place(samples, audio.offset_seconds, audio.sequence, reached)
        return list(self._legs)

    def legs(self, names: Iterable[str]) -> list[Leg]:
        """To be heard."""
        return [self._legs[name] for name in names]

    def progress(self, names: Iterable[str]) -> list[CallEvent]:
        """What follows from what these legs have heard."""
        events: list[CallEvent] = []
        for name in names:
            events += self._progress(name, self._legs[name].progress())
        return [*events, *self._advance()]

    def update(self, change: CallUpdate) -> list[CallEvent]:
        """A change, effective after all audio pushed so far.

        Raises:
            BadInput: it names an undeclared leg, or contradicts an earlier change.
        """
        if not isinstance(change, AttributeChange | EndReasonChange | DtmfDigit):
            for each in self._legs.values():
                each.settle()
        match change:
            case ConsentChange(consent):
                self._consent = consent
            case DisclosureChange(given):
                self._disclosed = given
            case PartyChange(leg, party):
                self._leg(leg).party = party  # another person: another permit, another baseline
                self._advisor.party(self._leg(leg).at, leg, party)
            case LineChange(leg, state):
                self._leg(leg).line = state
                self._course.hold(leg, self._leg(leg).at, state is LineState.ON_HOLD)
            case AttributeChange(name, value):
                self._advisor.attribute(self.elapsed, name, value)
            case EndReasonChange(reason):
                self._end_for(reason)
            case DtmfDigit():
                pass  # the digit was dropped at the door; the tone is heard on the leg
        events = [event for leg in self._legs for event in self._permit(leg)]
        if self._consent in OBJECTED:  # also where another reason had stood against scoring before
            for leg in self._legs:
                self._course.forget(leg)
        return events

    def take_requests(self) -> list[ScoringRequest]:
        """The windows that have become due since the last call."""
        requests, self._requests = self._requests, []
        return requests

    def resolve(self, score: EmotionScore) -> list[CallEvent]:
        """A score came back; it is passed on only if its permit still stands."""
        events = self._settle(score)
        return [*events, *self._advance()]

    def finish(self) -> list[CallEvent]:
        """No more audio will come: decides what is held back. Windows may become due."""
        events: list[CallEvent] = []
        for name, leg in self._legs.items():
            events += self._progress(name, leg.finish())
        events += self._left_behind(at_the_end=True)
        for name in self._legs:
            self._course.decided(name, self.elapsed)
        return [*events, *self._advance()]

    def close(self) -> list[CallEvent]:
        """The end, once nothing is pending: the last cues, then the summary."""
        assert not self._asked, "close() before every window was resolved"
        events = self._advised(self._course.end(self.elapsed))
        events += self._advisor.end(self.elapsed)
        version, ends = self._scorer.model_version, self._leg_ends()
        return [*events, self._course.summary(self.elapsed, self.end_reason, version, ends)]

    def abandon(self) -> list[Advice]:
        """The call broke off: there is nobody left whom advice could help."""
        return self._advisor.end(self.elapsed)

    def placements(self) -> list[Placement]:
        """What became of each leg's audio so far. May be asked from another thread."""
        return [leg.placement for leg in self._legs.values()]

    def leg_states(self) -> list[LegStatus]:
        """Each leg as of now."""
        return [
            LegStatus(
                name,
                leg.party,
                leg.sound,
                self._refused.get(name),
                self._course.state(name),
                leg.placement,
                self._course.further(name),
            )
            for name, leg in self._legs.items()
        ]

    # --- who may be scored ---

    def _permit(self, name: str) -> list[CallEvent]:
        """Decides anew about a leg; says so if the answer changed."""
        leg = self._legs[name]
        mixed = self.config.allow_mixed_for_testing
        answer = decide(name, leg.party, self._disclosed, self._consent, mixed)
        before = leg.grant.permit if leg.grant else self._refused.get(name)
        if answer == before:
            return []
        return self._revoke(name) + self._grant(name, answer)

    def _grant(self, name: str, answer: Permit | NotScored) -> list[CallEvent]:
        if isinstance(answer, NotScored):
            self._refused[name] = answer
            ended = self._advisor.scored(self._legs[name].at, name, answer)
            return [ScoringStatus(name, answer), *ended]
        self._legs[name].allow(answer, self._scorer.new_speaker())
        self._course.open(name, self._legs[name].at)
        self._refused.pop(name, None)
        return [ScoringStatus(name, None), *self._advisor.scored(self._legs[name].at, name, None)]

    def _revoke(self, name: str) -> list[CallEvent]:
        """Forgets the leg's audio and speaker at once; what is on its way will be dropped."""
        leg = self._legs[name]
        leg.grant = None
        self._requests = [r for r in self._requests if r.leg != name]
        for key in [key for key in self._asked if key[0] == name]:
            self._course.resolved(*key)
            del self._asked[key]
        return [*self._course.shut(name, leg.at)]  # the advisor hears of it from _grant, by time

    def _end_for(self, reason: EndReason) -> None:
        before, self.end_reason = self.end_reason, reason
        if before not in (EndReason.UNSPECIFIED, reason):
            raise BadInput(
                "UPDATE_CONTRADICTS",
                f"end_reason was {before.name} and is now {reason.name}: send one, when certain",
            )

    # --- how audio becomes events ---

    def _split(self, data: bytes) -> list[FloatArray]:
        """Interleaved bytes of all legs, decoded in one pass: each leg's samples."""
        if not self._alike:
            raise badly_interleaved(len(data), len(self._legs))
        return next(iter(self._legs.values())).decode_legs(data, len(self._legs))

    def _leg(self, name: str) -> Leg:
        if name not in self._legs:
            raise BadInput(
                "UNDECLARED_LEG",
                f"the message names a leg that the config does not declare; it declares "
                f"{len(self._legs)}: use one of their names",
            )
        return self._legs[name]

    def _progress(self, name: str, progress: Iterable[Progress]) -> list[CallEvent]:
        events: list[CallEvent] = []
        unscored = [heard for (leg, _), heard in self._asked.items() if leg == name]
        asked: list[int] = []
        for step in progress:
            events += self._heard(step.activities)
            for pace in step.paces:
                self._course.add(pace)
            if step.due:
                events += self._due(name, self._is_behind(step.at, unscored))
                asked.append(step.at)
            self._course.decided(name, step.at)
        heard = self._legs[name].at
        self._asked.update({(name, at): heard for at in asked if (name, at) in self._asked})
        return events

    def _heard(self, activities: Iterable[SpeechActivity]) -> Iterable[SpeechActivity]:
        for activity in activities:
            self._course.add(activity)
            self._advisor.hear(activity)
        return activities

    def _is_behind(self, at: int, unscored: list[int]) -> bool:
        """Whether a live leg has heard 500 ms more since an earlier message's unscored window."""
        live = self.config.pacing is Pacing.LIVE
        return live and bool(unscored) and at - min(unscored) > BEHIND

    def _due(self, name: str, behind: bool) -> list[CallEvent]:
        """The window that ends now: asked for, or skipped, or nobody's business."""
        leg = self._legs[name]
        if leg.grant is None:
            return []
        sequence = self._score_sequence[name]
        self._score_sequence[name] += 1
        if behind:
            return [self._skip(leg.grant, leg.at, sequence)]
        self._requests.append(leg.grant.request(leg.at, sequence, self._skipped[name]))
        self._asked[name, leg.at] = leg.at
        self._course.expect(name, leg.at)
        return []

    def _skip(self, grant: Grant, at: int, sequence: int) -> EmotionScore:
        leg = grant.permit.leg
        self._skipped[leg] += 1
        quality, version = grant.quality(self._skipped[leg]), self._scorer.model_version
        score = skipped(grant.permit, sequence, at, grant.evidence(), quality, version)
        self._course.add(score)
        return score

    def _settle(self, score: EmotionScore) -> list[CallEvent]:
        key = (score.leg, score.end)
        grant = self._legs[score.leg].grant
        if self._asked.pop(key, None) is None or grant is None or score.permit is not grant.permit:
            return []
        self._course.resolved(*key)
        self._course.add(score)
        return [replace(score, shifts=())]  # only cues need them, and events are kept for a minute

    def _advance(self) -> list[CallEvent]:
        events = self._left_behind()
        events += self._advised(self._course.advance())
        return [*events, *self._advisor.advance(self._course.frontier)]

    def _left_behind(self, at_the_end: bool = False) -> list[CallEvent]:
        """Who sends no more, or nothing in pauses, is silent once the call has gone on without."""
        elapsed, events = self.elapsed, list[CallEvent]()
        for leg in self._legs.values():
            behind = elapsed - leg.at
            if behind and behind > (0 if at_the_end else PATIENCE + leg.longest_message):
                events += self._heard(leg.fall_silent())
        return events

    def _advised(self, told: Iterable[Cue | Trend]) -> list[CallEvent]:
        """What the course told, each after what the rules had to say before it."""
        return [said for event in told for said in (*self._advisor.observe(event), event)]

    def _leg_ends(self) -> list[LegEnd]:
        return [
            LegEnd(name, leg.party, leg.placement, self._skipped[name], self._refused.get(name))
            for name, leg in self._legs.items()
        ]
