"""The same audio is found however it is stored; what cannot be used is refused before training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.confound import Caution, CautionKind
from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.examination import examine
from emotion_service.types import FloatArray


def noise(seed: int) -> FloatArray:
    """Half a second at 16 bits, so that every lossless format holds the same."""
    integers = np.random.default_rng(seed).integers(-2600, 2600, 4000)
    return (integers / 32768).astype(np.float32)


def clip(path: Path, samples: FloatArray, subtype: str, speaker: str, emotion: str) -> Clip:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, samples, 8000, subtype)
    return Clip(path.parent.name, path, speaker, "f", "en", emotion)


def refusal(*clips: Clip) -> str:
    with pytest.raises(CorpusError) as refused:
        examine(clips)
    return str(refused.value)


def test_clips_of_different_audio_need_no_caution(tmp_path: Path) -> None:
    one, two = (
        clip(tmp_path / "one" / name, noise(seed), "PCM_16", "ann", "anger")
        for seed, name in enumerate(("a.wav", "b.wav"))
    )
    assert examine([one, two]) == []


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("b.flac", "PCM_16"), ("b.wav", "PCM_24"), ("b.wav", "FLOAT"), ("b.aiff", "PCM_16")],
)
def test_the_same_audio_under_two_speakers_is_refused(
    tmp_path: Path, name: str, subtype: str
) -> None:
    one = clip(tmp_path / "one" / "a.wav", noise(1), "PCM_16", "ann", "anger")
    two = clip(tmp_path / "one" / name, noise(1), subtype, "bob", "anger")
    assert refusal(one, two) == (
        f"{one.path} and {two.path} are the same audio under two speakers (ann of one, bob of "
        "one), so it could be on both sides of a split: take one out of its index"
    )


def test_the_same_audio_in_two_corpora_is_refused(tmp_path: Path) -> None:
    one = clip(tmp_path / "one" / "a.wav", noise(1), "PCM_16", "ann", "anger")
    two = clip(tmp_path / "two" / "a.wav", noise(1), "PCM_16", "ann", "anger")
    assert "under two speakers (ann of one, ann of two)" in refusal(one, two)


def test_the_same_audio_with_two_labels_is_refused(tmp_path: Path) -> None:
    one = clip(tmp_path / "one" / "a.wav", noise(1), "PCM_16", "ann", "anger")
    two = clip(tmp_path / "one" / "b.wav", noise(1), "PCM_16", "ann", "neutral")
    assert refusal(one, two) == (
        f"{one.path} and {two.path} are the same audio with two labels (anger, neutral): take the "
        "wrong one out of the index"
    )


def test_the_same_audio_of_one_speaker_and_label_is_cautioned(tmp_path: Path) -> None:
    one = clip(tmp_path / "one" / "a.wav", noise(1), "PCM_16", "ann", "anger")
    two = clip(tmp_path / "one" / "b.flac", noise(1), "PCM_16", "ann", "anger")
    assert examine([one, two]) == [
        Caution(
            CautionKind.REPEATED,
            "one",
            f"{one.path} and {two.path} are the same audio, of one speaker and label, so it counts "
            "twice: take one out of the index",
        )
    ]


def test_the_level_that_is_judged_is_that_of_the_files(tmp_path: Path) -> None:
    gains = {"anger": 1.0, "neutral": 0.25}
    clips = [
        clip(tmp_path / "one" / f"{emotion}{seed}.wav", noise(seed) * gain, "FLOAT", "ann", emotion)
        for emotion, gain in gains.items()
        for seed in range(6)
    ]
    (caution,) = examine(clips)
    assert caution.kind is CautionKind.LEVEL
    # of integers even in ±2600 the deviation is 2600 / √3: -26.8 dBov, and 12.04 dB below
    assert "the label explains 100% of" in caution.text
    assert "(anger -27, neutral -39 dBov on average)" in caution.text


def test_a_clip_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    silent = clip(tmp_path / "one" / "a.wav", np.zeros(4000, np.float32), "PCM_16", "ann", "anger")
    assert refusal(silent) == f"{silent.path} is silent: remove it from the index"
