"""How often the agitated cue comes for nothing, how often it comes at all, and how soon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.alarm_calls import ANGER, Stretch
from benchmarks.alarm_scores import ScoredCall
from emotion_service.cues.states import Mood, StateRules
from emotion_service.types import SAMPLE_RATE_HERTZ, CueKind, CuePhase, seconds

GRACE = 2 * SAMPLE_RATE_HERTZ  # after an episode's last word its onset still counts as in time
BOOTSTRAPS = 1000
# The curve's thresholds.
ENOUGH = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call: `calm` seconds outside of episodes and their grace, for how many of these AGITATED
    was shown, false alarms by what was being said, and of each episode the seconds from its first
    word to its cue, None where none came."""

    speaker: str
    corpus: str
    calm: float
    shown: float
    alarms: Counter[str]
    delays: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval, bootstrapped over speakers; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of several calls together. Delays in seconds, of the episodes that were told."""

    speakers: int
    hours: float  # outside of episodes
    episodes: int
    alarms: dict[str, int]
    alarms_an_hour: Interval
    shown: Interval  # the share of these hours in which AGITATED is shown
    recall: Interval
    delay_median: Interval
    delay_90: Interval


@dataclass(frozen=True, slots=True)
class Point:
    """Of the curve: what a threshold comes to."""

    enough: float
    alarms_an_hour: float
    recall: float
    delay_median: float
    delay_90: float


def by_corpus(calls: Sequence[ScoredCall], together: str) -> dict[str, list[ScoredCall]]:
    """The calls of each corpus and, under the name `together`, all of them."""
    groups: dict[str, list[ScoredCall]] = {together: list(calls)}
    for call in calls:
        groups.setdefault(call.corpus, []).append(call)
    return groups


def curve(calls: Sequence[ScoredCall], rules: StateRules) -> list[Point]:
    """The same rules with each of the thresholds at which AGITATED is entered; as much evidence is
    kept as it takes."""
    points = []
    for enough in ENOUGH:
        most = max(rules.agitated.most, enough)
        swept = replace(rules, agitated=replace(rules.agitated, enough=enough, most=most))
        told = [outcome(call, swept) for call in calls]
        points.append(
            Point(enough, alarms_an_hour(told), recall(told), delay(told, 50), delay(told, 90))
        )
    return points


def outcome(call: ScoredCall, rules: StateRules) -> Outcome:
    """What these rules would have told."""
    told = told_agitated(call, rules)
    episodes = [stretch for stretch in call.stretches if stretch.emotion == ANGER]
    inside = [[at for at, _ in told if _covers(episode, at)] for episode in episodes]
    false = [at for at, _ in told if not any(_covers(episode, at) for episode in episodes)]
    angry = sum(episode.end + GRACE - episode.start for episode in episodes)
    shown = sum(until - at for at, until in told)
    rightly = sum(_shared(episode, *each) for episode in episodes for each in told)
    return Outcome(
        call.speaker,
        call.corpus,
        seconds(call.duration - angry),
        seconds(shown - rightly),
        Counter(_said(call, at) for at in false),
        tuple(
            seconds(ats[0] - episode.start) if ats else None
            for episode, ats in zip(episodes, inside, strict=True)
        ),
    )


def told_agitated(call: ScoredCall, rules: StateRules) -> list[tuple[int, int]]:
    """From when to when an agent would see AGITATED: by what is told, not by what it is told of."""
    mood = Mood(rules)
    cues = [cue for score in call.scores for cue in mood.observe(score)]
    cues += mood.close(call.duration)
    of = [cue for cue in cues if cue.kind is CueKind.AGITATED]
    begun = [cue.decided for cue in of if cue.phase is CuePhase.ONSET]
    ended = [cue.decided for cue in of if cue.phase is CuePhase.OFFSET]
    return list(zip(begun, ended, strict=True))


def _covers(episode: Stretch, at: int) -> bool:
    return episode.start <= at <= episode.end + GRACE


def _shared(episode: Stretch, at: int, until: int) -> int:
    """Samples of an episode and its grace in which it is shown."""
    return max(0, min(episode.end + GRACE, until) - max(episode.start, at))


def _said(call: ScoredCall, at: int) -> str:
    """The mood in which the customer spoke last."""
    return [stretch.emotion for stretch in call.stretches if stretch.start <= at][-1]


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Of at least one call."""
    by_speaker: dict[str, list[Outcome]] = {}
    for each in outcomes:
        by_speaker.setdefault(each.speaker, []).append(each)
    speakers = list(by_speaker.values())
    random = np.random.default_rng(1)
    drawn = [
        [o for i in random.integers(len(speakers), size=len(speakers)) for o in speakers[i]]
        for _ in range(BOOTSTRAPS)
    ]

    def interval(of: Callable[[Sequence[Outcome]], float]) -> Interval:
        low, high = np.nanpercentile([of(draw) for draw in drawn], (2.5, 97.5))
        return Interval(of(outcomes), float(low), float(high))

    return Figures(
        speakers=len(speakers),
        hours=_hours(outcomes),
        episodes=sum(len(o.delays) for o in outcomes),
        alarms=dict(sum((o.alarms for o in outcomes), Counter())),
        alarms_an_hour=interval(alarms_an_hour),
        shown=interval(shown_share),
        recall=interval(recall),
        delay_median=interval(lambda drawn: delay(drawn, 50)),
        delay_90=interval(lambda drawn: delay(drawn, 90)),
    )


def alarms_an_hour(outcomes: Sequence[Outcome]) -> float:
    return sum(o.alarms.total() for o in outcomes) / _hours(outcomes)


def shown_share(outcomes: Sequence[Outcome]) -> float:
    """The share of the time outside of episodes in which AGITATED is shown."""
    return sum(o.shown for o in outcomes) / sum(o.calm for o in outcomes)


def recall(outcomes: Sequence[Outcome]) -> float:
    """The share of the episodes that were told."""
    delays = [delay for o in outcomes for delay in o.delays]
    return sum(delay is not None for delay in delays) / len(delays)


def delay(outcomes: Sequence[Outcome], percentile: float) -> float:
    """Of the episodes that were told; NaN where none was."""
    delays = [delay for o in outcomes for delay in o.delays if delay is not None]
    return float(np.percentile(delays, percentile)) if delays else float("nan")


def _hours(outcomes: Sequence[Outcome]) -> float:
    return sum(o.calm for o in outcomes) / 3600
