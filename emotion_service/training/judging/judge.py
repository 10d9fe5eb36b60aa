"""What a finished model makes of clips, heard by the code that serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, starmap
from pathlib import Path
from zlib import crc32

import numpy as np

from emotion_service.calls.scorer import Scorer
from emotion_service.scoring.model import LABELS, load
from emotion_service.training.corpora.corpus import Clip, read_audio
from emotion_service.training.fitting.windows import requests
from emotion_service.training.judging.condition import Condition, first_speech
from emotion_service.training.judging.evaluate import Judged
from emotion_service.training.judging.history import draw_mood, history
from emotion_service.training.workers import workers
from emotion_service.types import EmotionScore, FloatArray, Probabilities

CLIPS_A_SITTING = 16


class Protocol(StrEnum):
    """A clip alone, or at the end of a simulated call of its speaker."""

    COLD = "cold"
    WARM = "warm"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the last score that claims something says of a clip; `judged` is None without one."""

    clip: Clip
    judged: Judged | None
    arousal: float  # the index, 0..1; 0 without a score
    mood: str  # of history.MOODS; empty when cold
    reached: bool  # the clip holds as much speech as the condition asks for
    clipped: bool  # the line's gain drove the clip beyond full scale
    asked: int  # windows of the clip that the model was asked about
    claimed: int  # of these, how many were taken for speech


@dataclass(frozen=True, slots=True)
class Sitting:
    """Some clips of one speaker to judge under one condition; `own` are all he has."""

    model: Path
    protocol: Protocol
    condition: Condition
    seed: int
    clips: tuple[Clip, ...]
    own: tuple[Clip, ...]


def sittings(
    clips: Sequence[Clip],
    model_of: Callable[[Clip], Path],
    protocol: Protocol,
    condition: Condition,
    seed: int,
) -> list[Sitting]:
    """All clips, by speakers, in parts that progress can be told of."""
    found = []
    for _, group in groupby(sorted(clips, key=_speaker), key=_speaker):
        own = tuple(group)
        for at in range(0, len(own), CLIPS_A_SITTING):
            part = own[at : at + CLIPS_A_SITTING]
            found.append(Sitting(model_of(own[0]), protocol, condition, seed, part, own))
    return found


def judge_all(sittings: Sequence[Sitting], processes: int) -> Iterator[tuple[Verdict, ...]]:
    """The verdicts of each sitting, in order.

    Raises:
        CorpusError: a clip cannot be read. ModelMismatch: the model cannot be used.
    """
    if processes == 1:
        yield from map(judge, sittings)
        return
    with workers(processes) as pool:
        yield from pool.map(judge, sittings)


def judge(sitting: Sitting) -> tuple[Verdict, ...]:
    """One verdict a clip. The same seed gives a clip the same call and the same noise."""
    calls = [_call(sitting, clip) for clip in sitting.clips]
    encoding = sitting.condition.encoding
    given = scores(_scorer(sitting.model), [call.data for call in calls], encoding)
    return tuple(starmap(_verdict, zip(calls, given, strict=True)))


def scores(scorer: Scorer, legs: Sequence[bytes], encoding: str) -> list[list[EmotionScore]]:
    """Every score of customers' legs that carry this audio from their first sample on.

    Batches of all legs, as a server has them: cheaper, and no score depends on its company.
    """
    given: list[list[EmotionScore]] = [[] for _ in legs]
    asking = [requests(data, encoding, scorer.new_speaker()) for data in legs]
    while batch := [
        (own, request)
        for own, asked in zip(given, asking, strict=True)
        if (request := next(asked, None)) is not None
    ]:
        scored = scorer.score([request for _, request in batch]).scores
        for (own, _), score in zip(batch, scored, strict=True):
            own.append(score)
    return given


@dataclass(frozen=True, slots=True)
class _Call:
    """A leg's audio that ends with the clip, which begins at the sample `begin`."""

    clip: Clip
    data: bytes
    begin: int
    mood: str
    reached: bool
    clipped: bool


def _call(sitting: Sitting, clip: Clip) -> _Call:
    name = crc32(f"{clip.corpus}/{clip.path.name}".encode())
    before, mood = _before(sitting, clip, name)
    begin, condition = len(before), sitting.condition
    random = np.random.default_rng((sitting.seed, name, 1))
    own = _audio(clip.path)
    delivered = condition.line(np.concatenate([before, own]), random)
    reached = True
    if condition.seconds is not None:
        heard, reached = first_speech(delivered[begin:], condition.seconds)
        delivered = delivered[: begin + len(heard)]
    data, clipped = condition.encoded(delivered), condition.clips(own)
    return _Call(clip, data, begin, mood, reached, clipped)


def _verdict(call: _Call, given: Sequence[EmotionScore]) -> Verdict:
    """By the last score of the clip that claims something."""
    asked = [s for s in given if s.end > call.begin and s.non_speech is not None]
    claims = [(s.probabilities, s.indices) for s in asked if s.probabilities and s.indices]
    judged, arousal = None, 0.0
    if claims:
        probabilities, indices = claims[-1]
        judged, arousal = _judged(call.clip, probabilities), indices.arousal
    counts = len(asked), len(claims)
    return Verdict(call.clip, judged, arousal, call.mood, call.reached, call.clipped, *counts)


def _before(sitting: Sitting, clip: Clip, name: int) -> tuple[FloatArray, str]:
    if sitting.protocol is Protocol.COLD:
        return np.zeros(0, np.float32), ""
    random = np.random.default_rng((sitting.seed, name, 0))
    others = [other for other in sitting.own if other.path != clip.path]
    mood = draw_mood(others, random)
    return history(others, mood, random, _audio), mood


def _judged(clip: Clip, probabilities: Probabilities) -> Judged:
    """Probabilities as logits whose temperature is 1; speakers by corpus and name."""
    by_label = asdict(probabilities)
    logits = np.log(np.maximum([by_label[label] for label in LABELS], 1e-30))
    name = f"{clip.corpus}/{clip.speaker}"
    return Judged(clip.path.name, name, clip.emotion, tuple(logits.tolist()))


def _speaker(clip: Clip) -> tuple[str, str]:
    return clip.corpus, clip.speaker


@lru_cache(maxsize=1)
def _scorer(folder: Path) -> Scorer:
    """Loaded once a process."""
    return Scorer(load(folder))


@lru_cache(maxsize=500)  # about 45 MB: a history takes the same clips again and again
def _audio(path: Path) -> FloatArray:
    return read_audio(path)
