"""The numbers behind the plots, on clips whose outcome is given."""

from __future__ import annotations

import pytest

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.evaluate import calibration_error
from emotion_service.training.report.curves import (
    SHARES,
    SpeakerRecall,
    by_speaker,
    confusion,
    coverage,
    gaps,
    reliability,
)
from tests.training.report.made_up import heard, judged


def test_confusion_counts_what_was_said_by_what_was_heard() -> None:
    clips = [
        heard("ann", "anger", "anger"),
        heard("ann", "anger", "happiness"),
        heard("bea", "anger", "happiness"),
        heard("bea", "neutral", "sadness"),
    ]
    counts = [[1, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    assert confusion(clips).tolist() == counts


def test_reliability_holds_what_was_stated_against_what_was_right() -> None:
    clips = [
        heard("ann", "anger", "anger", 0.55),
        heard("bea", "anger", "neutral", 0.55),
        heard("ann", "anger", "anger", 0.95),
        heard("bea", "sadness", "sadness", 0.95),
    ]
    low, high = reliability(clips)
    assert (low.stated, low.right, low.n_clips) == pytest.approx((0.55, 0.5, 2))
    assert low.right_ci95 == (0.0, 1.0)  # ann is always right, bea never
    assert (high.stated, high.right, high.n_clips) == pytest.approx((0.95, 1.0, 2))
    assert high.right_ci95 == (1.0, 1.0)
    error = sum(abs(bin.right - bin.stated) * bin.n_clips for bin in (low, high)) / 4
    assert error == pytest.approx(calibration_error(clips, 1.0))


def test_coverage_leaves_out_the_least_sure_first() -> None:
    wrong = [heard("ann", "anger", "neutral", 0.4) for _ in range(4)]
    right = [heard("ann", label, label, 0.9) for label in LABELS for _ in range(4)]
    curve = {of.share: of for of in coverage([*wrong, *right])}
    assert tuple(curve) == SHARES
    assert (curve[1.0].n_clips, curve[1.0].uar) == pytest.approx((20, (0.5 + 3) / 4))
    assert (curve[0.8].n_clips, curve[0.8].uar) == (16, 1.0)
    assert curve[0.8].uar_ci95 == (1.0, 1.0)


def test_speakers_come_the_worst_first() -> None:
    clips = [*judged("ann"), *judged("carl")]
    assert by_speaker(clips, {"ann": "north", "carl": "south"}) == [
        SpeakerRecall("carl", "south", 0.75, 8),
        SpeakerRecall("ann", "north", 1.0, 8),
    ]


def test_a_gap_is_significant_when_its_interval_excludes_0() -> None:
    women = [*judged("ann"), *judged("bea")]
    men = [*judged("carl"), *judged("dan")]
    by_label = {gap.label: gap for gap in gaps({"women": women, "men": men})}
    assert set(by_label) == set(LABELS)
    gap = by_label.pop("happiness")  # of every woman understood, of no man
    assert (gap.better, gap.worse, gap.difference, gap.ci95) == ("women", "men", 1.0, (1.0, 1.0))
    assert gap.significant
    assert all(g.ci95 == (0.0, 0.0) and not g.significant for g in by_label.values())


def test_a_gap_names_the_better_group_first_whichever_is_given_first() -> None:
    women, men = [*judged("ann"), *judged("bea")], [*judged("carl"), *judged("dan")]
    gap = next(g for g in gaps({"men": men, "women": women}) if g.label == "happiness")
    assert (gap.better, gap.difference, gap.ci95, gap.significant) == (
        "women",
        1.0,
        (1.0, 1.0),
        True,
    )


def test_a_gap_that_one_speaker_makes_is_not_significant() -> None:
    """One man of two is never understood: redrawn, both may be the one who always is."""
    women = [*judged("ann"), *judged("bea")]
    half = [*judged("carl"), *(heard("dan", label, label) for label in LABELS for _ in range(2))]
    gap = next(g for g in gaps({"women": women, "men": half}) if g.label == "happiness")
    assert (gap.difference, gap.ci95, gap.significant) == (0.5, (0.0, 1.0), False)


def test_one_speaker_is_no_group_and_three_groups_have_no_gap() -> None:
    women, men = [*judged("ann"), *judged("bea")], judged("carl")
    assert gaps({"women": women, "men": men}) == []
    assert gaps({"women": women}) == []
    assert gaps({"a": women, "b": women, "c": women}) == []
