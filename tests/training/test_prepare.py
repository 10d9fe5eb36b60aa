"""Examples depend on their clips alone; what is typical is their mean."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.training.augment import VARIANTS, LineRecipe
from emotion_service.training.corpus import Clip
from emotion_service.training.prepare import Example, heard_before, prepare, typical_of
from emotion_service.training.recipe import Recipe
from emotion_service.training.windows import ClipWindows, Shown
from emotion_service.types import FEATURE_NAMES, Prosody

CLIP = Clip("tiny", Path("a.flac"), "ann", "f", "en", "anger")
TYPICAL = {name: Typical(4.0, 2.0) for name in QUANTITIES}


def example(*prosodies: Prosody) -> Example:
    """Of one variant, with a window of 0.5 s of new speech for each."""
    shown = tuple(Shown(0, 100, prosody, 4000) for prosody in prosodies)
    values = np.zeros((100, len(FEATURE_NAMES)), np.float32)
    return Example(CLIP, (ClipWindows(values, np.ones(100, np.bool_), shown),))


def test_a_clip_is_heard_plain_and_over_the_drawn_lines(clips: list[Clip]) -> None:
    recipe = Recipe(lines_per_clip=3, lines=LineRecipe(codecs={"pcmu": 1.0, "gsm": 1.0}))
    (plain,) = prepare(clips[5:6], Recipe(), 1)
    (drawn,) = prepare(clips[5:6], recipe, 1)
    (again,) = prepare(clips[5:6], recipe, 1)
    assert len(drawn.variants) == 4
    assert np.array_equal(drawn.plain.values, plain.plain.values)
    for first, second in zip(drawn.variants, again.variants, strict=True):
        assert np.array_equal(first.values, second.values)
    assert not any(
        np.array_equal(drawn.plain.values, variant.values) for variant in drawn.variants[1:]
    )


def prosody(pitch: float | None, pace: float, speech: int = 8000) -> Prosody:
    pitched = pitch is not None
    return Prosody(speech, pitch, 2.0 if pitched else None, pace, -6.0, 1.0)


def test_every_clip_has_every_variant_in_order(examples: list[Example], clips: list[Clip]) -> None:
    assert [example.clip for example in examples] == clips
    for example in examples:
        assert len(example.variants) == len(VARIANTS)
        assert example.plain is example.variants[0]
        assert example.plain.usable


def test_processes_make_no_difference(examples: list[Example], clips: list[Clip]) -> None:
    (again,) = prepare(clips[5:6], Recipe(), 2)
    for given, expected in zip(again.variants, examples[5].variants, strict=True):
        assert given.values.tobytes() == expected.values.tobytes()
        assert given.windows == expected.windows


def test_typical_is_the_mean_and_deviation_of_the_usable_windows() -> None:
    examples = [
        example(prosody(5.0, 4.0), prosody(5.4, 6.0)),
        example(prosody(None, 5.0), prosody(9.9, 99.0, speech=4799)),
    ]
    typical = typical_of(examples)
    assert list(typical) == list(QUANTITIES)
    pitch, pace = typical["pitch"], typical["pace"]
    assert (pitch.mean, pitch.deviation) == pytest.approx((5.2, 0.2))
    assert (pace.mean, pace.deviation) == pytest.approx((5.0, math.sqrt(2 / 3)))
    assert typical["pitch_range"] == Typical(2.0, 0.0)


def test_some_or_none_of_a_speakers_clips_were_heard_before() -> None:
    examples = [example(prosody(6.0, 8.0), prosody(6.0, 8.0))]  # one second of speech a clip
    means = {
        round(heard_before(examples, TYPICAL, np.random.default_rng(seed)).mean("pitch"), 6)
        for seed in range(60)
    }
    # The prior weighs four seconds; none to eight clips of a second were heard.
    assert means == {round((4.0 * 4 + 6.0 * n) / (4 + n), 6) for n in range(9)}


def test_what_was_heard_before_depends_on_the_seed_alone(examples: list[Example]) -> None:
    first, again = (
        heard_before(examples, TYPICAL, np.random.default_rng(3)).mean("pitch") for _ in range(2)
    )
    assert first == again
