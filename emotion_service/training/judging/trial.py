"""A finished model on trial: all clips under all conditions, and the report of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.selection import Selection, select
from emotion_service.training.judging.condition import Condition
from emotion_service.training.judging.history import HISTORY_SECONDS, MOODS
from emotion_service.training.judging.judge import Protocol, Verdict, judge_all, sittings
from emotion_service.training.judging.jury import Jury
from emotion_service.training.judging.scorecard import (
    Figures,
    changed,
    figures,
    part,
    parts,
    scored_share,
    scored_windows,
    sure,
)
from emotion_service.training.lines.channel import CODECS
from emotion_service.types import SAMPLE_RATE_HERTZ

REFERENCE_CODEC = "pcmu"
GAINS_DB = (-12.0, 0.0, 12.0)
SNRS_DB = (20.0, 10.0, 0.0)
LOSSES = (0.05,)
SPEECH_SECONDS = (0.5, 1.0, 2.0, 3.0, 4.0)

Verdicts: TypeAlias = list[Verdict]
Told: TypeAlias = Callable[[int, int], object]  # clips done, of how many


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked of `evaluate`."""

    corpora: Path
    jury: Jury
    codec: str
    protocol: Protocol
    sweeps: bool
    skip_trained: bool
    every: int  # of each speaker's clips the first of so many is judged
    seed: int


def hold(trial: Trial, processes: int, told: Told) -> Figures:
    """Judges all clips and reports; docs/training.md describes the report.

    Raises:
        CorpusError: see select and Jury.model_of; a clip cannot be read.
        EmotionServiceError: the codec needs PyAV, which is not installed.
    """
    CODECS[trial.codec](np.zeros(SAMPLE_RATE_HERTZ, np.float32))  # or it fails in mid-work
    selections = select(trial.corpora, trial.jury.trained, trial.skip_trained, trial.every)
    plain = Condition(trial.codec)
    swept = sweeps(plain) if trial.sweeps else {}
    wanted = [(trial.protocol, c) for by in swept.values() for c in by.values()]
    runs = dict.fromkeys([(trial.protocol, plain), (Protocol.COLD, plain), *wanted])
    clips = [clip for selection in selections for clip in selection.clips]
    heard = _run(trial, clips, list(runs), processes, told)
    verdicts = heard[trial.protocol, plain]
    report = {
        **_setup(trial),
        "corpora": _by_corpus(selections, verdicts, trial.seed),
        "pooled": figures(verdicts, trial.seed),
        "by": {
            "sex": parts(verdicts, lambda v: v.clip.sex, trial.seed),
            "language": parts(verdicts, lambda v: v.clip.language, trial.seed),
            **{
                name: _swept(name, {v: heard[trial.protocol, c] for v, c in by.items()}, trial.seed)
                for name, by in swept.items()
            },
        },
        "clips": {s.corpus: _counts(s, verdicts) for s in selections},
        "surest": sure(verdicts),
    }
    if trial.protocol is Protocol.WARM:
        report |= _histories(verdicts, heard[Protocol.COLD, plain], trial.seed)
    return report


def sweeps(plain: Condition) -> dict[str, dict[str, Condition]]:
    """What is varied, one thing at a time: the values by name, the plain condition among them."""
    return {
        "codec": {
            plain.codec: plain,
            REFERENCE_CODEC: replace(plain, codec=REFERENCE_CODEC),
        },
        "gain_db": {f"{gain:g}": replace(plain, gain_db=gain) for gain in GAINS_DB},
        "snr_db": {"clean": plain} | {f"{snr:g}": replace(plain, snr_db=snr) for snr in SNRS_DB},
        "loss": {"0": plain} | {f"{loss:g}": replace(plain, loss=loss) for loss in LOSSES},
        "seconds": {f"{s:g}": replace(plain, seconds=s) for s in SPEECH_SECONDS},
    }


def _run(
    trial: Trial,
    clips: Sequence[Clip],
    runs: Sequence[tuple[Protocol, Condition]],
    processes: int,
    told: Told,
) -> dict[tuple[Protocol, Condition], Verdicts]:
    """The verdicts of every run, all in the same order of clips."""
    asked = [
        (run, sitting)
        for run in runs
        for sitting in sittings(clips, trial.jury.model_of, *run, trial.seed)
    ]
    heard: dict[tuple[Protocol, Condition], Verdicts] = {run: [] for run in runs}
    done, total = 0, len(clips) * len(runs)
    told(done, total)
    answers = judge_all([sitting for _, sitting in asked], processes)
    for (run, _), verdicts in zip(asked, answers, strict=True):
        heard[run] += verdicts
        done += len(verdicts)
        told(done, total)
    return heard


def _setup(trial: Trial) -> Figures:
    return {
        "model": trial.jury.name,
        "licence": trial.jury.licence,
        "protocol": trial.protocol.value,
        "codec": trial.codec,
        "seed": trial.seed,
    }


def _by_corpus(selections: Sequence[Selection], verdicts: Verdicts, seed: int) -> Figures:
    return {s.corpus: figures(_of(s, verdicts), seed) for s in selections if s.clips}


def _counts(selection: Selection, verdicts: Verdicts) -> Figures:
    own = _of(selection, verdicts)
    return {
        "found": selection.found,
        "other_emotions": selection.other_emotions,
        "trained_speakers": selection.trained_speakers,
        "abstained": sum(v.judged is None for v in own),
        "scored": scored_share(own),
        "windows_scored": scored_windows(own),
    }


def _swept(name: str, by: dict[str, Verdicts], seed: int) -> Figures:
    shown = {value: part(verdicts, seed) for value, verdicts in by.items()}
    for value, verdicts in by.items():
        if name == "gain_db":
            shown[value] |= _gained(by["0"], verdicts)
        if name == "seconds":
            shown[value]["reached"] = sum(v.reached for v in verdicts) / len(verdicts)
    return shown


def _gained(plain: Verdicts, other: Verdicts) -> Figures:
    """What a gain changes, and what of it is not for going beyond full scale."""
    whole = [(a, b) for a, b in zip(plain, other, strict=True) if not b.clipped]
    return {
        "labels_changed": changed(plain, other),
        "labels_changed_unclipped": changed([a for a, _ in whole], [b for _, b in whole]),
        "clipped": 1 - len(whole) / len(other),
    }


def _histories(warm: Verdicts, cold: Verdicts, seed: int) -> Figures:
    """Each kind of call, with the same clips cold beside it."""
    by: Figures = {}
    for mood in sorted({v.mood for v in warm}):
        same = [c for c, w in zip(cold, warm, strict=True) if w.mood == mood]
        own = [w for w in warm if w.mood == mood]
        by[mood] = {**part(own, seed), "cold": part(same, seed)}
    return {
        "history": {
            "seconds": HISTORY_SECONDS,
            "calls": {name: {"share": m.share, "mix": dict(m.mix)} for name, m in MOODS.items()},
            "by_call": by,
            "pooled_cold": figures(cold, seed),
        }
    }


def _of(selection: Selection, verdicts: Verdicts) -> Verdicts:
    return [v for v in verdicts if v.clip.corpus == selection.corpus]
