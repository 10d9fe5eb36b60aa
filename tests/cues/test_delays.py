"""Cues depend on the call's own time alone: any delay of the scores gives the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.cues.course import Listener
from emotion_service.cues.holds import Holds
from emotion_service.cues.monologue import Monologues
from emotion_service.cues.pace import FastPaces, PaceRules
from emotion_service.cues.replies import SlowReplies
from emotion_service.cues.silence import DeadAir
from emotion_service.cues.states import Mood
from emotion_service.cues.timeline import PATIENCE, Hold, Moment, TimedEvent, Timeline
from emotion_service.cues.turns import Turns
from emotion_service.types import (
    Abstain,
    Consent,
    Cue,
    EmotionScore,
    Indices,
    Pace,
    Party,
    Permit,
    Probabilities,
    Quality,
    Sound,
    SpeechActivity,
)

LEGS = ("customer", "agent")
HANGOVER, LAG = 2400, 800
SHORT = PaceRules(fast=4.0, rise=1.0, speech=2000, usual=2000, silence=8000)
SOUNDS = (Sound.SPEECH, Sound.SILENCE, Sound.SPEECH, Sound.MUSIC)
OPINIONS = (
    Probabilities(0.9, 0.05, 0.025, 0.025),
    Probabilities(0.025, 0.025, 0.05, 0.9),
    Probabilities(0.25, 0.25, 0.25, 0.25),
    None,
)


def activity(leg: str, decided: int, sequence: int) -> SpeechActivity:
    """Its sound varies with its time."""
    sound = SOUNDS[decided // 2 % 4]
    return SpeechActivity(leg, sequence, sound, max(0, decided - 480), decided)


def score(leg: str, end: int, sequence: int) -> EmotionScore:
    """Its opinion varies with its time."""
    probabilities = OPINIONS[end // 3 % 4]
    return EmotionScore(
        permit=Permit(leg, Party.CUSTOMER, True, Consent.GRANTED),
        sequence=sequence,
        start=max(0, end - 16_000),
        end=end,
        evidence=8000,
        quality=Quality(),
        model_version="test",
        probabilities=probabilities,
        indices=Indices(0.5, 0.5) if probabilities else None,
        provisional=False,
        abstain=None if probabilities else Abstain.AUDIO_LOST,
        reasons=(),
    )


@dataclass(frozen=True)
class Push:
    """One message: the leg is decided `step` samples further; it holds these events."""

    leg: int
    step: int
    activities: tuple[int, ...]  # back from the new decided position
    window: int | None  # back from the new decided position
    dropped: bool
    syllables: int | None  # of a second that ends there
    hold: bool | None  # is put on hold there, or no longer is


def pushes(longest: int) -> st.SearchStrategy[list[Push]]:
    back = st.integers(0, min(longest, 6000))
    push = st.builds(
        Push,
        leg=st.integers(0, 1),
        step=st.integers(1, longest),
        activities=st.lists(back, max_size=3).map(tuple),
        window=st.none() | back,
        dropped=st.booleans(),
        syllables=st.none() | st.integers(0, 8),
        hold=st.none() | st.booleans(),
    )
    return st.lists(push, max_size=25)


class Replay:
    """Plays the same messages; scores come back at random, or at once."""

    def __init__(self, late_scores: Random | None) -> None:
        self.timeline = Timeline(LEGS)
        self.released: list[Moment] = []
        self.added: list[TimedEvent] = []
        self._random = late_scores
        self._decided = [0, 0]
        self._pending: list[tuple[EmotionScore, bool]] = []
        self._sequence = 0
        self.cues: list[Cue] = []
        self._paces, self._holds = FastPaces(LEGS, SHORT), Holds()
        self._listeners: tuple[Listener, ...] = (
            Turns(LEGS, HANGOVER),
            DeadAir(LEGS, LAG),
            SlowReplies(LEGS),
            Monologues(LEGS, HANGOVER, LAG),
            self._paces,
        )
        self._moods = {leg: Mood() for leg in LEGS}

    def play(self, messages: list[Push], keep_in_step: bool) -> None:
        for message in messages:
            behind = 0 if self._decided[0] <= self._decided[1] else 1
            self._push(behind if keep_in_step else message.leg, message)
            self._take(self.timeline.advance())
            self._resolve(some=True)
        self._resolve(some=False)
        self._take(self.timeline.flush())

    def _push(self, leg: int, message: Push) -> None:
        before = self._decided[leg]
        decided = before + message.step
        self._decided[leg] = decided
        for back in sorted(message.activities, reverse=True):
            self._add(activity(LEGS[leg], max(before + 1, decided - back), self._sequence))
        if message.window is not None:
            end = max(before + 1, decided - message.window)
            self.timeline.expect(LEGS[leg], end)
            self._pending.append((score(LEGS[leg], end, self._sequence), message.dropped))
        if message.syllables is not None:
            self._add(Pace(LEGS[leg], max(0, decided - 8000), decided, message.syllables, 8000))
        self.timeline.decided(LEGS[leg], decided)
        if message.hold is not None:
            self._add(Hold(LEGS[leg], self._sequence, decided, message.hold))

    def _resolve(self, some: bool) -> None:
        count = len(self._pending)
        if self._random is not None:
            self._random.shuffle(self._pending)
            count = self._random.randint(0, count) if some else count
        for _ in range(count):
            finished, dropped = self._pending.pop()
            self.timeline.resolved(finished.leg, finished.end)
            if not dropped:
                self._add(finished)
            self._take(self.timeline.advance())

    def _add(self, event: TimedEvent) -> None:
        self._sequence += 1
        self.added.append(event)
        self.timeline.add(event)

    def _take(self, moments: list[Moment]) -> None:
        self.released += moments
        for at, event in moments:
            self._pass(at)
            match event:
                case SpeechActivity():
                    self._hear(self._holds.hear(event))
                case Hold():
                    self._hear(self._holds.turn(event))
                case Pace():
                    self.cues += self._paces.observe(event)
                case EmotionScore():
                    self.cues += self._moods[event.leg].observe(event)
        self._pass(self.timeline.frontier)

    def _hear(self, activities: list[SpeechActivity]) -> None:
        for heard in activities:
            for listener in self._listeners:
                self.cues += listener.add(heard)

    def _pass(self, upto: int) -> None:
        """Tells everyone of the time in the order in which they have something to say."""
        while True:
            dues = [listener.due for listener in self._listeners]
            dues += [mood.due for mood in self._moods.values()]
            due = min((due for due in dues if due is not None), default=upto + 1)
            if due > upto:
                break
            self._tell(due)
        self._tell(upto)

    def _tell(self, time: int) -> None:
        for listener in self._listeners:
            self.cues += listener.advance(time)
        for mood in self._moods.values():
            self.cues += mood.quiet(time)


def time_of(event: TimedEvent) -> int:
    match event:
        case SpeechActivity():
            return event.decided
        case Hold():
            return event.at + 1
    return event.end


def identity(event: TimedEvent) -> tuple[str, str, int]:
    """Sequence numbers differ with the order of adding; time and leg do not."""
    return (type(event).__name__, event.leg, time_of(event))


def order(event: TimedEvent) -> tuple[int, int, int, int]:
    rank = [EmotionScore, SpeechActivity, Hold, Pace].index(type(event))
    number = 0 if isinstance(event, Pace) else event.sequence
    return (time_of(event), LEGS.index(event.leg), rank, number)


@settings(max_examples=50, deadline=None)
@given(pushes(60_000), st.randoms(use_true_random=False))
def test_random_delays_of_scores_change_nothing(messages: list[Push], delays: Random) -> None:
    at_once, delayed = Replay(None), Replay(delays)
    at_once.play(messages, keep_in_step=False)
    delayed.play(messages, keep_in_step=False)
    assert [(at, identity(event)) for at, event in at_once.released] == [
        (at, identity(event)) for at, event in delayed.released
    ]
    assert at_once.timeline.late == delayed.timeline.late
    assert at_once.cues == delayed.cues


@settings(max_examples=50, deadline=None)
@given(pushes(6000), st.randoms(use_true_random=False))
def test_nothing_is_lost_or_doubled_and_time_never_goes_back(
    messages: list[Push], delays: Random
) -> None:
    replay = Replay(delays)
    replay.play(messages, keep_in_step=False)
    assert sorted(id(event) for event in replay.added) == sorted(
        id(event) for _, event in replay.released
    )
    times = [at for at, _ in replay.released]
    assert times == sorted(times)


@settings(max_examples=50, deadline=None)
@given(pushes(PATIENCE), st.randoms(use_true_random=False))
def test_legs_in_step_come_out_sorted_by_their_own_time(
    messages: list[Push], delays: Random
) -> None:
    replay = Replay(delays)
    replay.play(messages, keep_in_step=True)
    released = [event for _, event in replay.released]
    assert [at for at, _ in replay.released] == [time_of(event) for event in released]
    assert released == sorted(released, key=order)
    assert replay.timeline.late == 0
