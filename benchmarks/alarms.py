"""How many false agitated alarms an hour, and how many angry episodes are told how soon?

Calls of acted clips, three of four moods as negatives, six angry episodes of 8 s in each, of
speakers whom the model that scores them has not heard. They go through the pipeline of the service
once; the scores are kept, and the cues are made of them anew for each point of the curve. An onset
of AGITATED counts for an episode from its first word until 2 s after its last, and as a false alarm
anywhere else; hours are those outside of episodes, and "shown" is the share of them in which an
agent would see AGITATED. Seconds are from an episode's first word to its cue.

    python benchmarks/alarms.py --corpora DIR [--models DIR [DIR ...]] [--model DIR]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.alarm_calls import Speaker, judged_by
from benchmarks.alarm_figures import Figures, Interval, Point, by_corpus, curve, figures, outcome
from benchmarks.alarm_scores import ScoredCall, scored
from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.report import write
from emotion_service.cues.states import DEFAULT_RULES
from emotion_service.training.corpora.corpus import corpus_folders, read_corpus, with_known_emotion

POOLED = "all"
RECALL = 0.70  # at which the targets are to be held
MOST_ALARMS = {POOLED: 12.0, "emodb": 2.0}  # an hour
MOST_DELAY = {"median": 3.0, "90 %": 5.0}  # seconds
OUT = Path("benchmarks/results/alarms.json")


def hear_all(
    speakers: Sequence[Speaker], seeds: Sequence[int], cache: Path, processes: int
) -> list[ScoredCall]:
    """A call of each speaker with each seed."""
    jobs = [(speaker, seed) for speaker in speakers for seed in seeds]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        calls = pool.map(partial(_hear, cache=cache), jobs)
        return list(track(calls, "Calls", total=len(jobs)))


def _hear(job: tuple[Speaker, int], cache: Path) -> ScoredCall:
    return scored(*job, cache)


def table(found: Mapping[str, Figures]) -> Table:
    """One row a corpus, and one of all together."""
    shown = Table("calls", "hours", "episodes", "alarms an hour", "shown")
    for column in ("recall", "median (s)", "90 %"):
        shown.add_column(column)
    for name, of in found.items():
        shown.add_row(
            name,
            f"{of.hours:.1f}",
            str(of.episodes),
            _shown(of.alarms_an_hour, 1),
            f"{of.shown.value:.0%}",
            _shown(of.recall, 2),
            _shown(of.delay_median, 1),
            _shown(of.delay_90, 1),
        )
    return shown


def moods(of: Figures) -> str:
    """What the customer was like when a false alarm was told."""
    found = sorted(of.alarms.items(), key=lambda item: -item[1])
    return ", ".join(f"{mood} {count}" for mood, count in found) or "none"


def _shown(figure: Interval, digits: int) -> str:
    value, low, high = (f"{x:.{digits}f}" for x in (figure.value, figure.low, figure.high))
    return f"{value}\n{low}–{high}"


def curve_table(curves: Mapping[str, Sequence[Point]]) -> Table:
    """One row a threshold: alarms an hour and recall of each corpus."""
    shown = Table("enough evidence", *curves)
    for points in zip(*curves.values(), strict=True):
        cells = [f"{point.alarms_an_hour:.1f} at {point.recall:.0%}" for point in points]
        shown.add_row(f"{points[0].enough:.2f}", *cells)
    return shown


def verdicts(
    found: Mapping[str, Figures], curves: Mapping[str, Sequence[Point]]
) -> dict[str, bool]:
    """Each promise, and whether it was kept."""
    kept = {}
    for name, most in MOST_ALARMS.items():
        if name in curves:
            fewest = min(
                (p.alarms_an_hour for p in curves[name] if p.recall >= RECALL), default=float("inf")
            )
            promise = f"{name}: at most {most:g} false alarms an hour at {RECALL:.0%} recall"
            kept[promise] = fewest <= most
    pooled = found[POOLED]
    for which, delay in (("median", pooled.delay_median), ("90 %", pooled.delay_90)):
        kept[f"cue after at most {MOST_DELAY[which]:g} s ({which})"] = (
            delay.value <= MOST_DELAY[which]
        )
    return kept


def arguments(purpose: str, out: Path) -> argparse.ArgumentParser:
    """Whose calls are simulated, and where the figures go unless told otherwise."""
    parser = argparse.ArgumentParser(description=purpose.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="one corpus, or a folder of")
    parser.add_argument(
        "--models",
        type=Path,
        nargs="+",
        default=[],
        help="what crossval wrote to --out, one or several: for the corpora that it was of",
    )
    parser.add_argument("--model", type=Path, help="one model folder: for all other corpora")
    parser.add_argument("--calls", type=_at_least(1), default=2, help="of each speaker (2)")
    parser.add_argument("--seed", type=_at_least(0), default=0, help="of the first call (0)")
    cores = os.cpu_count()
    parser.add_argument("--processes", type=_at_least(1), default=cores, help="(one a core)")
    parser.add_argument("--out", type=Path, default=out, help=f"the figures as JSON ({out})")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def count(given: str) -> int:
        if int(given) < least:
            raise argparse.ArgumentTypeError(f"{given} is too few: at least {least}")
        return int(given)

    return count


def speakers_of(given: argparse.Namespace) -> list[Speaker]:
    """Those of the corpora who are new to one of the models.

    Raises:
        CorpusError: nobody is.
    """
    clips = [
        clip
        for folder in corpus_folders(given.corpora)
        for clip in with_known_emotion(read_corpus(folder))
    ]
    folds = [card.parent for of in given.models for card in sorted(of.glob("*/model.json"))]
    return judged_by(clips, folds, given.model)


def main() -> None:
    parser = arguments(__doc__, OUT)
    cache = Path("runs/alarms")
    parser.add_argument("--cache", type=Path, default=cache, help=f"keeps the scores ({cache})")
    parser.add_argument("--plot", type=Path, help="draws the curve, as .svg or .png")
    given = parser.parse_args()
    speakers = speakers_of(given)
    seeds = range(given.seed, given.seed + given.calls)
    calls = hear_all(speakers, seeds, given.cache, given.processes)
    groups = by_corpus(calls, POOLED)
    found = {
        name: figures([outcome(call, DEFAULT_RULES) for call in own])
        for name, own in groups.items()
    }
    curves = {name: curve(own, DEFAULT_RULES) for name, own in groups.items()}
    Console().print(table(found), curve_table(curves))
    print(f"false alarms by the mood they were told in: {moods(found[POOLED])}")
    kept = verdicts(found, curves)
    for promise, is_kept in kept.items():
        print(f"{'kept' if is_kept else 'BROKEN'}: {promise}")
    if given.plot:
        from benchmarks.alarm_plot import draw  # noqa: PLC0415  (matplotlib takes a second)

        draw(curves, found, given.plot)
    write(
        given.out,
        {
            "machine": asdict(this_machine()),
            "models": {speaker.name: speaker.model.name for speaker in speakers},
            "seeds": list(seeds),
            "rules": asdict(DEFAULT_RULES),
            "figures": {name: asdict(of) for name, of in found.items()},
            "curves": {name: [asdict(point) for point in own] for name, own in curves.items()},
            "kept": kept,
        },
    )


if __name__ == "__main__":
    command(main)
