"""Every figure by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.judging.evaluate import Judged
from emotion_service.training.judging.judge import Verdict
from emotion_service.training.judging.scorecard import (
    changed,
    figures,
    part,
    parts,
    scored_share,
    scored_windows,
    sure,
)


def verdict(
    emotion: str, said: str | None, confidence: float = 0.7, speaker: str = "ann", sex: str = "f"
) -> Verdict:
    """The model gave `said` that probability and the others equal shares of the rest."""
    clip = Clip("tiny", Path("a.flac"), speaker, sex, "en", emotion)
    if said is None:
        return Verdict(clip, None, 0.0, "", True, False, asked=3, claimed=0)
    rest = (1 - confidence) / 3
    logits = tuple(math.log(confidence if label == said else rest) for label in LABELS)
    arousal = confidence if said in {"anger", "happiness"} else 1 - confidence
    judged = Judged("a.flac", speaker, emotion, logits)
    return Verdict(clip, judged, arousal, "", True, False, asked=2, claimed=2)


SOME = [
    verdict("anger", "anger", 0.9),
    verdict("anger", "happiness", 0.6),
    verdict("neutral", "neutral", 0.8, "bob", "m"),
    verdict("sadness", "neutral", 0.5, "bob", "m"),
    verdict("sadness", None, speaker="bob", sex="m"),
]


def test_the_figures_have_these_names_and_values() -> None:
    given = figures(SOME, 1)
    assert given == {
        "uar": pytest.approx((0.5 + 0 + 1) / 3),
        "recall": {"anger": 0.5, "sadness": 0.0, "neutral": 1.0},
        # anger .9 and .133 against .067 and .167: three of four pairs
        "auc_anger": 0.75,
        # .9 and .6 against .2 and .5
        "auc_arousal": 1.0,
        # .9 and .8 right, .6 and .5 wrong, each in a bin of its own
        "ece": pytest.approx((0.1 + 0.6 + 0.2 + 0.5) / 4),
        "n_clips": 4,
        "n_speakers": 2,
        "uar_ci95": [0.5, 0.5],
    }


def test_parts_say_how_many_got_a_score() -> None:
    by_sex = parts(SOME, lambda v: v.clip.sex, 1)
    assert list(by_sex) == ["f", "m"]
    assert (by_sex["f"]["n_clips"], by_sex["f"]["scored"]) == (2, 1.0)
    assert (by_sex["m"]["n_clips"], by_sex["m"]["scored"]) == (2, pytest.approx(2 / 3))
    assert by_sex["m"]["recall_ci95"] == {"sadness": [0.0, 0.0], "neutral": [1.0, 1.0]}
    assert by_sex["m"] == {**figures(SOME[2:], 1), **by_sex["m"]}


def test_windows_taken_for_no_speech_are_counted() -> None:
    assert scored_windows(SOME) == (4 * 2) / (4 * 2 + 3)
    assert scored_windows(SOME[-1:]) == 0.0


def test_of_nothing_nothing_is_said() -> None:
    given = part([SOME[-1]], 1)
    assert given == {
        "uar": None,
        "recall": {},
        "auc_anger": None,
        "auc_arousal": None,
        "ece": None,
        "n_clips": 0,
        "n_speakers": 0,
        "uar_ci95": None,
        "recall_ci95": {},
        "scored": 0.0,
    }
    assert sure([SOME[-1]]) == {"share": 0.8, "uar": None, "uar_gain": None, "n_clips": 0}
    assert scored_share([]) is None
    assert scored_windows([]) is None


def test_abstaining_on_the_least_sure() -> None:
    """Of five with a score the one at .5 goes, which was wrong."""
    given = sure([*SOME, verdict("sadness", "sadness", 0.6)])
    assert given == {
        "share": 0.8,
        "uar": pytest.approx((0.5 + 1 + 1) / 3),
        "uar_gain": pytest.approx((0.5 + 1 + 1) / 3 - (0.5 + 0.5 + 1) / 3),
        "n_clips": 4,
    }


def test_a_label_changes_when_it_is_another_or_is_lost() -> None:
    other = [
        verdict("anger", "anger", 0.4),
        verdict("anger", "sadness"),
        verdict("neutral", None),
        verdict("sadness", "neutral"),
        verdict("sadness", "anger"),  # had no label to change
    ]
    assert changed(SOME, other) == 0.5
    assert changed(SOME, SOME) == 0.0
    assert changed(SOME[-1:], other[-1:]) is None
