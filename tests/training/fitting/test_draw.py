"""What a fit is shown: windows as often as the recipe says, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]: make train-environment")

import torch

from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import LABELS, NON_SPEECH, OUTPUTS
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.fitting.draw import Draw, chances
from emotion_service.training.fitting.prepare import Example, typical_of
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.windows import ClipWindows, Shown
from emotion_service.types import ENERGY, FEATURE_NAMES, HOP, MEL_BANDS, FloatArray, Prosody

WHOLE = Recipe(history_share=0.0, early_share=0.0, warp=0.0)  # windows of whole clips, unaltered
TYPICAL = {name: Typical(4.0, 2.0) for name in QUANTITIES}


def labelled(corpus: str, emotion: str, count: int) -> list[Example]:
    clip = Clip(corpus, Path("a.flac"), "ann", "f", "en", emotion)
    return [Example(clip, ())] * count


@pytest.mark.parametrize(("balance", "large"), [(0.0, 0.8), (0.5, 2 / 3), (1.0, 0.5)])
def test_chances_by_hand(balance: float, large: float) -> None:
    """A corpus of 16 clips and one of 4: in each, every emotion is as likely."""
    examples = [
        *labelled("large", "anger", 10),
        *labelled("large", "neutral", 6),
        *(each for label in LABELS for each in labelled("small", label, 1)),
        *labelled("sounds", NON_SPEECH, 5),
    ]
    given = chances(examples, Recipe(corpus_balance=balance, non_speech_share=0.2))
    expected = np.repeat(
        [0.8 * large / 2 / 10, 0.8 * large / 2 / 6, 0.8 * (1 - large) / 4, 0.2 / 5], [10, 6, 4, 5]
    )
    assert given == pytest.approx(expected)


def clip(speaker: str, emotion: str, mark: float, seconds: float = 2.0) -> Example:
    """All frames hold speech, and `mark` in their last feature; the energy is 0 dB."""
    count = round(seconds * 100)
    values = np.zeros((count, len(FEATURE_NAMES)), np.float32)
    values[:, -1] = mark
    prosody = Prosody(count * HOP, None, None, 4.0, None, None)
    windows = ClipWindows(
        values, np.ones(count, np.bool_), (Shown(0, count, prosody, count * HOP),)
    )
    return Example(Clip("made", Path("a.flac"), speaker, "f", "en", emotion), (windows,))


EXAMPLES = [
    *(clip("ann", label, 1 + place) for place, label in enumerate(LABELS)),
    *(clip("bob", label, 11 + place) for place, label in enumerate(LABELS)),
    clip("laughter", NON_SPEECH, 20),
    clip("music", NON_SPEECH, 21),
]


def drawn(example: Example, recipe: Recipe, count: int) -> list[tuple[FloatArray, FloatArray]]:
    """Frames and voice of so many windows of it."""
    draw = Draw(EXAMPLES, TYPICAL, recipe, np.random.default_rng(5))
    return [draw.window(example)[:2] for _ in range(count)]


def marks(frames: FloatArray, voice: FloatArray) -> list[float]:
    """Of the clips in it, the first heard first."""
    return list(dict.fromkeys(frames[voice > 0, -1].tolist()))


def test_every_window_may_come_after_another_clip() -> None:
    recipe = replace(WHOLE, history_share=1.0, non_speech_share=0.2)
    before = Counter[float]()
    for frames, voice in drawn(EXAMPLES[0], recipe, 400):
        own = frames[:, -1] == 1.0
        assert own[-1]
        assert 60 <= own.sum() <= 200
        pause = np.flatnonzero(voice == 0)
        between = pause[pause > np.flatnonzero(voice)[0]]
        assert 30 <= len(between) <= 90
        assert voice[between[-1] + 1 :].sum() == own.sum()
        (other, mine) = marks(frames, voice)
        assert mine == 1.0
        before[other] += 1
        louder = frames[voice > 0, ENERGY]
        assert louder[-1] == 0.0
        assert abs(louder[0]) <= 6.0
        assert frames[voice > 0, 0][0] == pytest.approx(louder[0] * np.log(10) / 10, abs=1e-4)
    assert set(before) == {2.0, 3.0, 4.0, 20.0, 21.0}
    assert (before[20.0] + before[21.0]) / 400 == pytest.approx(0.2, abs=0.06)


def test_before_a_sound_anything_may_be_heard() -> None:
    shown = drawn(EXAMPLES[-1], replace(WHOLE, history_share=1.0), 200)
    assert {marks(*each)[0] for each in shown} == {1, 2, 3, 4, 11, 12, 13, 14, 20, 21}


def test_a_speaker_of_one_clip_is_heard_after_himself() -> None:
    lonely = clip("eve", "anger", 30)
    recipe = replace(WHOLE, history_share=1.0, non_speech_share=0.0)
    draw = Draw([*EXAMPLES, lonely], TYPICAL, recipe, np.random.default_rng(5))
    frames, voice, *_ = draw.window(lonely)
    assert marks(frames, voice) == [30.0]
    assert (np.diff(voice) < 0).sum() == 1


def test_first_words_are_of_the_clip_alone() -> None:
    lengths = [
        int(voice.sum()) for _, voice in drawn(EXAMPLES[1], replace(WHOLE, early_share=1.0), 300)
    ]
    assert min(lengths) == 60
    assert max(lengths) == 150


@pytest.mark.parametrize(("history", "early"), [(0.0, 0.0), (0.4, 0.15)])
def test_kinds_come_as_often_as_the_recipe_says(history: float, early: float) -> None:
    recipe = replace(WHOLE, history_share=history, early_share=early)
    shown = drawn(EXAMPLES[1], recipe, 1000)
    joined = sum(len(marks(*each)) == 2 for each in shown)
    alone = sum(len(marks(*each)) == 1 and each[1].sum() < 200 for each in shown)
    assert joined / 1000 == pytest.approx(history, abs=0.04)
    assert alone / 1000 == pytest.approx(early, abs=0.04)


def test_the_same_seed_draws_the_same(examples: list[Example]) -> None:
    recipe = Recipe(batch=4, history_share=0.5, early_share=0.2, warp=0.1)
    typical = typical_of(examples)
    first, again, other = (
        list(Draw(examples, typical, recipe, np.random.default_rng(seed)).epoch())
        for seed in (1, 1, 2)
    )
    assert len(first) == 2
    for one, same in zip(first, again, strict=True):
        assert torch.equal(one.frames, same.frames)
        assert torch.equal(one.voice, same.voice)
        assert torch.equal(one.context, same.context)
        assert torch.equal(one.labels, same.labels)
    assert not all(
        one.frames.shape == another.frames.shape and torch.equal(one.frames, another.frames)
        for one, another in zip(first, other, strict=True)
    )


def test_batches_hold_what_they_say() -> None:
    recipe = replace(WHOLE, batch=4, draws=2, history_share=0.5)
    draw = Draw(EXAMPLES, TYPICAL, recipe, np.random.default_rng(5))
    batches = list(draw.epoch())
    assert draw.count == sum(len(batch.labels) for batch in batches) == 20
    place = {example.plain.values[0, -1].item(): example.clip.emotion for example in EXAMPLES}
    for batch in batches:
        last = batch.frames[:, -1, -1].tolist()
        assert [OUTPUTS[label] for label in batch.labels] == [place[mark] for mark in last]
        assert torch.isfinite(batch.frames).all()


def test_warping_moves_the_bands_alone() -> None:
    example = EXAMPLES[0]
    sloped = example.plain.values.copy()
    sloped[:, :MEL_BANDS] = np.arange(MEL_BANDS)
    example = replace(example, variants=(replace(example.plain, values=sloped),))
    (still,), (moved,) = (drawn(example, replace(WHOLE, warp=warp), 1) for warp in (0.0, 0.1))
    assert not np.array_equal(still[0][:, :MEL_BANDS], moved[0][:, :MEL_BANDS])
    assert np.array_equal(still[0][:, ENERGY], moved[0][:, ENERGY])
    assert np.array_equal(still[1], moved[1])


def test_windows_are_drawn_as_often_as_they_bring_speech() -> None:
    """Two end close upon each other, as those of the first words and of the grid may."""
    whole = clip("ann", "anger", 1.0)
    ends, new = (60, 70, 200), (60, 10, 130)
    shown = tuple(
        Shown(0, end, Prosody(end * HOP, None, None, 4.0, None, None), count * HOP)
        for end, count in zip(ends, new, strict=True)
    )
    example = Example(whole.clip, (replace(whole.plain, windows=shown),))
    found = Counter(int(voice.sum()) for _, voice in drawn(example, WHOLE, 2000))
    # Half of them are the last of the clip whatever it brings.
    expected = [0.5 * 0.3, 0.5 * 0.05, 0.5 * 0.65 + 0.5]
    assert [found[end] / 2000 for end in ends] == pytest.approx(expected, abs=0.03)
