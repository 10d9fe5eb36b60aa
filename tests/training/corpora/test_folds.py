"""Folds: everybody is judged once, nobody is on both sides, each fold has its share of all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.folds import JOINT_FOLDS, FoldProtocol, folder_of, kept_out


def clip(corpus: str, speaker: str, sex: str) -> Clip:
    return Clip(corpus, Path("a.flac"), speaker, sex, "en", "anger")


def corpus(name: str, women: int, men: int) -> list[Clip]:
    """Two clips of each speaker."""
    people = [(f"{name}_f{i}", "f") for i in range(women)]
    people += [(f"{name}_m{i}", "m") for i in range(men)]
    return [clip(name, speaker, sex) for speaker, sex in people for _ in range(2)]


CLIPS = [*corpus("big", 10, 10), *corpus("small", 3, 2)]
SPEAKERS = {clip.speaker for clip in CLIPS}


@pytest.mark.parametrize("protocol", list(FoldProtocol))
def test_everybody_is_kept_out_once(protocol: FoldProtocol) -> None:
    folds = kept_out(CLIPS, protocol, seed=1)
    held = Counter(speaker for speakers in folds.values() for speaker in speakers)
    assert held == Counter(SPEAKERS)


def test_joint_folds_have_their_share_of_each_corpus_and_sex() -> None:
    folds = kept_out(CLIPS, FoldProtocol.JOINT, seed=1)
    assert len(folds) == JOINT_FOLDS
    for speakers in folds.values():
        assert len(speakers) == 5
        groups = Counter(speaker.rstrip("0123456789") for speaker in speakers)
        assert (groups["big_f"], groups["big_m"]) == (2, 2)
        assert groups["small_f"] + groups["small_m"] == 1


def test_joint_folds_are_the_seeds_alone() -> None:
    first, again = (kept_out(CLIPS, FoldProtocol.JOINT, seed=1) for _ in range(2))
    assert first == again == kept_out(CLIPS[::-1], FoldProtocol.JOINT, seed=1)
    assert first != kept_out(CLIPS, FoldProtocol.JOINT, seed=2)


def test_one_fold_a_speaker_or_a_corpus() -> None:
    assert kept_out(CLIPS, FoldProtocol.LOSO, 1) == {s: {s} for s in sorted(SPEAKERS)}
    by_corpus = kept_out(CLIPS, FoldProtocol.LOCO, 1)
    assert list(by_corpus) == ["big", "small"]
    assert by_corpus["small"] == {clip.speaker for clip in corpus("small", 3, 2)}


@pytest.mark.parametrize(
    ("clips", "protocol", "said"),
    [
        (corpus("one", 2, 2), FoldProtocol.JOINT, "4 speakers were given"),
        (corpus("one", 5, 5), FoldProtocol.LOCO, "only one was given"),
        (
            [clip("one", "ann", "f"), clip("two", "ann", "f")],
            FoldProtocol.LOSO,
            "ann speaks in one and in two",
        ),
        (corpus("one", 1, 0), FoldProtocol.LOSO, "1 speakers with a known emotion"),
    ],
)
def test_what_cannot_be_split_is_refused(
    clips: list[Clip], protocol: FoldProtocol, said: str
) -> None:
    with pytest.raises(CorpusError, match=said):
        kept_out(clips, protocol, seed=1)


@pytest.mark.parametrize(
    ("fold", "folder"),
    [("ann", "ann"), ("Jörg B", "J%C3%B6rg B"), ("call/1", "call%2F1"), ("..", "%2E%2E")],
)
def test_a_fold_lies_in_its_run_whatever_its_speaker_is_called(fold: str, folder: str) -> None:
    assert folder_of(Path("run"), fold) == Path("run") / folder
