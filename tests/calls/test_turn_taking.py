"""Turn-taking in calls put together from known parts, over µ-law: who, when, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.cues.silence import DEAD_AIR
from emotion_service.training.lines.pause import unsent
from emotion_service.training.sounds.sounds import generate
from emotion_service.types import (
    CallConfig,
    CallEvent,
    CallSummary,
    CallUpdate,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EncodedAudio,
    FloatArray,
    LineChange,
    LineState,
    Pace,
    Sound,
    SpeechActivity,
    Trend,
)
from tests.calls.stage import (
    LEGS,
    Known,
    Phrases,
    Stage,
    corpus_phrases,
    demo_phrases,
    hurry,
    interruption,
    monologue,
    silences,
)

Script: TypeAlias = Callable[..., Scorer]

TOLERANCE = 480  # samples: 60 ms
TURNS = (CueKind.DEAD_AIR, CueKind.SLOW_REPLY, CueKind.TALK_OVER, CueKind.MONOLOGUE)


# --- playing ----------------------------------------------------------------------------------


def play(
    config: CallConfig,
    scorer: Scorer,
    legs: dict[str, FloatArray],
    updates: Sequence[tuple[int, CallUpdate]] = (),
    lengths: Sequence[int] = (4000,),
) -> list[CallEvent]:
    """A call that nobody scores; updates come once all legs have come so far."""
    call = Call(replace(config, consent=Consent.REFUSED), scorer)
    events, at, waiting = call.start(), 0, list(updates)
    encoded = {leg: encode_pcmu(samples) for leg, samples in legs.items()}
    steps = cycle(lengths)
    while at < max(map(len, encoded.values())):
        end = min([at + next(steps), *(when for when, _ in waiting)])
        for leg, data in encoded.items():
            events += call.push(EncodedAudio(leg, data[at:end]))
        while waiting and waiting[0][0] == end:
            events += call.update(waiting.pop(0)[1])
        at = end
    events += [*call.finish(), *call.close()]
    assert not any(isinstance(event, Pace) for event in events)  # it goes no further than the cues
    return events


def cues_of(events: Sequence[CallEvent]) -> list[Cue]:
    return [event for event in events if isinstance(event, Cue)]


def episodes(cues: Sequence[Cue]) -> Iterator[Known]:
    """Of those cues that have ended; each with one onset before its offset, of the same start."""
    begun: dict[tuple[str, CueKind], Cue] = {}
    for cue in cues:
        if cue.phase is CuePhase.ONSET:
            assert (cue.leg, cue.kind) not in begun
            begun[cue.leg, cue.kind] = cue
        elif cue.phase is CuePhase.OFFSET:
            assert begun.pop((cue.leg, cue.kind)).start == cue.start
            yield Known(cue.leg, cue.kind, cue.start, cue.end)
    assert not begun


def matched(known: Sequence[Known], found: Sequence[Known]) -> list[tuple[Known, Known]]:
    """Pairs of the same leg and kind, in order; all must have one."""
    pairs: list[tuple[Known, Known]] = []
    for kind in TURNS:
        true = [each for each in known if each.kind is kind]
        heard = [each for each in found if each.kind is kind]
        assert [each.leg for each in true] == [each.leg for each in heard], (kind, heard)
        pairs += zip(true, heard, strict=True)
    return pairs


# --- known truth ------------------------------------------------------------------------------


def constructed(phrases: Phrases, number: int) -> Stage:
    stage = Stage(phrases, at=4000 + 37 * number)
    silences(stage)
    interruption(stage)
    monologue(stage, number)
    return stage


def errors(stage: Stage, cues: Sequence[Cue]) -> list[tuple[CueKind, int, int]]:
    """By how many samples starts and ends are off."""
    pairs = matched(stage.known, list(episodes(cues)))
    return [(true.kind, heard.start - true.start, heard.end - true.end) for true, heard in pairs]


@pytest.mark.parametrize("language", ["german", "english"])
@pytest.mark.parametrize("number", range(2))
def test_every_episode_of_a_made_up_call_is_found_within_60_ms(
    config: CallConfig, scripted: Script, language: str, number: int
) -> None:
    stage = constructed(demo_phrases(language), number)
    off = errors(stage, cues_of(play(config, scripted(), stage.legs())))
    assert {kind for kind, _, _ in off} == set(TURNS)
    assert max(abs(start) for _, start, _ in off) <= TOLERANCE, off
    assert max(abs(end) for _, _, end in off) <= TOLERANCE, off


@pytest.mark.parametrize(("corpus", "every"), [("emodb", 11), ("ravdess", 29), ("nemo", 67)])
def test_every_episode_is_found_in_real_speech(
    config: CallConfig, scripted: Script, corpora: Path, corpus: str, every: int
) -> None:
    """Measured over 8 calls of each: all but 2 of 120 starts and 2 of 120 ends within 20 ms (36 in
    one), the others up to 190 ms: voices that begin or end softly."""
    stage = constructed(corpus_phrases(corpora / corpus, every), 0)
    off = errors(stage, cues_of(play(config, scripted(), stage.legs())))
    assert {kind for kind, _, _ in off} == set(TURNS)
    edges = np.abs([(start, end) for _, start, end in off])
    assert (edges <= TOLERANCE).mean() >= 0.9
    assert edges.max() <= 1600


# --- what is none of it -----------------------------------------------------------------------

MUSIC = [f"music_{kind}" for kind in ("organ", "strings", "guitar", "piano", "pad", "band", "sung")]
TONES = ["ringback", "busy", "dial", "special_information", "dtmf"]


def test_a_leg_that_sends_no_more_while_it_speaks_speaks_no_more(
    config: CallConfig, scripted: Script
) -> None:
    legs = constructed(demo_phrases("english"), 0).legs()
    end = next(
        event.start + 1600  # 200 ms into something that the customer says
        for event in play(config, scripted(), legs)
        if isinstance(event, SpeechActivity) and event.leg == "customer"
        if event.sound is Sound.SPEECH and event.start > 40_000
    )
    cut = play(config, scripted(), {**legs, "customer": legs["customer"][:end]})
    customer = {**legs, "customer": np.concatenate([legs["customer"][:end], np.zeros(80_000)])}
    padded = play(config, scripted(), customer)
    assert list(episodes(cues_of(cut))) == list(episodes(cues_of(padded)))
    speech = [
        told.legs[0].speech for told in (cut[-1], padded[-1]) if isinstance(told, CallSummary)
    ]
    assert speech[0] == pytest.approx(speech[1], abs=TOLERANCE)


def test_who_sends_nothing_in_pauses_says_nothing_in_them(
    config: CallConfig, scripted: Script
) -> None:
    legs = constructed(demo_phrases("english"), 0).legs()
    call = Call(replace(config, consent=Consent.REFUSED), scripted())
    sent = [
        EncodedAudio(leg, encode_pcmu(samples[at : at + 160]), offset_seconds=at / 8000)
        for leg, samples in legs.items()
        for at in 160 * np.flatnonzero(~unsent(samples))
    ]
    events = call.start()
    for message in sorted(sent, key=lambda message: message.offset_seconds or 0.0):
        events += call.push(message)
    events += [*call.finish(), *call.close()]
    whole = Counter(cue.kind for cue in cues_of(play(config, scripted(), legs)))
    assert Counter(cue.kind for cue in cues_of(events)) == whole


@pytest.mark.parametrize("kind", [*MUSIC, *TONES])
def test_music_and_tones_are_no_turns_and_no_dead_air(
    config: CallConfig, scripted: Script, kind: str
) -> None:
    """Half a minute on the agent's leg, before which the agent said something."""
    stage = Stage(demo_phrases("german"))
    stage.say("agent", 0, 0)
    stage.put("agent", stage.at + 8000, generate(kind, 30.0, 1_000_000))
    stage.at += 8000 + 30 * 8000
    stage.say("customer", 8000, 0)
    assert cues_of(play(config, scripted(), stage.legs())) == []


def quiet_for_ten_seconds(phrases: Phrases) -> tuple[Stage, int]:
    """The agent speaks, then, after ten seconds, the customer; where the agent ends."""
    stage = Stage(phrases)
    stage.say("agent", 0, 0)
    ended = stage.at
    stage.say("customer", 80_000, 0)
    return stage, ended


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        (LineState.ON_HOLD, set()),
        (LineState.MUTED, {CueKind.DEAD_AIR, CueKind.SLOW_REPLY}),
        (LineState.OPEN, {CueKind.DEAD_AIR, CueKind.SLOW_REPLY}),
    ],
)
def test_hold_is_no_dead_air_and_needs_no_answer_but_mute_is_and_does(
    config: CallConfig, scripted: Script, state: LineState, kinds: set[CueKind]
) -> None:
    stage, ended = quiet_for_ten_seconds(demo_phrases("german"))
    updates = [(ended + 8000, LineChange("agent", state))]
    cues = cues_of(play(config, scripted(), stage.legs(), updates))
    assert {cue.kind for cue in cues} == kinds


def test_dead_air_begins_where_the_hold_ends(config: CallConfig, scripted: Script) -> None:
    stage, ended = quiet_for_ten_seconds(demo_phrases("german"))
    hold = [(ended + 4000, LineState.ON_HOLD), (ended + 30_000, LineState.OPEN)]
    updates = [(at, LineChange("agent", state)) for at, state in hold]
    cues = cues_of(play(config, scripted(), stage.legs(), updates))
    assert [(cue.leg, cue.kind, cue.phase) for cue in cues] == [
        ("agent", CueKind.DEAD_AIR, CuePhase.ONSET),
        ("agent", CueKind.DEAD_AIR, CuePhase.OFFSET),
    ]
    assert cues[0].start == (ended + 30_000) // 160 * 160
    assert cues[0].end == cues[0].start + DEAD_AIR


# --- however it comes -------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)  # hypothesis shows all arguments of a test that fails
class Whole:
    """A call with a cue of every kind, and what it says when it comes in half seconds."""

    legs: dict[str, FloatArray]
    said: list[CallEvent]


def of_the_call(events: Sequence[CallEvent]) -> list[CallEvent]:
    """What waits for the call's own order."""
    return [event for event in events if isinstance(event, Cue | Trend | CallSummary)]


@pytest.fixture(scope="module")
def whole(config: CallConfig, scripted: Script) -> Whole:
    stage = Stage(demo_phrases("english"))
    silences(stage)
    interruption(stage)
    hurry(stage)
    monologue(stage, 0)
    legs = stage.legs()
    return Whole(legs, of_the_call(play(config, scripted(), legs)))


def test_the_whole_call_has_every_cue_of_turn_taking(whole: Whole) -> None:
    cues = cues_of(whole.said)
    assert {cue.kind for cue in cues} == {*TURNS, CueKind.FAST_PACE}
    assert {known.kind for known in episodes(cues)} == {*TURNS, CueKind.FAST_PACE}
    assert [cue.sequence for cue in cues] == list(range(len(cues)))


@settings(max_examples=3, deadline=None)
@given(st.lists(st.integers(1600, 4000), min_size=1, max_size=5), st.permutations(LEGS))
def test_any_split_and_order_of_the_legs_gives_the_same_cues(
    config: CallConfig, scripted: Script, whole: Whole, lengths: list[int], order: list[str]
) -> None:
    legs = {leg: whole.legs[leg] for leg in order}
    assert of_the_call(play(config, scripted(), legs, lengths=lengths)) == whole.said
