"""Whether memory stays level: from what was seen every second to figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from benchmarks.churn import Fate
from benchmarks.crowd import Crowd, Tally

FLAT_MB_PER_10_MINUTES = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The server `at` seconds after the soak began; MB are 10^6 bytes."""

    at: float
    rss_mb: float
    cpu_seconds: float
    open_files: int
    live_calls: int
    watchers: int


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """One soak. `completed` includes those with consent withdrawn, `cores` is after warm-up."""

    calls: int
    seconds: float
    warm_up_seconds: float
    rss_after_1_minute_mb: float
    rss_at_end_mb: float
    rss_highest_mb: float
    slope_mb_per_10_minutes: float
    flat: bool
    open_files_highest: int
    live_calls_lowest: int
    cores: float
    completed: int
    withdrawn: int
    cancelled: int
    refused: int
    turned_away: dict[str, int]
    unexpected: dict[str, int]
    scores: int
    misses: int
    over_budget: int
    visits: int
    events_to_watchers: int
    slow_watchers_cut: int


def slope(at: Sequence[float], values: Sequence[float]) -> float:
    """Theil-Sen: the median of the slopes between all pairs, which single peaks cannot bend."""
    first, second = np.triu_indices(len(at), 1)
    x, y = np.asarray(at), np.asarray(values)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def figures(
    crowd: Crowd, tally: Tally, moments: Sequence[Moment], warm_up_seconds: float
) -> SoakFigures:
    """The figures of a soak whose moments all lie within it, in order."""
    settled = [moment for moment in moments if moment.at >= warm_up_seconds]
    per_10_minutes = 600 * slope([m.at for m in settled], [m.rss_mb for m in settled])
    first, last = settled[0], settled[-1]
    return SoakFigures(
        calls=crowd.load.calls,
        seconds=crowd.load.seconds,
        warm_up_seconds=warm_up_seconds,
        rss_after_1_minute_mb=min(moments, key=lambda moment: abs(moment.at - 60)).rss_mb,
        rss_at_end_mb=last.rss_mb,
        rss_highest_mb=max(map(attrgetter("rss_mb"), moments)),
        slope_mb_per_10_minutes=per_10_minutes,
        flat=abs(per_10_minutes) <= FLAT_MB_PER_10_MINUTES,
        open_files_highest=max(map(attrgetter("open_files"), moments)),
        live_calls_lowest=min(map(attrgetter("live_calls"), settled)),
        cores=(last.cpu_seconds - first.cpu_seconds) / (last.at - first.at),
        completed=tally.ended[Fate.COMPLETED] + tally.ended[Fate.WITHDRAWN],
        withdrawn=tally.ended[Fate.WITHDRAWN],
        cancelled=tally.ended[Fate.CANCELLED],
        refused=tally.ended[Fate.GARBAGE] + tally.ended[Fate.WRONG_UPDATE],
        turned_away=dict(tally.turned_away),
        unexpected=dict(tally.unexpected),
        scores=tally.scores,
        misses=tally.misses,
        over_budget=tally.over_budget,
        visits=tally.visits,
        events_to_watchers=tally.told,
        slow_watchers_cut=tally.cut,
    )
