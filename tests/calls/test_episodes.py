"""Windows one hop apart while somebody speaks; one onset and one offset for each episode."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.leg import SCORE_HOP
from emotion_service.calls.scorer import Scorer
from emotion_service.offline import analyze
from emotion_service.types import (
    CallConfig,
    CallEvent,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    EncodedAudio,
    FloatArray,
    Sound,
    SpeechActivity,
)

Voice = Callable[[float, int], FloatArray]
Script = Callable[..., Scorer]


def events(config: CallConfig, scorer: Scorer, **legs: FloatArray) -> list[CallEvent]:
    """What a call says in which each leg's audio comes in messages of half a second."""
    length = max(map(len, legs.values()))
    audio = [
        EncodedAudio(name, encode_pcmu(samples[at : at + 4000]))
        for at in range(0, length, 4000)
        for name, samples in legs.items()
    ]
    _, *said = analyze(config, audio, scorer)
    return list(said)  # type: ignore[arg-type]


def stretches(said: list[CallEvent], end: int) -> list[range]:
    """The samples at which the customer is known to be speaking."""
    activities = [e for e in said if isinstance(e, SpeechActivity) and e.leg == "customer"]
    edges = [*((a.decided, a.sound) for a in activities), (end, Sound.SILENCE)]
    return [range(a[0], b[0]) for a, b in pairwise(edges) if a[1] is Sound.SPEECH]


@pytest.mark.parametrize("seed", range(6))
def test_windows_inside_one_stretch_of_speech_are_one_hop_apart(
    config: CallConfig, speech: Voice, touchy: Scorer, seed: int
) -> None:
    said = events(config, touchy, customer=speech(6.0, seed))
    ends = [event.end for event in said if isinstance(event, EmotionScore)]
    assert ends == sorted(set(ends))
    first_words = [end for end in ends if end % SCORE_HOP]
    assert len(first_words) <= 2 and max(first_words) < 16_000
    ends = [end for end in ends if end not in first_words]
    for stretch in stretches(said, 48_000):
        inside = [end for end in ends if end in stretch]
        first = -(-stretch.start // SCORE_HOP) * SCORE_HOP
        assert inside == list(range(first, stretch.stop, SCORE_HOP))
    assert sum(len(stretch) for stretch in stretches(said, 48_000)) > 24_000


def test_a_window_holds_the_last_four_seconds_without_a_hole(
    config: CallConfig, speech: Voice, touchy: Scorer
) -> None:
    said = events(config, touchy, customer=speech(6.0, 0))
    for score in (event for event in said if isinstance(event, EmotionScore)):
        assert score.start == max(0, score.end - 32_000)
        assert score.evidence <= score.end - score.start


# --- episodes ---------------------------------------------------------------------------------


def of_leg(said: list[CallEvent], leg: str, talk_over: bool) -> list[Cue]:
    cues = [event for event in said if isinstance(event, Cue) and event.leg == leg]
    return [cue for cue in cues if (cue.kind is CueKind.TALK_OVER) == talk_over]


def onsets(cues: list[Cue], kind: CueKind) -> list[Cue]:
    return [cue for cue in cues if cue.kind is kind and cue.phase is CuePhase.ONSET]


@pytest.fixture(scope="module")
def twenty_seconds(speech: Voice) -> FloatArray:
    """Speech with hardly a pause."""
    parts = [speech(1.0, seed) for seed in range(20)]
    return np.concatenate(parts)


def test_two_fits_of_anger_are_two_onsets(
    config: CallConfig, scripted: Script, twenty_seconds: FloatArray
) -> None:
    fits = ((32_000, 64_000), (224_000, 256_000))  # 20 s apart: after 15 it may be told again
    said = events(config, scripted(*fits), customer=np.tile(twenty_seconds, 2))
    agitated = onsets(of_leg(said, "customer", False), CueKind.AGITATED)
    assert len(agitated) == 2
    # Evidence mounts within a second or two.
    for cue, (begun, ended) in zip(agitated, fits, strict=True):
        assert begun <= cue.start < cue.end <= begun + 16_000 < ended
    summary = said[-1]
    assert isinstance(summary, CallSummary)
    episodes = {state.kind: state.episodes for state in summary.states}
    assert episodes[CueKind.AGITATED] == 2


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=6)


@settings(max_examples=12, deadline=None)
@given(SPANS)
def test_states_tile_the_time_and_each_has_one_onset_and_one_offset(
    config: CallConfig,
    scripted: Script,
    twenty_seconds: FloatArray,
    spans: list[tuple[int, int]],
) -> None:
    angry = [(4000 * first, 4000 * (first + count)) for first, count in spans]
    said = events(config, scripted(*angry), customer=twenty_seconds)
    states = of_leg(said, "customer", False)
    edges = [cue for cue in states if cue.phase is not CuePhase.UPDATE]
    assert [cue.phase for cue in edges] == [CuePhase.ONSET, CuePhase.OFFSET] * (len(edges) // 2)
    for onset, offset in zip(edges[::2], edges[1::2], strict=True):
        assert (onset.kind, onset.start) == (offset.kind, offset.start)
        assert onset.start <= onset.end
    for offset, onset in zip(edges[1::2], edges[2::2], strict=False):
        assert offset.end == onset.start
        assert offset.kind is not onset.kind
    assert (edges[0].start, edges[-1].end) == (0, 160_000)
    current = edges[0]
    for cue in states:
        current = cue if cue.phase is CuePhase.ONSET else current
        assert (cue.kind, cue.start) == (current.kind, current.start)
    every = [event.sequence for event in said if isinstance(event, Cue)]
    assert every == list(range(len(every)))


def test_each_interruption_is_one_talk_over(
    config: CallConfig, scripted: Script, speech: Voice, twenty_seconds: FloatArray
) -> None:
    breaks_in = np.zeros(80_000, np.float32)
    for at in (16_000, 48_000):
        breaks_in[at : at + 9600] = speech(1.2, 0)
    said = events(config, scripted(), agent=twenty_seconds[:80_000], customer=breaks_in)
    talk_over = of_leg(said, "customer", True)
    assert [cue.phase for cue in talk_over] == [CuePhase.ONSET, CuePhase.OFFSET] * 2
    assert [cue.start for cue in onsets(talk_over, CueKind.TALK_OVER)] == [16_000, 48_000]
    assert of_leg(said, "agent", True) == []
    assert isinstance(said[-1], CallSummary)
    assert said[-1].talk_overs == 2
