"""Calls meet in the scorer's batches only, and must not notice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.errors import BadInput
from emotion_service.offline import analyze
from emotion_service.scoring.request import ScoringRequest
from emotion_service.types import (
    CallConfig,
    CallEvent,
    CallUpdate,
    Cue,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    LegConfig,
    LineChange,
    LineState,
    Party,
    PartyChange,
)

Voice = Callable[[float, int], FloatArray]


@dataclass
class Line:
    """A call on a shared scorer: its audio, cut into pieces, and what it has said."""

    call: Call
    data: bytes
    piece: int
    events: list[CallEvent] = field(default_factory=list)
    at: int = 0
    requests: list[ScoringRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events += self.call.start()

    def push(self) -> None:
        piece = self.data[self.at : self.at + self.piece]
        self.events += self.call.push(EncodedAudio("customer", piece))
        self.at += len(piece)
        self.requests += self.call.take_requests()

    def finish(self) -> None:
        self.events += self.call.finish()
        self.requests += self.call.take_requests()

    def resolve(self, score: EmotionScore) -> None:
        self.events += self.call.resolve(score)

    @property
    def said(self) -> tuple[list[CallEvent], list[CallEvent]]:
        """Scores, and the rest; both in order."""
        scores = [event for event in self.events if isinstance(event, EmotionScore)]
        return list(scores), [event for event in self.events if event not in scores]


def score_together(lines: Sequence[Line], scorer: Scorer, random: Random) -> None:
    """All that is asked for, in batches of random sizes and random company."""
    turns = [line for line in lines for _ in line.requests]
    random.shuffle(turns)
    asked = [(line, line.requests.pop(0)) for line in turns]  # each leg's in order
    while asked:
        size = random.randint(1, 12)
        batch, asked = asked[:size], asked[size:]
        scores = scorer.score([request for _, request in batch]).scores
        for (line, _), score in zip(batch, scores, strict=True):
            line.resolve(score)


def alone(config: CallConfig, data: bytes, piece: int, scorer: Scorer) -> Line:
    """The same call with nobody else there."""
    line = Line(Call(config, scorer), data, piece)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    audio = [EncodedAudio("customer", piece) for piece in pieces]
    _, *line.events = analyze(config, audio, scorer)  # type: ignore[assignment]
    return line


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("piece", [2000, 9000])
def test_scores_do_not_depend_on_who_shares_the_batch(
    config: CallConfig, speech: Voice, touchy: Scorer, seed: int, piece: int
) -> None:
    recordings = [encode_pcmu(speech(2.25, number)) for number in range(6)]
    lines = [Line(Call(config, touchy), data, piece) for data in recordings]
    random = Random(seed)
    for _ in range(0, len(recordings[0]), piece):
        for line in lines:
            line.push()
        score_together(lines, touchy, random)
    for line in lines:
        line.finish()
        score_together(lines, touchy, random)
        line.events += line.call.close()
        expected = alone(config, line.data, piece, touchy)
        assert line.said == expected.said
        assert len(line.said[0]) >= 4
        assert any(isinstance(event, Cue) for event in line.events)


# --- garbage ----------------------------------------------------------------------------------

GARBAGE: dict[str, tuple[str, EncodedAudio | CallUpdate]] = {
    "half a sample": ("TRUNCATED_AUDIO", EncodedAudio("customer", b"\x12" * 321)),
    "a leg that was not declared": ("UNDECLARED_LEG", EncodedAudio("nobody", b"\x12" * 320)),
    "before the call": ("IMPLAUSIBLE_OFFSET", EncodedAudio("customer", b"\x12" * 320, -0.02)),
    "no number": ("IMPLAUSIBLE_OFFSET", EncodedAudio("customer", b"\x12" * 320, math.nan)),
    "never": ("IMPLAUSIBLE_OFFSET", EncodedAudio("customer", b"\x12" * 320, math.inf)),
    "in 30 years": ("IMPLAUSIBLE_OFFSET", EncodedAudio("customer", b"\x12" * 320, 1e9)),
    "out of sequence": ("IMPLAUSIBLE_OFFSET", EncodedAudio("agent", b"\x12" * 320, None, 1 << 60)),
    "legs that cannot be interleaved": ("BAD_INTERLEAVING", EncodedAudio("", b"\x12" * 640)),
    "a party of nobody": ("UNDECLARED_LEG", PartyChange("nobody", Party.CUSTOMER)),
    "a line of nobody": ("UNDECLARED_LEG", LineChange("nobody", LineState.MUTED)),
}


def garbage(line: Line, what: str) -> None:
    """The call gets something that it cannot use; it must say so, and is gone."""
    reason, message = GARBAGE[what]
    with pytest.raises(BadInput) as refused:
        if isinstance(message, EncodedAudio):
            line.call.push(EncodedAudio("agent", b"\x12" * 320, None, 0))  # its number 1 is next
            line.call.push(message)
        else:
            line.call.update(message)
    assert refused.value.reason == reason


def test_the_garbage_of_some_leaves_49_others_bit_identical(
    config: CallConfig, speech: Voice, touchy: Scorer
) -> None:
    recordings = [encode_pcmu(speech(1.0, seed)) for seed in range(7)]
    expected = [alone(config, data, 1000, touchy) for data in recordings]
    mixed_formats = (config.legs[0], LegConfig("agent", Party.AGENT, "audio/L16", 16000))
    half = (LegConfig("customer", Party.CUSTOMER, "audio/L16", 8000), mixed_formats[1])
    good = [Line(Call(config, touchy), recordings[n % 7], 1000) for n in range(49)]
    bad = {}
    for what in GARBAGE:
        linear = what == "half a sample"
        legs = half if linear else mixed_formats
        bad[what] = Line(Call(replace(config, legs=legs), touchy), recordings[0], 2000)
    random = Random(4)
    for _ in range(8):
        for line in good:
            line.push()
        for what, line in list(bad.items()):
            if line.at < 4000:
                line.push()
            else:
                garbage(bad.pop(what), what)
        score_together([*good, *bad.values()], touchy, random)
    for line in good:
        line.finish()
    score_together(good, touchy, random)
    assert not bad
    for number, line in enumerate(good):
        line.events += line.call.close()
        assert line.said == expected[number % 7].said
        assert len(line.said[0]) >= 2


@pytest.mark.parametrize("size", [1, 3, 7])
def test_interleaved_audio_must_be_whole_instants_of_all_legs(
    config: CallConfig, touchy: Scorer, size: int
) -> None:
    call = Call(config, touchy)
    with pytest.raises(BadInput) as refused:
        call.push(EncodedAudio("", b"\xff" * size))
    assert refused.value.reason == "BAD_INTERLEAVING"
    assert call.push(EncodedAudio("", b"\xff" * 2 * size)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("audio/PCMU", 8000, 1), ("audio/PCMA", 8000, 1)),
        (("audio/L16", 8000, 1), ("audio/L16", 16000, 1)),
        (("audio/L16", 8000, 1), ("audio/L16", 8000, 2)),
    ],
)
def test_interleaved_legs_must_share_a_format(
    config: CallConfig, touchy: Scorer, first: tuple[str, int, int], second: tuple[str, int, int]
) -> None:
    legs = (
        LegConfig("customer", Party.CUSTOMER, *first),
        LegConfig("agent", Party.AGENT, *second),
    )
    with pytest.raises(BadInput) as refused:
        Call(replace(config, legs=legs), touchy).push(EncodedAudio("", bytes(240)))
    assert refused.value.reason == "BAD_INTERLEAVING"
