"""Fast pace: a leg speaks fast, and faster than it does elsewhere in the call."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    Cue,
    CueKind,
    CuePhase,
    Pace,
    Reason,
    SpeechActivity,
)


@dataclass(frozen=True, slots=True)
class PaceRules:
    """When a pace is fast. Lengths in samples, paces in syllables a second of speech as
    `audio.pace` counts them; it is entered at `fast` and `rise`, and left below `exit_` or
    `exit_rise`.

    Conversation is held at 5 to 6 (Pellegrino et al., Language 87, 2011: German 6.0, English 6.2
    when read). Over 6 s a speaker's pace varies by 8 % about their own mean (emodb, nemo and
    ravdess); over 8 s `rise` is three of these.
    """

    fast: float = 6.5
    rise: float = 1.2  # times the leg's own usual
    exit_: float = 6.0
    exit_rise: float = 1.05
    speech: int = 64_000  # over which the pace is taken (8 s) ...
    span: int = 160_000  # ... and which must lie within so much time (20 s)
    usual: int = 80_000  # speech before that, to know what is usual (10 s)
    silence: int = 80_000  # without speech for longer, the pace is forgotten (10 s)
    deviation: float = 0.5  # syllables a second: 8 % of 6


DEFAULT_PACE = PaceRules()


@dataclass(slots=True)
class _Count:
    syllables: int = 0
    speech: int = 0

    def add(self, pace: Pace, sign: int = 1) -> None:
        self.syllables += sign * pace.syllables
        self.speech += sign * pace.speech

    @property
    def rate(self) -> float:
        return self.syllables * SAMPLE_RATE_HERTZ / self.speech if self.speech else 0.0


@dataclass(slots=True)
class _Leg:
    """The seconds of late, and all before them; `since`: the start of the fast pace, if it is."""

    window: deque[Pace] = field(default_factory=deque)
    lately: _Count = field(default_factory=_Count)
    before: _Count = field(default_factory=_Count)
    since: int | None = None

    def add(self, pace: Pace, rules: PaceRules) -> None:
        self.window.append(pace)
        self.lately.add(pace)
        while self._is_past(self.window[0], pace.end, rules):
            self.forget()

    def _is_past(self, first: Pace, now: int, rules: PaceRules) -> bool:
        enough = self.lately.speech - first.speech >= rules.speech
        return enough or now - first.start > rules.span

    def forget(self) -> None:
        past = self.window.popleft()
        self.lately.add(past, -1)
        self.before.add(past)


class FastPaces:
    """One call's cues of fast pace, told once a second of a leg's speech.

    A mean over seconds has no sharp beginning: `start` is that of the first second of the window
    that was fast.
    """

    def __init__(self, legs: Sequence[str], rules: PaceRules = DEFAULT_PACE) -> None:
        self._rules = rules
        self._legs = {leg: _Leg() for leg in legs}

    def observe(self, pace: Pace) -> list[Cue]:
        """What follows from a second; first what fell due before its end."""
        cues = self.advance(pace.end)
        leg = self._legs[pace.leg]
        leg.add(pace, self._rules)
        if leg.since is None and self._is_fast(leg):
            leg.since = leg.window[0].start
            cues.append(self._cue(pace.leg, CuePhase.ONSET, pace.end, pace.end))
        elif leg.since is not None and self._is_over(leg):
            cues += self._forget(pace.leg, pace.end)  # another begins after 8 s of speech at best
        return cues

    def add(self, activity: SpeechActivity) -> list[Cue]:
        """Nothing follows from an activity alone."""
        return self.advance(activity.decided)

    @property
    def due(self) -> int | None:
        """The time at which `advance` will have something to say, if nothing else happens."""
        return min((self._due(leg) for leg in self._legs.values() if leg.window), default=None)

    def advance(self, upto: int) -> list[Cue]:
        """Time passed: all seconds that ended up to `upto` are known."""
        quiet = [name for name, leg in self._legs.items() if leg.window and self._due(leg) <= upto]
        quiet.sort(key=lambda name: self._due(self._legs[name]))
        return [cue for name in quiet for cue in self._forget(name, self._due(self._legs[name]))]

    def close(self, end: int) -> list[Cue]:
        """The call ended."""
        cues = self.advance(end)
        return cues + [cue for name in self._legs for cue in self._forget(name, end)]

    def _due(self, leg: _Leg) -> int:
        return leg.window[-1].end + self._rules.silence

    def _is_fast(self, leg: _Leg) -> bool:
        rules, rate = self._rules, leg.lately.rate
        known = leg.lately.speech >= rules.speech and leg.before.speech >= rules.usual
        return known and rate >= rules.fast and rate >= rules.rise * leg.before.rate > 0

    def _is_over(self, leg: _Leg) -> bool:
        rate = leg.lately.rate
        return rate < self._rules.exit_ or rate < self._rules.exit_rise * leg.before.rate

    def _forget(self, name: str, now: int) -> list[Cue]:
        leg, cues = self._legs[name], list[Cue]()
        if leg.since is not None:
            cues = [self._cue(name, CuePhase.OFFSET, leg.window[-1].end, now)]
            leg.since = None
        while leg.window:
            leg.forget()
        return cues

    def _cue(self, name: str, phase: CuePhase, end: int, decided: int) -> Cue:
        leg = self._legs[name]
        assert leg.since is not None
        reasons = (self._reason(leg),)
        return Cue(
            name,
            0,
            CueKind.FAST_PACE,
            phase,
            leg.since,
            end,
            decided,
            1.0,
            leg.lately.speech,
            reasons=reasons,
        )

    def _reason(self, leg: _Leg) -> Reason:
        rate, usual = leg.lately.rate, leg.before.rate
        change = 100 * (rate / usual - 1)
        return Reason(
            "pace",
            rate,
            usual,
            "syllables/s",
            (rate - usual) / self._rules.deviation,
            True,
            f"pace {abs(change):.0f} % {'below' if change < 0 else 'above'} their usual",
        )
