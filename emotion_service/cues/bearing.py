"""How a scored leg speaks and takes its turns of late, against what is usual for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import exp, log

from emotion_service.cues.usual import Compared, Replies, Usual
from emotion_service.types import EmotionScore, seconds

MINUTE = 480_000
MEMORY = (
    32_000  # samples (4 s): a score that stands for t counts for t / (t + 4 s) of what is of late
)
VOICE = ("pace", "pitch_range", "brightness")  # of the scores' own shifts
# Mean and deviation of what telephone-open-4 hears in calm speech of 38 speakers who are new to it:
# benchmarks/manners.py. telephone-open-5 hears the same but for anger, (0.11, 0.20).
OPINIONS = {"arousal": (0.44, 0.25), "anger": (0.12, 0.22)}
SHORTEST_DELAY = 800  # samples: an answer without any delay counts as one of 100 ms
BROKE_IN = -3200  # samples of delay from which on a reply is an interruption, and no answer
SHORTEST_REPLY = 1600  # samples (200 ms): one syllable


class Voice:
    """Pace, pitch range, brightness, arousal and anger of late."""

    def __init__(self) -> None:
        self._lately: dict[str, Compared] = {}
        self._usual = {name: Usual(*of, prior=4.0, own=10.0) for name, of in OPINIONS.items()}

    @property
    def lately(self) -> Mapping[str, Compared]:
        return self._lately

    def forget(self) -> None:
        """Nothing is known of late; what is usual stays."""
        self._lately.clear()

    def observe(self, score: EmotionScore, step: int, speech: int) -> None:
        """A score with an opinion; `step`: the time it stands for, in which so much was said."""
        if score.probabilities is None or score.indices is None:
            return
        part = step / (step + MEMORY)
        for reason in score.shifts:
            if reason.feature in VOICE:
                heard = Compared(reason.value, reason.baseline, reason.shift, reason.own_baseline)
                self._approach(reason.feature, heard, part)
        self._opine("arousal", score.indices.arousal, part, seconds(speech))
        self._opine("anger", score.probabilities.anger, part, seconds(speech))

    def _opine(self, feature: str, value: float, part: float, weight: float) -> None:
        usual = self._usual[feature]
        usual.add(value, weight)
        heard = Compared(value, usual.mean, usual.shift(value), usual.is_own)
        self._approach(feature, heard, part)

    def _approach(self, feature: str, heard: Compared, part: float) -> None:
        if feature in self._lately:
            self._lately[feature].approach(heard, part)
        else:
            self._lately[feature] = heard


class Exchange:
    """How fast and how long a leg answers, and how often it breaks in, since `at`."""

    def __init__(self, at: int) -> None:
        self._from = at
        self._delays = Replies(Usual(log(0.5), 0.7, prior=3, own=3))  # ln s
        self._lengths = Replies(Usual(log(2.5), 0.9, prior=3, own=3))  # ln s
        self._broke_in: deque[int] = deque()  # when, of the last minute
        self._before = 0  # how often before that

    def delayed(self, delay: int) -> None:
        """The leg began to answer so many samples after the other's turn."""
        if delay > BROKE_IN:
            self._delays.add(log(seconds(max(SHORTEST_DELAY, delay))))

    def spoke(self, length: int) -> None:
        """A turn of the leg with so many samples of speech is over."""
        self._lengths.add(log(seconds(max(SHORTEST_REPLY, length))))

    def broke_in(self, at: int) -> None:
        self._broke_in.append(at)

    def lately(self, now: int) -> dict[str, Compared]:
        """What is known `now`."""
        found = {
            "reply_delay": _replied(self._delays),
            "reply_length": _replied(self._lengths),
            "interruptions": self._interruptions(now),
        }
        return {feature: compared for feature, compared in found.items() if compared}

    def _interruptions(self, now: int) -> Compared | None:
        """Of the last minute against those before; a typical caller breaks in every 2 minutes."""
        while self._broke_in and self._broke_in[0] <= now - MINUTE:
            self._broke_in.popleft()
            self._before += 1
        minutes = (now - self._from) / MINUTE - 1
        if minutes < 0:
            return None
        count, usual = len(self._broke_in), (1 + self._before) / (2 + minutes)
        return Compared(count, usual, count - usual, minutes >= 1)


def _replied(replies: Replies) -> Compared | None:
    """In seconds; the shift is one of their logarithms."""
    lately, usual = replies.lately, replies.usual
    if lately is None:
        return None
    return Compared(exp(lately), exp(usual.mean), usual.shift(lately), True)
