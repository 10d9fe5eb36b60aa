"""Talk-over: who broke in, from when to when, and told in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.turns import SHORTEST_TALK_OVER, Turns
from emotion_service.types import Cue, CueKind, CuePhase, Sound, SpeechActivity

LEGS = ("customer", "agent", "supervisor")
HANGOVER = 2400  # samples: 300 ms


def heard(leg: str, sound: Sound, start: int, decided: int) -> SpeechActivity:
    return SpeechActivity(leg, 0, sound, start, decided)


def speech(leg: str, start: int) -> SpeechActivity:
    return heard(leg, Sound.SPEECH, start, start + 480)


def silence(leg: str, start: int) -> SpeechActivity:
    return heard(leg, Sound.SILENCE, start, start + HANGOVER)


def talk_over(leg: str, phase: CuePhase, start: int, end: int, decided: int | None = None) -> Cue:
    """Decided with the usual hindsight, unless told otherwise."""
    settled = end + HANGOVER if decided is None else decided
    return Cue(leg, 0, CueKind.TALK_OVER, phase, start, end, settled, 1.0, end - start)


def test_the_onset_comes_with_time_and_the_offset_with_the_earlier_end() -> None:
    turns = Turns(LEGS, HANGOVER)
    assert turns.add(speech("agent", 8000)) == []
    assert turns.add(speech("customer", 16_000)) == []
    settled = 16_000 + SHORTEST_TALK_OVER + HANGOVER
    assert turns.advance(settled - 1) == []
    assert turns.advance(settled) == [talk_over("customer", CuePhase.ONSET, 16_000, 19_200)]
    assert turns.advance(settled + 8000) == []
    assert turns.add(silence("agent", 32_000)) == [
        talk_over("customer", CuePhase.OFFSET, 16_000, 32_000)
    ]
    assert turns.add(silence("customer", 40_000)) == []


def test_the_one_who_broke_in_may_stop_first() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    turns.advance(20_000)
    assert turns.add(silence("agent", 18_000)) == [
        talk_over("agent", CuePhase.OFFSET, 8000, 18_000)
    ]


def test_without_hindsight_the_onset_comes_after_400_ms() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    assert turns.advance(11_199) == []
    assert turns.advance(11_200) == [talk_over("agent", CuePhase.ONSET, 8000, 11_200, 11_200)]


def test_a_back_channel_is_no_talk_over() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    # 399.875 ms long, but the silence is known only 300 ms later
    assert turns.add(silence("agent", 8000 + SHORTEST_TALK_OVER - 1)) == []
    assert turns.advance(80_000) == []


def test_400_ms_that_end_in_a_tone_are_a_talk_over_though_its_beginning_is_known_sooner() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    assert turns.add(heard("agent", Sound.TONE, 8000 + 3199, 8000 + 3199 + 480)) == []
    turns.add(speech("agent", 16_000))
    assert turns.add(heard("agent", Sound.TONE, 19_200, 19_680)) == [
        talk_over("agent", CuePhase.ONSET, 16_000, 19_200, 19_680),
        talk_over("agent", CuePhase.OFFSET, 16_000, 19_200, 19_680),
    ]


def test_400_ms_is_a_talk_over() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    assert turns.add(silence("agent", 8000 + SHORTEST_TALK_OVER)) == [
        talk_over("agent", CuePhase.ONSET, 8000, 11_200),
        talk_over("agent", CuePhase.OFFSET, 8000, 11_200),
    ]


def test_more_hindsight_than_promised_never_turns_a_span_around() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    turns.advance(12_000)
    assert turns.add(heard("customer", Sound.SILENCE, 7000, 13_000)) == [
        talk_over("agent", CuePhase.OFFSET, 8000, 8000, 13_000)
    ]


def test_it_says_when_it_is_due() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    assert turns.due is None
    turns.add(speech("agent", 8000))
    assert turns.due == 8000 + SHORTEST_TALK_OVER + HANGOVER
    turns.advance(turns.due)
    assert turns.due is None


def test_a_turn_taken_before_the_end_of_the_other_is_known_is_no_talk_over() -> None:
    turns = Turns(LEGS, HANGOVER)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 16_800))
    assert turns.add(silence("customer", 16_000)) == []
    assert turns.advance(80_000) == []


def test_backdated_starts_decide_who_broke_in() -> None:
    turns = Turns(LEGS, 0)
    turns.add(heard("customer", Sound.SPEECH, 1000, 1480))
    turns.add(heard("agent", Sound.SPEECH, 900, 1500))  # began first, though known later
    assert turns.advance(9000) == [talk_over("customer", CuePhase.ONSET, 1000, 4200, 4200)]


def test_of_two_that_begin_together_the_one_declared_later_broke_in() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("agent", 1000))
    turns.add(speech("customer", 1000))
    assert turns.advance(9000) == [talk_over("agent", CuePhase.ONSET, 1000, 4200, 4200)]


def test_music_and_tones_are_no_speech_and_end_it() -> None:
    turns = Turns(LEGS, 0)
    turns.add(heard("agent", Sound.MUSIC, 0, 800))
    turns.add(speech("customer", 1000))
    assert turns.advance(20_000) == []
    turns.add(speech("agent", 21_000))
    assert turns.advance(30_000) == [talk_over("agent", CuePhase.ONSET, 21_000, 24_200, 24_200)]
    assert turns.add(heard("agent", Sound.TONE, 31_000, 31_480)) == [
        talk_over("agent", CuePhase.OFFSET, 21_000, 31_000, 31_480)
    ]


def test_repeated_activity_changes_nothing() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    turns.add(heard("customer", Sound.SPEECH, 9000, 9480))
    turns.add(silence("supervisor", 8500))
    assert turns.advance(11_400) == [talk_over("agent", CuePhase.ONSET, 8000, 11_200, 11_200)]


def test_with_three_it_lasts_while_any_earlier_speaker_goes_on() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 1000))
    turns.add(speech("supervisor", 2000))
    assert [(cue.leg, cue.end) for cue in turns.advance(10_000)] == [
        ("agent", 4200),
        ("supervisor", 5200),
    ]
    assert turns.add(silence("customer", 12_000)) == [
        talk_over("agent", CuePhase.OFFSET, 1000, 12_000)
    ]
    assert turns.add(silence("agent", 16_000)) == [
        talk_over("supervisor", CuePhase.OFFSET, 2000, 16_000)
    ]


def test_the_call_s_end_ends_it() -> None:
    turns = Turns(LEGS, 0)
    turns.add(speech("customer", 0))
    turns.add(speech("agent", 8000))
    assert turns.close(20_000) == [
        talk_over("agent", CuePhase.ONSET, 8000, 11_200, 11_200),
        talk_over("agent", CuePhase.OFFSET, 8000, 20_000, 20_000),
    ]
    assert turns.close(20_000) == []


@st.composite
def talks(draw: st.DrawFn) -> list[SpeechActivity]:
    """Any talk of three legs, in the order of decision."""
    activities = []
    for leg in LEGS:
        decided = 0
        for sound in draw(st.lists(st.sampled_from(Sound), max_size=8)):
            decided += draw(st.integers(HANGOVER, 16_000))
            back = 480 if sound is Sound.SPEECH else HANGOVER
            activities.append(heard(leg, sound, decided - back, decided))
    return sorted(activities, key=lambda a: (a.decided, LEGS.index(a.leg)))


def play(talk: list[SpeechActivity], steps: list[int]) -> list[Cue]:
    turns, cues = Turns(LEGS, HANGOVER), []
    for activity in talk:
        for step in steps:
            if step < activity.decided:
                cues += turns.advance(step)
        cues += turns.add(activity)
    return cues + turns.close(200_000)


@given(talks(), st.lists(st.integers(0, 140_000)).map(sorted))
def test_cues_do_not_depend_on_how_often_time_is_told(
    talk: list[SpeechActivity], steps: list[int]
) -> None:
    assert play(talk, steps) == play(talk, [])


@given(talks())
def test_onsets_and_offsets_alternate_and_never_lie(talk: list[SpeechActivity]) -> None:
    cues = play(talk, [])
    for leg in LEGS:
        own = [cue for cue in cues if cue.leg == leg]
        assert [cue.phase for cue in own] == [CuePhase.ONSET, CuePhase.OFFSET] * (len(own) // 2)
        for onset, offset in zip(own[::2], own[1::2], strict=True):
            assert onset.start == offset.start
            assert onset.evidence == SHORTEST_TALK_OVER
            assert offset.end - offset.start == offset.evidence >= SHORTEST_TALK_OVER
        for offset, onset in zip(own[1::2], own[2::2], strict=False):
            assert offset.end <= onset.start
