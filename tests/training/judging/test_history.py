"""What came before is the speaker's own, of the mood that was drawn, and the same every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.simulate import LINE_NOISE, PAUSE_SECONDS, TURN_CLIPS
from emotion_service.training.judging.history import (
    ANSWER_SECONDS,
    HISTORY_SECONDS,
    MOODS,
    NO_HISTORY,
    draw_mood,
    history,
)
from emotion_service.types import FloatArray

EMOTIONS = ("anger", "happiness", "sadness", "neutral")


def clip(emotion: str, number: int = 0) -> Clip:
    return Clip("tiny", Path(f"{emotion}{number}.flac"), "ann", "f", "en", emotion)


ALL = [clip(emotion, number) for emotion in EMOTIONS for number in range(3)]


class Shelf:
    """Clips of 2 s at half of full scale; remembers which were read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: Path) -> FloatArray:
        self.read.append(path.stem[:-1])
        return np.full(16_000, 0.5, np.float32)


def made(mood: str, seed: int = 0) -> tuple[FloatArray, list[str]]:
    shelf = Shelf()
    return history(ALL, mood, np.random.default_rng(seed), shelf), shelf.read


def test_moods_are_shares_of_one() -> None:
    assert sum(mood.share for mood in MOODS.values()) == 1.0
    for mood in MOODS.values():
        assert sum(mood.mix.values()) == pytest.approx(1.0)


def test_moods_are_drawn_by_their_shares() -> None:
    random = np.random.default_rng(0)
    drawn = Counter(draw_mood(ALL, random) for _ in range(4000))
    assert {name: count / 4000 for name, count in drawn.items()} == pytest.approx(
        {name: mood.share for name, mood in MOODS.items()}, abs=0.03
    )


def test_only_moods_that_the_clips_can_make_are_drawn() -> None:
    calm = [clip("neutral")]
    random = np.random.default_rng(0)
    assert {draw_mood(calm, random) for _ in range(50)} == {"calm", "even"}
    assert draw_mood([], random) == NO_HISTORY
    assert len(history([], NO_HISTORY, random, Shelf())) == 0


def test_an_angry_call_is_angry_from_the_first_word() -> None:
    audio, said = made("angry")
    assert set(said) == {"anger"}
    assert audio[:16_000] == pytest.approx(0.5, abs=6 * LINE_NOISE)


def test_turns_hold_one_emotion_by_the_mix() -> None:
    turns: Counter[str] = Counter()
    for seed in range(30):
        _, said = made("calm", seed)
        for at in range(0, len(said), TURN_CLIPS):
            assert len(set(said[at : at + TURN_CLIPS])) == 1
            turns[said[at]] += 1
    shares = {emotion: count / turns.total() for emotion, count in turns.items()}
    assert shares == pytest.approx(MOODS["calm"].mix, abs=0.1)


def test_a_history_is_as_long_as_it_says_and_ends_with_the_agents_turn() -> None:
    audio, said = made("even")
    loud = np.abs(audio) > 0.25
    assert loud.sum() == len(said) * 16_000
    assert HISTORY_SECONDS <= len(said) * 2.0 < HISTORY_SECONDS + 2.0 * TURN_CLIPS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(int)))
    silences = np.diff(np.append(edges, len(audio)))[1::2] / 8000
    pauses, answers = silences[::2], silences[1::2]
    assert PAUSE_SECONDS[0] - 1e-3 <= pauses.min() <= pauses.max() <= PAUSE_SECONDS[1]
    low, high = (a + b for a, b in zip(ANSWER_SECONDS, PAUSE_SECONDS, strict=True))
    assert low - 1e-3 <= answers.min() <= answers.max() <= high
    assert np.std(audio[~loud]) == pytest.approx(LINE_NOISE, rel=0.02)


def test_the_same_seed_gives_the_same_history() -> None:
    assert made("calm", 3)[0].tobytes() == made("calm", 3)[0].tobytes()
    assert made("calm", 3)[0].tobytes() != made("calm", 4)[0].tobytes()
