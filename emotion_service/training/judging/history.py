"""What the customer said in a call before the clip that is judged, made of his other clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_service.training.corpora.corpus import Clip
from emotion_service.training.corpora.simulate import LINE_NOISE, PAUSE_SECONDS, TURN_CLIPS, endless
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

HISTORY_SECONDS = 30.0  # of the customer's clips, at least
# Of the agent, while the customer's leg is silent: no window spans two turns.
ANSWER_SECONDS = (4.0, 6.0)


@dataclass(frozen=True, slots=True)
class Mood:
    """How often a call is of this kind, and its turns' emotions, as far as a speaker has them."""

    share: float
    mix: Mapping[str, float]


MOODS = {
    "calm": Mood(0.5, {"neutral": 0.7, "anger": 0.1, "happiness": 0.1, "sadness": 0.1}),
    "even": Mood(0.25, {"neutral": 0.25, "anger": 0.25, "happiness": 0.25, "sadness": 0.25}),
    "angry": Mood(0.25, {"anger": 1.0}),  # from the first word
}
NO_HISTORY = "none"  # the speaker has no other clip that would make one


def draw_mood(others: Sequence[Clip], random: np.random.Generator) -> str:
    """One of MOODS by its share, among those which these clips can make."""
    emotions = {clip.emotion for clip in others}
    able = {name: mood.share for name, mood in MOODS.items() if emotions & set(mood.mix)}
    if not able:
        return NO_HISTORY
    shares = np.array(list(able.values()))
    return str(random.choice(list(able), p=shares / shares.sum()))


def history(
    others: Sequence[Clip],
    mood: str,
    random: np.random.Generator,
    read: Callable[[Path], FloatArray],
) -> FloatArray:
    """The customer's leg until it is his turn again, float32 (n,) at 8 kHz.

    Turns of TURN_CLIPS clips of one emotion with pauses, each followed by the agent's answer,
    until HISTORY_SECONDS have been said.
    """
    if mood == NO_HISTORY:
        return np.zeros(0, np.float32)
    by_emotion = {
        emotion: [clip for clip in others if clip.emotion == emotion] for emotion in MOODS[mood].mix
    }
    streams = {emotion: endless(clips, random) for emotion, clips in by_emotion.items() if clips}
    weights = np.array([MOODS[mood].mix[emotion] for emotion in streams])
    parts: list[FloatArray] = []
    said = 0.0
    while said < HISTORY_SECONDS:
        emotion = str(random.choice(list(streams), p=weights / weights.sum()))
        for _ in range(TURN_CLIPS):
            samples = read(next(streams[emotion]).path)
            said += len(samples) / SAMPLE_RATE_HERTZ
            parts += [samples, _silence(PAUSE_SECONDS, random)]
        parts.append(_silence(ANSWER_SECONDS, random))
    joined = np.concatenate(parts)
    noise = random.normal(0.0, LINE_NOISE, len(joined)).astype(np.float32)
    call: FloatArray = np.clip(joined + noise, -1.0, 1.0)
    return call


def _silence(bounds: tuple[float, float], random: np.random.Generator) -> FloatArray:
    return np.zeros(int(random.uniform(*bounds) * SAMPLE_RATE_HERTZ), np.float32)
