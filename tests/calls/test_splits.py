"""Any split of the audio into messages gives identical scores, activities and cues.

Legs that come apart must stay within 500 ms of each other: a leg that is further behind no
longer holds the others (see cues.timeline), so that its events may come too late for theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, cycle

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcma, encode_pcmu
from emotion_service.calls.leg import Leg
from emotion_service.calls.scorer import Scorer
from emotion_service.cues.timeline import PATIENCE
from emotion_service.offline import analyze
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.speaker import Speaker
from emotion_service.types import (
    CallConfig,
    CallSummary,
    Consent,
    Cue,
    CueKind,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    LegConfig,
    Pacing,
    Party,
    Permit,
    SpeechActivity,
    Trend,
)

Voice = Callable[[float, int], FloatArray]
SECONDS = 5.5  # a trend is told at 5
LEGS = ("customer", "agent")


# --- a whole call -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """`lengths` of messages in samples, in turn; what places them; who is in them."""

    lengths: tuple[int, ...]
    placed_by: tuple[str, ...]  # in turn: "offset", "sequence", "both", "nothing"
    together: tuple[bool, ...]  # in turn, where the legs have come equally far
    pacing: Pacing = Pacing.RECORDED


# A sequence number counts all messages of a leg, so that either all have one or none has.
PLACED = st.sampled_from(
    [("nothing",), ("offset",), ("sequence",), ("both",), ("offset", "nothing", "nothing")]
)
LENGTHS = st.tuples(
    st.integers(1, PATIENCE), st.sampled_from([1, 79, 80, 160, 161, 4000]), st.integers(500, 4000)
)
TOGETHER = st.lists(st.booleans(), min_size=1, max_size=4).map(tuple)
SPLITS = st.builds(Split, LENGTHS, PLACED, TOGETHER, st.sampled_from(Pacing))


def messages(legs: Sequence[bytes], split: Split) -> Iterator[EncodedAudio]:
    """The leg that is behind comes next; one byte is one sample. Both come in one message only
    where they have had as many, as its sequence number is that of both."""
    at, counts = [0, 0], [0, 0]
    lengths, placed_by, together = (
        cycle(split.lengths),
        cycle(split.placed_by),
        cycle(split.together),
    )
    while min(at) < len(legs[0]):
        length, placed = next(lengths), next(placed_by)
        level = at[0] == at[1] and counts[0] == counts[1]
        both = level and next(together)
        n = 0 if at[0] <= at[1] else 1
        start, end = at[n], min(at[n] + length, len(legs[n]))
        data = b"".join(bytes(pair) for pair in zip(*(leg[start:end] for leg in legs), strict=True))
        yield EncodedAudio(
            "" if both else LEGS[n],
            data if both else legs[n][start:end],
            start / 8000 if placed in ("offset", "both") else None,
            counts[n] if placed in ("sequence", "both") else None,
        )
        for i in (0, 1) if both else (n,):
            at[i], counts[i] = end, counts[i] + 1


def said(events: Iterable[object]) -> dict[str, list[object]]:
    """What must be the same: each leg's scores and activities, the call's cues, trends, summary."""
    events = list(events)
    told: list[object] = [e for e in events if isinstance(e, Cue | Trend)]
    kinds: dict[str, list[object]] = {"cues": told}
    kinds["summary"] = [e for e in events if isinstance(e, CallSummary)]
    for leg in LEGS:
        for kind in (EmotionScore, SpeechActivity):
            kinds[f"{kind.__name__} {leg}"] = [
                e for e in events if isinstance(e, kind) and e.leg == leg
            ]
    return kinds


class Recording:
    """Two customers who talk at the same time, so that both legs' scores and cues meet."""

    # No dataclass: hypothesis shows all fields of those that a failed test was given.
    def __init__(self, legs: list[bytes], config: CallConfig, scorer: Scorer) -> None:
        self.legs, self.config, self.scorer = legs, config, scorer

    def said(self, split: Split) -> dict[str, list[object]]:
        config = replace(self.config, pacing=split.pacing)
        return said(analyze(config, messages(self.legs, split), self.scorer))


@pytest.fixture(scope="module")
def recording(speech: Voice, config: CallConfig, touchy: Scorer) -> Recording:
    customers = tuple(replace(leg, party=Party.CUSTOMER) for leg in config.legs)
    legs = [encode_pcmu(speech(SECONDS, seed)) for seed in (0, 2)]
    return Recording(legs, replace(config, legs=customers), touchy)


class AtOnce:
    """What one message with all the audio gives."""

    def __init__(self, said: dict[str, list[object]]) -> None:
        self.said = said


@pytest.fixture(scope="module")
def at_once(recording: Recording) -> AtOnce:
    return AtOnce(recording.said(Split((len(recording.legs[0]),), ("nothing",), (True,))))


def test_there_is_something_to_differ_in(at_once: AtOnce) -> None:
    assert len(at_once.said["EmotionScore customer"]) >= 8
    assert len(at_once.said["EmotionScore agent"]) >= 8
    assert len(at_once.said["SpeechActivity customer"]) >= 3
    kinds = {cue.kind for cue in at_once.said["cues"] if isinstance(cue, Cue)}
    assert kinds >= {CueKind.AGITATED, CueKind.NEUTRAL, CueKind.TALK_OVER}


@settings(max_examples=12, deadline=None)
@given(SPLITS)
def test_any_split_gives_the_same_scores_activities_and_cues(
    recording: Recording, at_once: AtOnce, split: Split
) -> None:
    assert recording.said(split) == at_once.said


# --- a leg, down to single samples, in every encoding -----------------------------------------

ENCODERS: dict[str, Callable[[FloatArray], bytes]] = {
    "audio/PCMU": encode_pcmu,
    "audio/PCMA": encode_pcma,
    "audio/L16": lambda samples: (samples * 32767).astype(">i2").tobytes(),
    "audio/pcm": lambda samples: (samples * 32767).astype("<i2").tobytes(),
}
FORMATS = [
    ("audio/PCMU", 8000, 1),
    ("audio/PCMA", 8000, 1),
    ("audio/L16", 8000, 2),
    ("audio/L16", 16000, 1),
    ("audio/pcm", 44100, 1),
    ("audio/pcm", 48000, 2),
]
CUTS = st.lists(st.integers(1, 700), max_size=12).map(lambda cuts: [*cuts, 6000, 1, 2])


def decided(leg: Leg, pieces: Iterator[bytes]) -> list[object]:
    """All that a leg tells, and all that the model would be shown of it, down to the bytes."""
    permit = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
    grant = leg.allow(permit, Speaker({name: Typical(4.0, 2.0) for name in QUANTITIES}))
    told: list[object] = []
    steps = (step for piece in pieces for step in leg.push(piece, None, None))
    for step in chain(steps, leg.finish()):
        told += [*step.activities, *step.paces]
        if step.due:
            request = grant.request(step.at, 0, 0)
            audio = request.audio
            told.append(
                (audio.start, audio.samples.tobytes(), audio.voice.tobytes(), request.quality)
            )
    return [*told, leg.at, leg.placement]


def cut(data: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for length in cycle(lengths):
        yield data[start : start + length]
        start += length
        if start >= len(data):
            return


@dataclass(frozen=True, repr=False)
class Sent:
    """Two seconds in some format, and what a leg makes of them at once."""

    config: LegConfig
    data: bytes
    decided: list[object]


@pytest.fixture(scope="module")
def formats(speech: Voice) -> list[Sent]:
    voice = speech(2.0, 2)
    sent = []
    for encoding, rate, channels in FORMATS:
        config = LegConfig("customer", Party.CUSTOMER, encoding, rate, channels)
        mono = soxr.resample(voice, 8000, rate)
        data = ENCODERS[encoding](np.repeat(mono, channels))
        sent.append(Sent(config, data, decided(Leg(config), iter([data]))))
    return sent


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(range(len(FORMATS))), CUTS)
def test_a_leg_in_any_format_decides_the_same_however_it_is_cut(
    formats: list[Sent], number: int, cuts: list[int]
) -> None:
    sent = formats[number]
    leg = Leg(sent.config)
    instants = [length * leg.frame_bytes for length in cuts]
    assert len(sent.decided) >= 6
    assert decided(leg, cut(sent.data, instants)) == sent.decided
