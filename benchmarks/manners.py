"""How often are urgent and curt told, by acted mood, and what is a new speaker like to the model?

The calls of alarms.py, whole, through the pipeline of the service. An onset counts for the mood in
which its episode began. These are rates, not error rates: nobody has labelled calls for either.
Only the customer is heard, so replies and interruptions add nothing: the voice alone decides. The
second table, of calm speech alone, is what `cues/bearing.py` takes for usual of a new speaker.

    python -m benchmarks.manners --corpora DIR [--models DIR [DIR ...]] [--model DIR]
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.alarm_calls import ANGER, Speaker, Stretch, simulate
from benchmarks.alarm_scores import events
from benchmarks.alarms import arguments, speakers_of
from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.report import write
from emotion_service.app import load_scorer
from emotion_service.types import SAMPLE_RATE_HERTZ, CallEvent, Cue, CueKind, CuePhase, EmotionScore

HOUR = 3600 * SAMPLE_RATE_HERTZ
KINDS = (CueKind.URGENT, CueKind.CURT)
OUT = Path("benchmarks/results/manners.json")


@dataclass(frozen=True, slots=True)
class Heard:
    """What one or several calls hold: samples of each mood, onsets of each mood and kind, and of
    each firm score of happy, neutral or sad speech the arousal and the anger."""

    samples: Counter[str]
    onsets: Counter[tuple[str, CueKind]]
    opinions: tuple[tuple[float, float], ...]


def mood_at(at: int, stretches: Sequence[Stretch]) -> str:
    """The customer's mood, or the last one while nothing is said; `at` in samples."""
    begun = [stretch.emotion for stretch in stretches if stretch.start <= at]
    return begun[-1] if begun else stretches[0].emotion


def heard(told: Sequence[CallEvent], stretches: Sequence[Stretch]) -> Heard:
    """Of one call."""
    samples: Counter[str] = Counter()
    for stretch in stretches:
        samples[stretch.emotion] += stretch.end - stretch.start
    onsets: Counter[tuple[str, CueKind]] = Counter()
    for event in told:
        if isinstance(event, Cue) and event.kind in KINDS and event.phase is CuePhase.ONSET:
            onsets[mood_at(event.start, stretches), event.kind] += 1
    scores = (event for event in told if isinstance(event, EmotionScore) and not event.provisional)
    opinions = [
        (score.indices.arousal, score.probabilities.anger)
        for score in scores
        if ANGER not in (mood_at(score.start, stretches), mood_at(score.end, stretches))
        if score.indices and score.probabilities
    ]
    return Heard(samples, onsets, tuple(opinions))


def together(calls: Sequence[Heard]) -> Heard:
    return Heard(
        sum((call.samples for call in calls), Counter()),
        sum((call.onsets for call in calls), Counter()),
        tuple(opinion for call in calls for opinion in call.opinions),
    )


def rates(of: Heard) -> dict[str, dict[str, float]]:
    """By mood: hours, and onsets of each kind an hour."""
    return {
        mood: {"hours": samples / HOUR}
        | {kind.name.lower(): of.onsets[mood, kind] * HOUR / samples for kind in KINDS}
        for mood, samples in sorted(of.samples.items())
    }


def usual(of: Heard) -> dict[str, tuple[float, float]]:
    """Mean and deviation of a score's arousal and anger."""
    opinions = np.array(of.opinions)
    columns = zip(("arousal", "anger"), opinions.mean(axis=0), opinions.std(axis=0), strict=True)
    return {name: (float(mean), float(deviation)) for name, mean, deviation in columns}


def _hear(job: tuple[Speaker, int]) -> Heard:
    speaker, seed = job
    call = simulate(speaker.clips, speaker.name, seed)
    return heard(events(call.samples, load_scorer(speaker.model)), call.stretches)


def main() -> None:
    given = arguments(__doc__, OUT).parse_args()
    jobs = [
        (speaker, seed)
        for speaker in speakers_of(given)
        for seed in range(given.seed, given.seed + given.calls)
    ]
    with ProcessPoolExecutor(given.processes, multiprocessing.get_context("spawn")) as pool:
        found = together(list(track(pool.map(_hear, jobs), "Calls", total=len(jobs))))
    shown = Table("mood", "hours", "urgent an hour", "curt an hour")
    for mood, row in rates(found).items():
        shown.add_row(mood, *(f"{row[name]:.1f}" for name in ("hours", "urgent", "curt")))
    typical = Table("of a new speaker", "mean", "deviation")
    for name, (mean, deviation) in usual(found).items():
        typical.add_row(name, f"{mean:.2f}", f"{deviation:.2f}")
    Console().print(shown, typical)
    write(
        given.out,
        {
            "machine": asdict(this_machine()),
            "calls": len(jobs),
            "rates": rates(found),
            "usual": usual(found),
        },
    )


if __name__ == "__main__":
    command(main)
