"""Figures by hand: recall, calibration, temperature, and what a clip alone is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import numpy as np
import torch
from torch import Tensor

from emotion_service.scoring.baseline import QUANTITIES, Baseline, Typical
from emotion_service.scoring.model import LABELS
from emotion_service.training.fitting.network import EmotionNetwork
from emotion_service.training.fitting.prepare import Example
from emotion_service.training.judging.evaluate import (
    BOOTSTRAPS,
    Judged,
    as_served,
    auc,
    calibration_error,
    fit_temperature,
    judge_cold,
    recall_intervals,
    recalls,
    surest,
    uar,
    uar_interval,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def judged(emotion: str, said: str, logit: float = 2.0, speaker: str = "ann") -> Judged:
    """A clip of `emotion` of which the model said `said`, all other logits being 0."""
    logits = tuple(logit if label == said else 0.0 for label in LABELS)
    return Judged("a.flac", speaker, emotion, logits)


def confidence(logit: float) -> float:
    return math.exp(logit) / (math.exp(logit) + 3)


# --- recall -----------------------------------------------------------------------------------

SOME = [
    *[judged("anger", "anger")] * 3,
    judged("anger", "happiness"),
    judged("neutral", "neutral"),
    *[judged("neutral", "sadness")] * 4,
]


def test_recall_is_the_share_of_a_labels_clips_that_got_it() -> None:
    assert recalls(SOME) == {"anger": 0.75, "neutral": 0.2}


def test_uar_gives_every_label_the_same_weight() -> None:
    assert uar(SOME) == pytest.approx((0.75 + 0.2) / 2)


def test_the_interval_comes_of_drawing_speakers() -> None:
    """Of two speakers, one all right and one all wrong, both are drawn half the time."""
    two = [judged("anger", "anger", speaker="ann"), judged("anger", "sadness", speaker="bob")]
    assert uar_interval(two) == (0.0, 1.0)
    alike = [judged("anger", said, speaker=name) for name in "abc" for said in ("anger", "sadness")]
    assert uar_interval(alike) == (0.5, 0.5)
    assert uar_interval(SOME, seed=3) == uar_interval(SOME, seed=3)


def test_the_interval_is_that_of_drawing_speakers_one_by_one() -> None:
    """Draw by draw, clip by clip; labels that nobody drawn has are left out of a mean."""
    random = np.random.default_rng(5)
    words = ("anger", "sadness", "neutral")
    some = [
        judged(str(random.choice(words)), str(random.choice(words)), speaker=name)
        for name in "abcd"
        for _ in range(random.integers(1, 6))
    ]
    by_speaker = [[j for j in some if j.speaker == name] for name in "abcd"]
    draws = np.random.default_rng(7).integers(4, size=(BOOTSTRAPS, 4))
    drawn = [[j for i in draw for j in by_speaker[i]] for draw in draws]
    expected = np.percentile([uar(d) for d in drawn], (2.5, 97.5))
    assert uar_interval(some, seed=7) == pytest.approx(tuple(expected))
    angry = [recalls(d)["anger"] for d in drawn if "anger" in recalls(d)]
    expected = np.percentile(angry, (2.5, 97.5))
    assert recall_intervals(some, seed=7)["anger"] == pytest.approx(tuple(expected))


def test_one_speaker_has_an_interval_without_width() -> None:
    assert uar_interval(SOME) == (uar(SOME), uar(SOME))
    assert recall_intervals(SOME) == {"anger": (0.75, 0.75), "neutral": (0.2, 0.2)}


# --- ranking ----------------------------------------------------------------------------------


def test_the_auc_counts_pairs() -> None:
    """Of 3 × 2 pairs the positive leads in 2, and 2 are ties."""
    scores, positive = [0.9, 0.4, 0.4, 0.4, 0.5], [True, True, False, True, False]
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, p in zip(scores, positive, strict=True)
        for b, n in zip(scores, positive, strict=True)
        if p and not n
    ]
    assert (len(pairs), sum(pairs)) == (6, 3.0)
    assert auc(scores, positive) == pytest.approx(0.5)
    assert auc([1.0, 2.0, 3.0], [False, True, True]) == 1.0
    assert auc([1.0, 2.0, 3.0], [True, False, False]) == 0.0


def test_as_served_logits_are_logarithms_of_probabilities_whatever_constant_a_fit_adds() -> None:
    said = [judged("anger", "anger", 2.0), judged("neutral", "anger", 1.0)]
    moved = [
        replace(j, logits=tuple(x + c for x in j.logits))
        for j, c in zip(said, (-5, 3), strict=True)
    ]
    served = as_served(moved, temperature=2.0)
    assert served[0].logits[0] == pytest.approx(math.log(confidence(1.0)))
    assert served[1].logits[0] == pytest.approx(math.log(confidence(0.5)))
    assert (served[0].file, served[0].emotion) == ("a.flac", "anger")
    assert as_served([], 1.0) == []


@pytest.mark.parametrize("positive", [[], [True, True], [False]])
def test_without_both_kinds_there_is_no_auc(positive: list[bool]) -> None:
    assert auc([0.5] * len(positive), positive) is None


def test_the_surest_have_the_largest_probabilities() -> None:
    some = [judged("anger", "anger", logit) for logit in (1.0, 4.0, 3.0, 2.0, 0.5)]
    assert surest(some, 0.8) == [some[1], some[2], some[3], some[0]]
    assert surest(some, 0.2) == [some[1]]


# --- calibration ------------------------------------------------------------------------------


def right(count: int, of: int, logit: float) -> list[Judged]:
    """So many of so many are right."""
    return [judged("anger", "anger" if n < count else "sadness", logit) for n in range(of)]


@pytest.mark.parametrize(("count", "logit"), [(6, 2.0), (7, 0.5), (9, 8.0), (5, 1.0)])
def test_the_temperature_makes_confidence_the_share_that_is_right(count: int, logit: float) -> None:
    """With one confidence for all, the log loss is least where it is the share q that is right:
    e^(L/T) / (e^(L/T) + 3) = q."""
    share = count / 10
    expected = logit / math.log(3 * share / (1 - share))
    # The wrong ones' own label has a third of the rest, as if drawn from it.
    assert fit_temperature(right(count, 10, logit)) == pytest.approx(expected, rel=1e-3)


def test_logits_that_are_right_as_they_are_keep_their_temperature() -> None:
    logit = math.log(3 * 0.8 / 0.2)
    assert fit_temperature(right(8, 10, logit)) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_calibration_error_is_the_distance_from_confidence_to_truth(
    temperature: float,
) -> None:
    error = calibration_error(right(7, 10, 2.0), temperature)
    assert error == pytest.approx(abs(0.7 - confidence(2.0 / temperature)), abs=1e-6)


def test_the_calibration_error_weighs_its_bins_by_their_clips() -> None:
    timid, bold = right(1, 2, 0.5), right(6, 6, 4.0)
    expected = (2 * abs(0.5 - confidence(0.5)) + 6 * abs(1.0 - confidence(4.0))) / 8
    assert calibration_error(timid + bold, 1.0) == pytest.approx(expected, abs=1e-6)


def test_certainty_that_is_right_has_no_error() -> None:
    assert calibration_error(right(5, 5, 100.0), 1.0) == pytest.approx(0.0, abs=1e-9)


# --- cold -------------------------------------------------------------------------------------

TYPICAL = {name: Typical(4.0, 2.0) for name in QUANTITIES}


class Hearing(EmotionNetwork):
    """Emotions' logits that depend on all it is shown; non-speech has the given ones in turn."""

    def __init__(self, *non_speech: float) -> None:
        super().__init__()
        self.non_speech = list(non_speech)
        self.said: list[tuple[float, ...]] = []

    def forward(self, frames: Tensor, voice: Tensor, context: Tensor) -> Tensor:
        mean = (frames * voice[..., None]).mean(dim=1)
        last = torch.tensor([[self.non_speech.pop(0)]])
        logits = torch.cat([mean[:, :2], context[:, :1], context[:, 2:], last], dim=1)
        self.said.append(tuple(logits[0, :4].tolist()))
        return logits


def test_a_clip_is_judged_by_its_last_window_and_nothing_before(
    examples: Sequence[Example],
) -> None:
    cold = judge_cold(Hearing(*[-99.0] * len(examples)), examples, TYPICAL)
    assert [(j.file, j.speaker, j.emotion) for j in cold] == [
        (e.clip.path.name, e.clip.speaker, e.clip.emotion) for e in examples
    ]
    assert judge_cold(Hearing(-99.0), examples[3:4], TYPICAL) == cold[3:4]
    plain = examples[3].plain
    frames, voice = plain.inputs(plain.usable[-1])
    context = plain.contexts(Baseline(TYPICAL))[plain.usable[-1]]
    network = Hearing(-99.0)
    network(torch.from_numpy(frames)[None], torch.from_numpy(voice)[None], torch.tensor([context]))
    assert cold[3].logits == pytest.approx(network.said[0], abs=1e-6)


def test_where_non_speech_wins_the_window_before_counts(examples: Sequence[Example]) -> None:
    network = Hearing(99.0, -99.0)
    (judged,) = judge_cold(network, examples[:1], TYPICAL)
    assert len(examples[0].plain.usable) >= 2
    assert network.said[0] != network.said[1]
    assert judged.logits == network.said[1]


def test_a_clip_that_is_never_taken_for_speech_is_left_out(examples: Sequence[Example]) -> None:
    windows = len(examples[0].plain.usable)
    network = Hearing(*[99.0] * windows, -99.0)
    (judged,) = judge_cold(network, examples[:2], TYPICAL)
    assert (judged.file, judged.logits) == (examples[1].clip.path.name, network.said[-1])
    assert len(network.said) == windows + 1


def test_a_clip_with_too_little_speech_is_left_out(examples: Sequence[Example]) -> None:
    plain = examples[0].plain
    short = Example(examples[0].clip, (replace(plain, windows=plain.windows[:1]),))
    assert judge_cold(Hearing(), [short], TYPICAL) == []
