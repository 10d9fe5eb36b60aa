"""A word for an emotion is known, or refused with what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from emotion_service.errors import CorpusError
from emotion_service.scoring.model import LABELS
from emotion_service.training.corpora.emotions import OTHER_EMOTIONS, refuse_unknown


def refusal(*emotions: str) -> str:
    with pytest.raises(CorpusError) as refused:
        refuse_unknown("a.csv", emotions)
    return str(refused.value)


def test_what_the_model_tells_and_what_it_does_not_are_two_lists_of_words() -> None:
    assert not set(LABELS) & set(OTHER_EMOTIONS)
    assert sorted(set(OTHER_EMOTIONS)) == list(OTHER_EMOTIONS)


def test_the_documentation_lists_what_is_left_out() -> None:
    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    assert f"{', '.join(OTHER_EMOTIONS)}." in " ".join(text.split())


@pytest.mark.parametrize("emotion", [*LABELS, "fear", "disgust", "surprise", "calm", "other"])
def test_known_emotions_pass(emotion: str) -> None:
    refuse_unknown("a.csv", [emotion, emotion])


@pytest.mark.parametrize(
    ("emotion", "meant"),
    [
        ("Anger", "anger"),
        ("neutral ", "neutral"),
        ("happy", "happiness"),
        ("joy", "happiness"),
        ("hapiness", "happiness"),
        ("sad", "sadness"),
        ("surprised", "surprise"),
        ("frustrated", "frustration"),
    ],
)
def test_a_word_that_is_close_is_refused_with_the_one_that_may_be_meant(
    emotion: str, meant: str
) -> None:
    said = refusal(emotion, "fear")
    assert said.startswith(
        f"a.csv has 1 unknown emotions: '{emotion}' (did you mean {meant}?); expected anger, "
    )


def test_all_unknown_words_are_named_once() -> None:
    assert refusal("qq", "angry", "qq") == (
        "a.csv has 2 unknown emotions: 'angry' (did you mean anger?), 'qq'; expected anger, "
        "happiness, sadness, neutral, or one that is left out (docs/training.md lists them): "
        "rename them, if need be to other"
    )
