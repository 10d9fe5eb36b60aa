"""Examples depend on their clips alone; what is typical is their mean."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotion_service.errors import CorpusError
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.model import NON_SPEECH
from emotion_service.training.corpora.corpus import Clip, read_audio
from emotion_service.training.fitting.prepare import (
    Example,
    heard_before,
    non_speech,
    prepare,
    prepared,
    speakers,
    speech,
    typical_of,
)
from emotion_service.training.fitting.recipe import Recipe
from emotion_service.training.fitting.windows import ClipWindows, Shown, windows_of
from emotion_service.training.lines.augment import LineRecipe
from emotion_service.types import FEATURE_NAMES, Prosody

CLIP = Clip("tiny", Path("a.flac"), "ann", "f", "en", "anger")
TYPICAL = {name: Typical(4.0, 2.0) for name in QUANTITIES}


def example(*prosodies: Prosody) -> Example:
    """Of one variant, with a window of 0.5 s of new speech for each."""
    shown = tuple(Shown(0, 100, prosody, 4000) for prosody in prosodies)
    values = np.zeros((100, len(FEATURE_NAMES)), np.float32)
    return Example(CLIP, (ClipWindows(values, np.ones(100, np.bool_), shown),))


def same(some: Example, others: Example) -> bool:
    """To the last bit."""
    pairs = list(zip(some.variants, others.variants, strict=True))
    return all(
        a.values.tobytes() == b.values.tobytes()
        and a.voice.tobytes() == b.voice.tobytes()
        and a.windows == b.windows
        for a, b in pairs
    )


def test_a_clip_is_heard_plain_and_over_the_drawn_lines(clips: list[Clip], tmp_path: Path) -> None:
    recipe = Recipe(lines_per_clip=3, lines=LineRecipe(codecs={"pcmu": 1.0, "gsm": 1.0}))
    (drawn,) = prepare(speech(clips[5:6]), recipe, 1, tmp_path / "one")
    (again,) = prepare(speech(clips[5:6]), recipe, 2, tmp_path / "two")
    plain = windows_of(read_audio(clips[5].path), "audio/PCMU")
    assert len(drawn.variants) == 4
    assert np.array_equal(drawn.plain.values, plain.values)
    assert same(drawn, again)
    for variant in drawn.variants[1:]:
        assert not np.array_equal(drawn.plain.values, variant.values)


def test_what_was_prepared_before_is_not_prepared_again(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(lines_per_clip=1)
    first = prepared(speech(clips[:2]), recipe, tmp_path)
    monkeypatch.setattr("emotion_service.training.fitting.prepare.windows_of", None)
    again = prepared(speech(clips[:2]), recipe, tmp_path)
    assert all(same(*pair) for pair in zip(first, again, strict=True))
    with pytest.raises(TypeError):  # other lines, so it would have to prepare
        prepared(speech(clips[:2]), replace(recipe, lines=LineRecipe(band=0.4)), tmp_path)


def test_a_damaged_file_is_prepared_again(clips: list[Clip], tmp_path: Path) -> None:
    recipe = Recipe(lines_per_clip=1)
    (first,) = prepared(speech(clips[:1]), recipe, tmp_path)
    (path,) = tmp_path.glob("features-*/*/*.npz")
    path.write_bytes(path.read_bytes()[:1000])
    (again,) = prepared(speech(clips[:1]), recipe, tmp_path)
    assert same(first, again)


def prosody(pitch: float | None, pace: float, speech: int = 8000) -> Prosody:
    pitched = pitch is not None
    return Prosody(speech, pitch, 2.0 if pitched else None, pace, -6.0, 1.0)


def test_every_clip_has_an_example_in_order(examples: list[Example], clips: list[Clip]) -> None:
    assert [example.clip for example in examples] == clips
    for example in examples:
        assert len(example.variants) == 3
        assert example.plain is example.variants[0]
        assert example.plain.usable


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


def test_a_folder_without_sounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds neither vocal_bursts nor background"):
        non_speech(tmp_path / "nowhere", Recipe())


def test_sounds_are_learned_from_and_have_no_speakers(tmp_path: Path) -> None:
    """The quiet one is heard over no line: nothing has a ratio to silence."""
    sounds = {m.clip.path.name: m for m in non_speech(None, Recipe())}
    assert {m.clip.emotion for m in sounds.values()} == {NON_SPEECH}
    silent = next(m for m in sounds.values() if not m.read().any())
    loud = sounds["modem-1000"]
    examples = prepared([silent, loud], Recipe(lines_per_clip=1), tmp_path)
    assert [len(e.variants) for e in examples] == [1, 2]
    assert speakers(examples) == ()
