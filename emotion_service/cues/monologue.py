"""Monologues: one leg speaks and speaks, and no other gets a word in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from emotion_service.cues.turns import SHORTEST_TALK_OVER
from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

# No norm says how long is too long: a minute of speech is some 150 words without an answer.
MONOLOGUE = 480_000  # samples of one leg's speech, pauses left out
PAUSE = 16_000  # whoever is silent for 2 s has stopped: others could have begun
WORD = SHORTEST_TALK_OVER  # what others say in less is a back-channel, and ends nothing
# Nobody speaks for 30 s without a pause of 300 ms, to breathe: what goes on after that is music or
# a tone that was taken for speech, and does not count.
BREATH = 240_000


@dataclass(slots=True)
class _Run:
    """What a leg has said, `spans` of samples, and what it says `since`."""

    spans: list[tuple[int, int]]
    since: int | None
    told: bool = False
    full: int | None = field(init=False)  # where it is a monologue, if it goes on

    def __post_init__(self) -> None:
        self._fill()

    @property
    def start(self) -> int:
        return self.before(0)[0][0]  # of no length

    @property
    def stopped(self) -> int | None:
        """Where it fell silent; None while it speaks."""
        return self.spans[-1][1] if self.since is None else None

    def speak(self, at: int) -> None:
        self.since = at
        self._fill()

    def stop(self, at: int) -> None:
        if self.since is not None:
            self.spans.append((self.since, max(at, self.since)))
            self.since = None
            self._fill()

    def before(self, at: int) -> list[tuple[int, int]]:
        """The spans up to there; an empty one where there are none."""
        spans = self.spans if self.since is None else [*self.spans, (self.since, at)]
        said = [(start, min(end, at)) for start, end in spans if start < at]
        return said or [(spans[0][0], spans[0][0])]

    def _fill(self) -> None:
        missing = MONOLOGUE
        for start, end in self.spans:
            if min(end - start, BREATH) >= missing:
                self.full = start + missing
                return
            missing -= min(end - start, BREATH)
        self.full = None
        if self.since is not None and missing <= BREATH:
            self.full = self.since + missing


class _Due(NamedTuple):
    """At this time something is settled of a leg, by its number."""

    at: int
    what: int
    number: int


_SAID_A_WORD, _IS_A_MONOLOGUE, _HAS_STOPPED = range(3)


class Monologues:
    """One call's monologues, whoever's: a bot's prompt counts as well, for it is as long to hear.

    A leg's speech adds up until it pauses for 2 s, or another leg begins to say something of 400 ms
    or more; if it talks on regardless, that counts anew from where the other has finished.
    `hangover` and `lag`: the most samples by which `SpeechActivity.decided` trails the `start` of
    what is not speech, and of what is. An onset waits until it is known of whatever began before
    it whether it was a back-channel.
    """

    def __init__(self, legs: Sequence[str], hangover: int, lag: int) -> None:
        self._legs = tuple(legs)
        self._word_after = WORD + hangover
        self._pause_after = PAUSE + lag
        self._runs: dict[str, _Run] = {}
        self._since: dict[str, int] = {}  # of the legs that speak
        self._words: dict[str, int] = {}  # the same, while it may yet be a back-channel
        self._silenced: dict[str, set[str]] = {}  # by who broke in: whoever talks on

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to settle, if nothing else happens."""
        return min((due.at for due in self._dues()), default=None)

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """What follows from an activity; first what fell due before it was decided."""
        cues = self.advance(activity.decided)
        if activity.sound is Sound.SPEECH:
            return cues + self._speak(activity.leg, activity.start, activity.decided)
        return cues + self._stop(activity.leg, activity.start, activity.decided)

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: all activities decided up to `upto` are known."""
        cues: list[Cue] = []
        while (due := min(self._dues(), default=None)) is not None and due.at <= upto:
            cues += self._settle(due)
        return cues

    def close(self, end: int) -> list[Cue]:
        """The call ended, and with it everything that was being said."""
        cues = self.advance(end)
        for leg in self._legs:
            cues += self._stop(leg, end, end)
        return cues + [cue for leg in self._legs for cue in self._end(leg, end, end)]

    def _dues(self) -> Iterator[_Due]:
        for number, leg in enumerate(self._legs):
            if leg in self._words:
                yield _Due(self._words[leg] + self._word_after, _SAID_A_WORD, number)
            run = self._runs.get(leg)
            if run is not None and run.full is not None and not run.told:
                yield _Due(run.full + self._word_after, _IS_A_MONOLOGUE, number)
            if run is not None and run.stopped is not None:
                yield _Due(run.stopped + self._pause_after, _HAS_STOPPED, number)

    def _settle(self, due: _Due) -> list[Cue]:
        leg = self._legs[due.number]
        if due.what == _SAID_A_WORD:
            return self._break_in(leg, due.at)
        if due.what == _HAS_STOPPED:
            return self._end(leg, due.at, due.at)
        return [self._onset(leg, self._runs[leg], due.at)]

    def _speak(self, leg: str, at: int, decided: int) -> list[Cue]:
        if leg in self._since:
            return []
        self._since[leg] = self._words[leg] = at
        run = self._runs.get(leg)
        paused = run is not None and run.stopped is not None and at - run.stopped >= PAUSE
        cues = self._end(leg, at, decided) if paused else []
        if leg in self._runs:
            self._runs[leg].speak(at)
        else:
            self._runs[leg] = _Run([], at)
        return cues

    def _stop(self, leg: str, at: int, decided: int) -> list[Cue]:
        if leg not in self._since:
            return []
        if leg in self._runs:
            self._runs[leg].stop(at)
        word = leg in self._words and at - self._words[leg] >= WORD
        cues = self._break_in(leg, decided) if word else []
        self._words.pop(leg, None)
        del self._since[leg]
        self._let_speak(leg, at)
        return cues

    def _break_in(self, leg: str, decided: int) -> list[Cue]:
        """The leg has got a word in: the runs that began before it end there."""
        at, cues = self._words.pop(leg), list[Cue]()
        mine = at, self._legs.index(leg)
        for number, other in enumerate(self._legs):
            if other != leg and other in self._runs and (self._runs[other].start, number) < mine:
                cues += self._end(other, at, decided)
            if other != leg and (self._since.get(other, at + 1), number) < mine:
                self._silenced.setdefault(leg, set()).add(other)
        return cues

    def _let_speak(self, leg: str, at: int) -> None:
        """The leg has finished: whoever talked on regardless is heard again."""
        heard = self._silenced.pop(leg, set())
        for silenced in self._silenced.values():
            silenced.discard(leg)
            heard -= silenced
        for other in heard & self._since.keys():
            self._runs[other] = _Run([], max(at, self._since[other]))

    def _end(self, leg: str, at: int, decided: int) -> list[Cue]:
        """The leg's run, as far as it was heard up to `at`."""
        run, cues = self._runs.pop(leg, None), list[Cue]()
        if run is None:
            return cues
        if not run.told and run.full is not None and run.full <= at:
            cues.append(self._onset(leg, run, decided))
        if run.told:
            said = run.before(at)
            spoken = sum(min(end - start, BREATH) for start, end in said)
            cues.append(_cue(leg, CuePhase.OFFSET, said[0][0], said[-1][1], decided, spoken))
        return cues

    def _onset(self, leg: str, run: _Run, decided: int) -> Cue:
        assert run.full is not None
        run.told = True
        start = run.before(run.full)[0][0]
        return _cue(leg, CuePhase.ONSET, start, run.full, decided, MONOLOGUE)


def _cue(leg: str, phase: CuePhase, start: int, end: int, decided: int, spoken: int) -> Cue:
    return Cue(leg, 0, CueKind.MONOLOGUE, phase, start, end, decided, 1.0, evidence=spoken)
