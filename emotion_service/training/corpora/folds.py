"""Who is kept out of which fold of a cross-validation. No speaker is ever on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import numpy as np

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import Clip, refuse_lone_speaker

JOINT_FOLDS = 5


class FoldProtocol(StrEnum):
    """JOINT: five folds over all corpora; LOSO: one for each speaker; LOCO: one for each corpus."""

    JOINT = "joint"
    LOSO = "loso"
    LOCO = "loco"


MEANING = {
    FoldProtocol.JOINT: "five joint folds without common speakers",
    FoldProtocol.LOSO: "leave one speaker out",
    FoldProtocol.LOCO: "leave one corpus out",
}


def kept_out(clips: Sequence[Clip], protocol: FoldProtocol, seed: int) -> dict[str, frozenset[str]]:
    """The folds by name: the speakers who are judged, and not heard before.

    Raises:
        CorpusError: a speaker is in two corpora, or there are too few speakers or corpora.
    """
    corpus_of: dict[str, str] = {}
    for clip in clips:
        if corpus_of.setdefault(clip.speaker, clip.corpus) != clip.corpus:
            raise CorpusError(
                f"{clip.speaker} speaks in {corpus_of[clip.speaker]} and in {clip.corpus}: one "
                "person must not be on both sides of a split; give different people different names"
            )
    refuse_lone_speaker(clips)
    match protocol:
        case FoldProtocol.LOSO:
            return {speaker: frozenset([speaker]) for speaker in sorted(corpus_of)}
        case FoldProtocol.LOCO:
            return _by_corpus(corpus_of)
        case FoldProtocol.JOINT:
            return _joint(clips, seed)


def _by_corpus(corpus_of: dict[str, str]) -> dict[str, frozenset[str]]:
    corpora = sorted(set(corpus_of.values()))
    if len(corpora) < 2:
        raise CorpusError(
            f"only {corpora[0]} was given: leaving one corpus out takes two; add another --corpus, "
            "or choose --protocol joint or loso"
        )
    return {
        corpus: frozenset(speaker for speaker, own in corpus_of.items() if own == corpus)
        for corpus in corpora
    }


def _joint(clips: Sequence[Clip], seed: int) -> dict[str, frozenset[str]]:
    """Dealt out group by group, so that each fold has its share of each corpus and sex."""
    groups: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        groups.setdefault((clip.corpus, clip.sex), set()).add(clip.speaker)
    random = np.random.default_rng(seed)
    dealt = [
        str(speaker)
        for key in sorted(groups)
        for speaker in random.permutation(sorted(groups[key]))
    ]
    if len(dealt) < JOINT_FOLDS:
        raise CorpusError(
            f"{len(dealt)} speakers were given: {JOINT_FOLDS} joint folds take at least as many; "
            "add speakers, or choose --protocol loso"
        )
    return {
        f"fold-{number + 1}": frozenset(dealt[number::JOINT_FOLDS]) for number in range(JOINT_FOLDS)
    }


def folder_of(run: Path, fold: str) -> Path:
    """Where a cross-validation keeps a fold, which may be called as a speaker, and he anything."""
    return run / (quote(fold, safe=" ") if fold.strip(".") else fold.replace(".", "%2E"))
