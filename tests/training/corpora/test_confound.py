"""The share of variance that groups explain is the textbook's; what it tells is put in words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora.confound import (
    Caution,
    CautionKind,
    confounds,
    share_explained,
)
from emotion_service.training.corpora.corpus import Clip

SPEAKERS = ("ann", "bob", "cem", "dot", "eve", "fay")


def clips(corpus: str, said: Mapping[str, tuple[str, ...]], times: int = 5) -> list[Clip]:
    """As many clips of each of a speaker's emotions."""
    return [
        Clip(corpus, Path(f"{speaker}-{emotion}-{take}"), speaker, "f", "en", emotion)
        for speaker, emotions in said.items()
        for emotion, take in product(emotions, range(times))
    ]


def cautions(found: list[Clip], levels_db: list[float] | None = None) -> list[Caution]:
    return confounds(found, levels_db or [-26.0] * len(found))


# --- the measure ------------------------------------------------------------------------------


def test_groups_explain_all_a_part_or_nothing() -> None:
    groups = ["a"] * 10 + ["b"] * 10
    assert share_explained([0.0] * 10 + [1.0] * 10, groups) == 1.0
    # within 20 * 1, in all 20 * (1 + 4): eta squared .8, corrected 1 - .2 * 19 / 18
    values = [-3.0, -1.0] * 5 + [1.0, 3.0] * 5
    assert share_explained(values, groups) == pytest.approx(1 - 0.2 * 19 / 18, abs=1e-12)
    assert share_explained([0.0, 1.0] * 10, groups) == 0.0


@pytest.mark.parametrize(
    ("values", "groups"),
    [([], []), ([1.0, 2.0], ["a", "b"]), ([1.0, 2.0], ["a", "a"]), ([3.0] * 4, [*"aabb"])],
)
def test_where_nothing_can_be_said_nothing_is_explained(
    values: list[float], groups: list[str]
) -> None:
    assert share_explained(values, groups) == 0.0


def test_of_a_label_spoken_or_not_it_is_the_square_of_cramers_v() -> None:
    counts = np.array([[20, 5], [5, 20], [12, 13]])  # speaker × (spoken, not)
    spoken = [label for row in counts for label in [1.0] * row[0] + [0.0] * row[1]]
    speakers = [name for name, row in zip("abc", counts, strict=True) for _ in range(row.sum())]
    squared = chi2_contingency(counts, correction=False).statistic / 75  # no bias taken out
    corrected = 1 - (1 - squared) * 74 / 72
    assert share_explained(spoken, speakers) == pytest.approx(corrected, abs=1e-12)


def test_chance_explains_nothing() -> None:
    random = np.random.default_rng(1)
    values = random.normal(size=(200, 60))
    groups = [f"{index % 20}" for index in range(60)]
    told = sum(share_explained(row, groups) > 0 for row in values)
    assert told <= 6  # 2 are expected at a probability of .01


# --- what is told -----------------------------------------------------------------------------


def test_where_all_speak_all_labels_nothing_is_told() -> None:
    assert cautions(clips("calls", dict.fromkeys(SPEAKERS, LABELS))) == []


def test_a_label_of_half_of_the_speakers_is_told() -> None:
    said = {name: LABELS if name in SPEAKERS[:3] else LABELS[:3] for name in SPEAKERS}
    (caution,) = cautions(clips("calls", said, times=20))
    assert (caution.kind, caution.corpus) == (CautionKind.SPEAKER, "calls")
    # 20 of 80 clips of three speakers, none of 60 of the others: 1 - (45 / 51.43) * 419 / 414
    assert caution.text == (
        "calls: who speaks tells the label neutral (11% of its variance; 3 of 6 speakers have it); "
        "0 of 6 speakers have one label only. A model may learn the voices: add clips of these "
        "labels by other speakers, or leave out speakers with one label"
    )


def test_speakers_with_one_label_are_told() -> None:
    said = {"ann": ("anger",), "bob": ("neutral",), "cem": ("anger", "neutral")}
    (caution,) = cautions(clips("calls", said))
    # 5 of 5, 0 of 5 and 5 of 10 clips: 1 - (2.5 / 5) * 19 / 17
    assert "2 of 3 speakers have one label only" in caution.text
    assert "anger (44% of its variance; 2 of 3 speakers have it), neutral (44%" in caution.text


def test_a_corpus_that_tells_the_label_is_told_though_its_speakers_do_not() -> None:
    angry = clips("angry", dict.fromkeys(SPEAKERS, ("anger",)))
    calm = clips("calm", dict.fromkeys(("gil", "hal"), ("neutral", "sadness")))
    (caution,) = cautions([*angry, *calm])
    assert caution == Caution(
        CautionKind.CORPUS,
        "angry, calm",
        "angry, calm: the corpus tells the label anger (100% of its variance), sadness (36% of its "
        "variance), neutral (36% of its variance). A model may learn the recordings: add clips of "
        "these labels to the corpora that lack them",
    )


def test_a_level_that_goes_with_the_label_is_told_with_its_means() -> None:
    quiet = clips("quiet", dict.fromkeys(SPEAKERS, LABELS))
    even = clips("even", dict.fromkeys(("gil", "hal"), LABELS))
    mean = {"anger": -24.0, "happiness": -30.0, "sadness": -48.0, "neutral": -51.0}
    spread = [-1.0, 1.0, 0.0, -1.0, 1.0]
    levels = [mean[clip.emotion] + spread[i % 5] for i, clip in enumerate(quiet)]
    levels += [-26.0 + spread[i % 5] for i in range(len(even))]
    (caution,) = cautions([*quiet, *even], levels)
    assert caution.kind is CautionKind.LEVEL
    # variance within .8, between 135.1875; corrected by 119 / 116
    assert caution.text == (
        "quiet: the label explains 99% of the variance of the level (anger -24, happiness -30, "
        "neutral -51, sadness -48 dBov on average). Each clip is brought to -26 dBov, but what "
        "goes with the level remains: noise below soft clips, overdrive of loud ones"
    )
