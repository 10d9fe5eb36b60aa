"""What all cues of turn-taking have in common, whatever is said, and however often time is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.cues import monologue, replies, silence
from emotion_service.cues.course import Listener
from emotion_service.cues.monologue import Monologues
from emotion_service.cues.replies import SlowReplies
from emotion_service.cues.silence import DeadAir
from emotion_service.cues.turns import Turns
from emotion_service.types import Cue, CuePhase, Sound, SpeechActivity

LEGS = ("customer", "agent", "supervisor")
HANGOVER, LAG = 2400, 800
MAKERS: dict[str, Callable[[], Listener]] = {
    "talk-over": lambda: Turns(LEGS, HANGOVER),
    "dead air": lambda: DeadAir(LEGS, LAG),
    "slow replies": lambda: SlowReplies(LEGS),
    "monologues": lambda: Monologues(LEGS, HANGOVER, LAG),
}


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """Thresholds that a few seconds of talk reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monologue, "MONOLOGUE", 20_000)
        patch.setattr(monologue, "PAUSE", 6000)
        patch.setattr(silence, "DEAD_AIR", 8000)
        patch.setattr(replies, "SLOW_REPLY", 8000)
        yield


@st.composite
def talks(draw: st.DrawFn) -> list[SpeechActivity]:
    """Any talk of three legs, in the order of decision."""
    activities = []
    for leg in LEGS:
        decided = 0
        for sound in draw(st.lists(st.sampled_from(Sound), max_size=10)):
            decided += draw(st.integers(HANGOVER, 16_000))
            back = {Sound.SPEECH: 480, Sound.SILENCE: HANGOVER}.get(sound, LAG)
            activities.append(SpeechActivity(leg, 0, sound, decided - back, decided))
    return sorted(activities, key=lambda a: (a.decided, LEGS.index(a.leg)))


def play(listener: Listener, talk: list[SpeechActivity], steps: list[int]) -> list[Cue]:
    cues: list[Cue] = []
    for activity in talk:
        for step in steps:
            if step < activity.decided:
                cues += advanced(listener, step)
        cues += listener.add(activity)
    return cues + listener.close(200_000)


def advanced(listener: Listener, upto: int) -> list[Cue]:
    """There is nothing to say before it is due, and nothing due that has not been said."""
    due = listener.due
    cues = listener.advance(upto)
    assert not cues or (due is not None and due <= upto)
    assert listener.due is None or listener.due > upto
    return cues


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(talk=talks(), steps=st.lists(st.integers(0, 160_000)).map(sorted))
def test_cues_do_not_depend_on_how_often_time_is_told(
    name: str, talk: list[SpeechActivity], steps: list[int]
) -> None:
    assert play(MAKERS[name](), talk, steps) == play(MAKERS[name](), talk, [])


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(talk=talks())
def test_an_episode_has_one_onset_and_one_offset(name: str, talk: list[SpeechActivity]) -> None:
    cues = play(MAKERS[name](), talk, [])
    for leg in LEGS:
        own = [cue for cue in cues if cue.leg == leg]
        assert [cue.phase for cue in own] == [CuePhase.ONSET, CuePhase.OFFSET] * (len(own) // 2)
        for onset, offset in zip(own[::2], own[1::2], strict=True):
            assert onset.start == offset.start <= onset.end <= offset.end
            assert onset.evidence <= offset.evidence
        for offset, onset in zip(own[1::2], own[2::2], strict=False):
            assert offset.end <= onset.end


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(talk=talks())
def test_cues_are_told_in_the_order_in_which_they_were_settled(
    name: str, talk: list[SpeechActivity]
) -> None:
    decided = [cue.decided for cue in play(MAKERS[name](), talk, [])]
    assert decided == sorted(decided)
