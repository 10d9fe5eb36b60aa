"""The advice on one call, in its own time: cues, trends and attributes in, advice out.

Conditions are looked at where a fact has changed, and at every full second if one grows with
time, but only once everything up to that time has been told. So what is advised depends on the
call alone: not on when, or in what order, it came to be known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias

from cel import Context

from emotion_service.routing.call_facts import CallFacts
from emotion_service.routing.condition import holds
from emotion_service.routing.episode import NEVER, Episode
from emotion_service.routing.facts import FACTS, Value
from emotion_service.routing.ruleset import Rule, RuleSet
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    Advice,
    AdvicePhase,
    CallConfig,
    Cue,
    NotScored,
    Party,
    Sound,
    SpeechActivity,
    Trend,
)

TICK = SAMPLE_RATE_HERTZ  # samples between looks at facts that grow
UNSET = object()
Change: TypeAlias = Callable[[int], None]  # told the time at which it takes effect


class Advisor:
    """What the rules say of one call, told of it in the order of its time.

    `attribute`, `party`, `hear` and `scored` say what is so from `at` on, ahead of its turn;
    `observe` and `advance` make time pass up to there. All times in samples.
    """

    def __init__(self, rules: RuleSet, config: CallConfig) -> None:
        self._sha256 = rules.sha256
        self._episodes = [Episode(rule) for rule in rules.rules]
        self._parties = {leg.leg: leg.party for leg in config.legs}  # as told last
        self._standing: dict[str, Advice] = {}  # by rule
        self._facts = CallFacts(config)
        self._reads = [(n, fact.read) for n, fact in FACTS.items() if n in rules.facts]
        self._growing = [(name, read) for name, read in self._reads if FACTS[name].grows]
        self._told = True  # something, since the facts were read; or else time alone has passed
        self._values: dict[str, Value] = {}
        self._context = Context()
        self._changes: list[tuple[int, int, Change]] = []  # to come: a heap by time and number
        self._change_numbers = count()
        self._decisions: Counter[str] = Counter()  # so far, whether a leg is scored
        self._settled = 0
        self._due = NEVER  # when the first rule has something to say, if nothing changes
        self._next = 0 if self._episodes else NEVER
        self._sequence = 0

    @property
    def standing(self) -> tuple[Advice, ...]:
        """The advice that stands."""
        return tuple(self._standing.values())

    # --- what is so from a time on ---

    def attribute(self, at: int, name: str, value: str) -> None:
        """From `at` on an attribute of the call has this value."""
        self._at(at, lambda now: self._facts.change(now, name, value))

    def party(self, at: int, leg: str, party: Party) -> None:
        """From `at` on another party speaks on the leg."""
        self._parties[leg] = party
        self._at(at, lambda now: self._facts.become(leg, party))

    def hear(self, activity: SpeechActivity) -> None:
        """Somebody speaks, or no longer does."""
        if activity.sound is Sound.SPEECH and self._parties[activity.leg] is Party.AGENT:
            self._at(activity.decided, self._facts.meet)

    def scored(self, at: int, leg: str, refused: NotScored | None) -> list[Advice]:
        """From `at` on the leg is scored, or is not, and why.

        What was inferred of it before is forgotten at once, and advice that rests on it ends.
        """
        self._decisions[leg] += 1
        rests_on_it = leg == self._facts.customer
        self._facts.forget(leg)
        self._at(at, partial(self._permit, leg, self._decisions[leg], refused is None))
        if not rests_on_it:
            return []
        return self._drop([each for each in self._episodes if each.rule.inferred], at)

    # --- time passes ---

    def observe(self, event: Cue | Trend) -> list[Advice]:
        """An event, told in its turn; what was to be said before its time."""
        at = event.at if isinstance(event, Trend) else event.decided
        said = self.advance(at)
        if self._episodes:
            self._facts.note(event)
            self._told = True
            self._next = min(self._next, max(at, self._settled))
        return said

    def advance(self, upto: int) -> list[Advice]:
        """Time passed: all events before `upto` have been told."""
        if self._next >= upto:
            return []
        said: list[Advice] = []
        while self._next < upto:
            said += self._settle(self._next)
        return said

    def end(self, at: int) -> list[Advice]:
        """The call ended, and with it all advice."""
        said = self.advance(at)
        self._next = NEVER
        return said + self._drop(self._episodes, at)

    # --- one moment ---

    def _at(self, at: int, change: Change) -> None:
        if self._episodes:
            heappush(self._changes, (at, next(self._change_numbers), change))
            self._next = min(self._next, max(at, self._settled))

    def _permit(self, leg: str, number: int, allowed: bool, now: int) -> None:
        if allowed and number == self._decisions[leg]:  # or it was taken back in the meantime
            self._facts.allow(leg)
        self._facts.recount()
        self._values.clear()  # whatever it was inferred from: look at everything anew

    def _settle(self, at: int) -> list[Advice]:
        """All that is told of `at` is known: what follows."""
        self._settled = at
        while self._changes and self._changes[0][0] <= at:
            heappop(self._changes)[2](at)
            self._told = True
        said = self._act(at) if self._see(at) or self._due <= at else []
        tick = (at // TICK + 1) * TICK if self._growing else NEVER
        self._next = min(tick, self._due, self._changes[0][0] if self._changes else NEVER)
        return said

    def _see(self, at: int) -> bool:
        """Looks at the conditions of which a fact has changed; whether one has turned."""
        changed, turned = self._refresh(at), False
        for episode in self._episodes:
            if not changed.isdisjoint(episode.rule.facts):
                turned |= episode.see(at, self._is_true(episode.rule))
        return turned

    def _act(self, at: int) -> list[Advice]:
        said: list[Advice] = []
        for episode in self._episodes:
            if episode.due <= at and (phase := episode.act(at)):
                said.append(self._say(episode, phase, at))
        self._due = min(episode.due for episode in self._episodes)
        return said

    def _refresh(self, at: int) -> set[str]:
        """Reads the facts for the conditions; which have changed."""
        changed = set()
        for name, read in self._reads if self._told else self._growing:
            value = read(self._facts, at)
            if self._values.get(name, UNSET) != value:
                self._values[name] = value
                self._context.add_variable(name, value)
                changed.add(name)
        self._told = False
        return changed

    def _is_true(self, rule: Rule) -> bool:
        """What rests on the customer's voice says nothing while nobody is scored."""
        if rule.inferred and self._facts.customer is None:
            return False
        return holds(rule.when, self._context)

    def _drop(self, episodes: Iterable[Episode], at: int) -> list[Advice]:
        """Ends what stands; only what is seen anew can begin again."""
        said: list[Advice] = []
        for episode in episodes:
            episode.since = None
            if phase := episode.end(at):
                said.append(self._say(episode, phase, at))
        self._due = min((episode.due for episode in self._episodes), default=NEVER)
        return said

    def _say(self, episode: Episode, phase: AdvicePhase, at: int) -> Advice:
        rule = episode.rule
        advice = Advice(
            sequence=self._sequence,
            rule=rule.name,
            phase=phase,
            action=rule.action,
            skill=rule.skill,
            at=at,
            expires=at if episode.expires is None else episode.expires,
            reason=rule.reason,
            rules_sha256=self._sha256,
        )
        self._sequence += 1
        self._standing.pop(rule.name, None)
        if phase is AdvicePhase.GIVEN:
            self._standing[rule.name] = advice
        return advice
