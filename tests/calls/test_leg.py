"""One leg, its sounds scripted: when windows are due, what they hold, what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from emotion_service.audio.ear import Blocks, Ear, listen
from emotion_service.audio.features import CONTEXT
from emotion_service.calls.leg import FIRST_WORDS, WINDOW, Leg, Progress, hear
from emotion_service.errors import BadInput
from emotion_service.scoring.baseline import QUANTITIES, Typical
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import Speaker
from emotion_service.types import (
    BLOCK,
    Consent,
    FloatArray,
    LegConfig,
    LineState,
    Party,
    Permit,
    Placement,
    Sound,
    SpeechActivity,
)

PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
QUIET, LOUD = b"\xff", b"\x80"  # µ-law's zero and its largest code, 0.98 of full scale
ScriptedLeg = Callable[[str], Leg]


def said(letter: str) -> Sound:
    return Sound.SPEECH if letter == "S" else Sound.SILENCE


@pytest.fixture
def leg_of(monkeypatch: pytest.MonkeyPatch) -> ScriptedLeg:
    """A leg, not yet permitted, whose n-th block is speech where the script's n-th letter is S;
    for ever silent after it."""

    def leg_of(script: str) -> Leg:
        letters = iter(script)

        def scripted(ears: Sequence[Ear], parts: Sequence[FloatArray]) -> list[Blocks]:
            return [
                replace(blocks, sounds=[said(next(letters, ".")) for _ in blocks.sounds])
                for blocks in listen(ears, parts)
            ]

        monkeypatch.setattr("emotion_service.calls.leg.listen", scripted)
        return Leg(LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 8000))

    return leg_of


def permitted(leg: Leg) -> Leg:
    leg.allow(PERMIT, Speaker({name: Typical(4.0, 2.0) for name in QUANTITIES}))
    return leg


def requests(leg: Leg, steps: Iterable[Progress]) -> list[ScoringRequest]:
    grant = leg.grant
    assert grant is not None
    return [grant.request(step.at, 0, 0) for step in steps if step.due]


def pushed(leg: Leg, data: bytes) -> list[Progress]:
    return list(leg.push(data, None, None))


def due_at(steps: Iterable[Progress]) -> list[int]:
    return [step.at for step in steps if step.due]


# --- blocks and the grid ----------------------------------------------------------------------


def test_a_block_is_decided_when_it_is_complete(leg_of: ScriptedLeg) -> None:
    leg = leg_of("")
    assert pushed(leg, QUIET * 159) == []
    assert leg.at == 0
    assert pushed(leg, QUIET) == [Progress(160, [], False)]
    assert leg.at == 160


def test_it_is_worth_hearing_when_audio_up_to_a_stride_has_come() -> None:
    leg = Leg(LegConfig("customer", Party.CUSTOMER, "audio/PCMU", 8000))
    worth = []
    for _ in range(30):
        leg.receive(QUIET * 159, None, None)
        worth.append(leg.worth_hearing)
        if leg.worth_hearing:
            hear([leg])
            list(leg.progress())
    # Blocks end at 2080 and 4000: 14 * 159 = 2226 and 26 * 159 = 4134 are the first beyond.
    assert [number for number, one in enumerate(worth, 1) if one] == [14, 26]
    assert leg.at == 4134 // BLOCK * BLOCK


def test_the_end_completes_the_last_block(leg_of: ScriptedLeg) -> None:
    leg = leg_of("")
    pushed(leg, QUIET * 161)
    assert [step.at for step in leg.finish()] == [320, 320]
    assert leg.placement == Placement(received=161)


def test_steps_stop_at_every_point_of_the_grid(leg_of: ScriptedLeg) -> None:
    leg = leg_of("")
    pushed(leg, QUIET * 160)
    assert [step.at for step in pushed(leg, QUIET * 8160)] == [4000, 8000, 8320]


def test_activities_come_with_the_step_that_settled_them(leg_of: ScriptedLeg) -> None:
    steps = pushed(leg_of("." * 23 + "S" * 30), QUIET * 12000)
    assert [step.at for step in steps] == [4000, 8000, 12000]
    assert [step.activities for step in steps] == [
        [],
        [SpeechActivity("customer", 0, Sound.SPEECH, 23 * BLOCK, 26 * BLOCK)],
        [SpeechActivity("customer", 1, Sound.SILENCE, 53 * BLOCK, 68 * BLOCK)],
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("S" * 100, [4000, 8000, 12000, 16000]),
        ("", []),
        ("SSSSS", [4000]),  # 100 ms of it, over long before
        ("SSSS", []),  # 80 ms
        ("SSSS" + "." * 21 + "S", [8000]),  # ... and 20 ms half a second later
        ("." * 20 + "SSSSS" + "." * 20 + "SSSS", [4000, 8000]),  # at 8000 it still speaks
        ("." * 45 + "SSS", [8000]),  # 60 ms, and it still speaks
        ("." * 48 + "SSS", []),  # settled after 8000, and ended before 12000
    ],
)
def test_windows_are_due_on_the_grid_where_there_is_new_speech(
    leg_of: ScriptedLeg, script: str, expected: list[int]
) -> None:
    assert due_at(pushed(leg_of(script), QUIET * 16000)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("S" * 100, [4000, 4800, 8000, 9600, 12000, 16000]),  # 0.6 and 1.2 s of speech
        ("S" * 29 + "." * 70 + "S", [4000, 16000]),  # 0.58 s, and 20 ms later on
        ("." * 25 + "S" * 50, [8000, 8800, 12000]),  # 1 s, from 0.5 s on
        ("." * 20 + "S" * 30 + "." * 30 + "S" * 20, [4000, 8000, 16000]),
    ],
)
def test_the_first_words_of_whom_may_be_scored_do_not_wait_for_the_grid(
    leg_of: ScriptedLeg, script: str, expected: list[int]
) -> None:
    for cut in (16000, 160, 1120):
        leg = permitted(leg_of(script))
        due = [at for _ in range(0, 16000, cut) for at in due_at(pushed(leg, QUIET * cut))]
        assert [at for at in due if at <= 16000] == expected


@pytest.mark.parametrize(("pause", "expected"), [(199, 36_640), (200, 41_440)])
def test_first_words_that_no_window_holds_any_more_are_forgotten(
    leg_of: ScriptedLeg, pause: int, expected: int
) -> None:
    """Of 0.58 s and, after almost or all of a window's length, 0.6 s."""
    leg = permitted(leg_of("S" * 29 + "." * pause + "S" * 30))
    due = due_at(pushed(leg, QUIET * 48_000))
    assert [at for at in due if at % 4000] == [expected]


def test_each_permit_has_its_own_first_words(leg_of: ScriptedLeg) -> None:
    leg = permitted(leg_of("S" * 300))
    pushed(leg, QUIET * 16000)
    permitted(leg)
    assert due_at(pushed(leg, QUIET * 12000)) == [20000, 20800, 24000, 25600, 28000]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("S" * 100, [2080, 4000, 4800, 6080, 8000, 9600, 10080, 12000, 14080, 16000]),
        ("S" * 29, [2080, 4000, *range(4800, 16001, 160)]),  # any block may be the last it takes
        ("S" * 15, [2080, 4000, 6080, 8000, 10080, 12000, 14080, 16000]),  # 0.3 s are missing
        ("", [2080, 4000, 6080, 8000, 10080, 12000, 14080, 16000]),
    ],
)
def test_it_is_worth_hearing_when_the_first_words_may_be_enough(
    leg_of: ScriptedLeg, script: str, expected: list[int]
) -> None:
    leg = permitted(leg_of(script))
    worth = []
    for number in range(1, 101):
        leg.receive(QUIET * 160, None, None)
        if leg.worth_hearing:
            worth.append(number * 160)
            hear([leg])
            list(leg.progress())
    assert worth == expected


@pytest.mark.parametrize(("blocks", "expected"), [(30, [4800]), (29, []), (25, [])])
def test_the_end_is_due_where_100_ms_of_speech_came_after_the_last_window(
    leg_of: ScriptedLeg, blocks: int, expected: list[int]
) -> None:
    leg = leg_of("S" * blocks)
    pushed(leg, QUIET * 160 * blocks)
    assert due_at(leg.finish()) == expected


def test_speech_before_the_permit_makes_no_window(leg_of: ScriptedLeg) -> None:
    leg = leg_of("S" * 20)
    pushed(leg, QUIET * 160 * 20)
    permitted(leg)
    assert due_at(leg.finish()) == []


# --- what a window holds ----------------------------------------------------------------------


def test_windows_cover_every_frame_once_and_bring_their_context(leg_of: ScriptedLeg) -> None:
    leg = permitted(leg_of("S" * 100))
    noise = np.random.default_rng(0).integers(0, 256, 16000, np.uint8).tobytes()
    windows = requests(leg, leg.push(noise, None, None))
    ends = [0, *(window.end for window in windows)]
    assert ends == [0, 4000, 4800, 8000, 9600, 12000, 16000]
    for window, (start, end) in zip(windows, pairwise(ends), strict=True):
        assert window.audio.start == start - CONTEXT
        assert len(window.audio.samples) == end - start + CONTEXT
        assert window.audio.voice.tolist() == [True] * ((end - start) // 80)
    assert not windows[0].audio.samples[:CONTEXT].any()
    for before, after in pairwise(windows):
        assert np.array_equal(before.audio.samples[-CONTEXT:], after.audio.samples[:CONTEXT])


def test_a_window_reaches_back_to_the_one_before_it(leg_of: ScriptedLeg) -> None:
    leg = permitted(leg_of("S" * 100 + "." * 60 + "S" * 40))
    windows = requests(leg, leg.push(QUIET * 32000, None, None))
    assert [window.end for window in windows][-3:] == [16000, 28000, 32000]
    voice = windows[-2].audio.voice  # 16000 to 28000; speech from block 160 on
    assert voice.tolist() == [False] * 120 + [True] * 30


def test_a_window_holds_four_seconds_at_most(leg_of: ScriptedLeg) -> None:
    leg = permitted(leg_of("." * 500 + "S" * 25))
    (window,) = requests(leg, leg.push(QUIET * 84000, None, None))
    assert (window.end, len(window.audio.voice)) == (84000, 400)
    assert len(window.audio.samples) == WINDOW + CONTEXT
    assert window.audio.voice.tolist() == [False] * 350 + [True] * 50


def test_a_window_begins_with_the_permit(leg_of: ScriptedLeg) -> None:
    leg = leg_of("S" * 100)
    pushed(leg, LOUD * 6400)
    permitted(leg)
    (window,) = requests(leg, leg.push(LOUD * 1600, None, None))
    assert (window.end, len(window.audio.voice)) == (8000, 20)
    assert not window.audio.samples[:CONTEXT].any()
    assert window.audio.samples[CONTEXT:].all()


# --- quality ----------------------------------------------------------------------------------

# Where windows end of whoever speaks for 4.5 s from the first sample on.
ENDS = sorted({*range(4000, 36_001, 4000), *FIRST_WORDS})


def test_lost_audio_counts_by_the_sample(leg_of: ScriptedLeg) -> None:
    """960 samples are lost, of seven blocks: five whole ones, half a block at either end."""
    leg = permitted(leg_of("S" * 300))
    first = requests(leg, leg.push(QUIET * 2000, 0.0, None))
    rest = requests(leg, leg.push(QUIET * 34000, 2960 / 8000, None))
    lost = {window.end: window.quality.lost_fraction for window in first + rest}
    assert list(lost) == ENDS
    expected = [960 / end for end in ENDS[:-1]]
    assert list(lost.values()) == pytest.approx([*expected, 0.0])
    assert leg.placement == Placement(received=36000, gaps=1, lost=960)


def test_full_scale_counts_as_clipped_by_the_sample(leg_of: ScriptedLeg) -> None:
    leg = permitted(leg_of("S" * 300))
    data = QUIET * 1000 + LOUD * 300 + b"\x00" * 100 + b"\x81" * 100 + QUIET * 34500
    windows = requests(leg, leg.push(data, None, None))
    clipped = [window.quality.clipped_fraction for window in windows]
    expected = [400 / end for end in ENDS[:-1]]
    assert clipped == pytest.approx([*expected, 0.0])


def test_evidence_is_the_speech_of_the_last_four_seconds(leg_of: ScriptedLeg) -> None:
    leg = leg_of("S" * 30 + "." * 250 + "S" * 40)
    grant = leg.allow(PERMIT, Speaker({}))
    heard = [grant.evidence() // BLOCK for _ in leg.push(QUIET * 52000, None, None)]
    assert heard == [25, *[30] * 8, 5, 0, 0, 20, 30, 40]


# --- line and bytes ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", [LineState.ON_HOLD, LineState.MUTED])
def test_what_is_not_open_keeps_its_time_but_is_silent(
    leg_of: ScriptedLeg, state: LineState
) -> None:
    leg = permitted(leg_of("S" * 100))
    leg.line = state
    (window,) = requests(leg, leg.push(LOUD * 4000, None, None))
    assert leg.at == 4000
    assert not window.audio.samples.any()
    assert window.quality.clipped_fraction == 0.0
    leg.line = LineState.OPEN
    window, _ = requests(leg, leg.push(LOUD * 4000, None, None))
    assert not window.audio.samples[:CONTEXT].any()
    assert window.audio.samples[CONTEXT:].all()


# --- other rates ------------------------------------------------------------------------------


def noise_of(rate: int, seconds: float) -> bytes:
    noise = np.random.default_rng(0).integers(-9000, 9000, round(rate * seconds))
    return noise.astype(">i2").tobytes()


def leg_at(leg_of: ScriptedLeg, rate: int, script: str) -> Leg:
    leg_of(script)
    return Leg(LegConfig("customer", Party.CUSTOMER, "audio/L16", rate))


@pytest.mark.parametrize("rate", [16000, 24000, 32000, 44100, 48000])
def test_changes_in_mid_call_take_effect_at_one_instant_however_the_audio_was_split(
    leg_of: ScriptedLeg, rate: int
) -> None:
    def heard(samples_each: int) -> list[tuple[int, bytes, bytes]]:
        leg = leg_at(leg_of, rate, "S" * 200)
        windows: list[ScoringRequest] = []
        for change, seconds in ((None, 0.53), ("permit", 0.71), ("hold", 0.33), ("open", 0.87)):
            if change == "permit":
                permitted(leg)
            elif change:
                leg.line = LineState.ON_HOLD if change == "hold" else LineState.OPEN
            data, size = noise_of(rate, seconds), 2 * samples_each
            for at in range(0, len(data), size):
                steps = leg.push(data[at : at + size], None, None)
                if leg.grant is None:
                    list(steps)
                else:
                    windows += requests(leg, steps)
        windows += requests(leg, leg.finish())
        return [(w.end, w.audio.samples.tobytes(), w.audio.voice.tobytes()) for w in windows]

    whole = heard(10 * rate)
    assert len(whole) >= 4
    for samples_each in (rate // 10, rate // 50, 677):
        assert heard(samples_each) == whole


@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_the_resampler_held_back_at_the_permit_is_not_heard(
    leg_of: ScriptedLeg, rate: int
) -> None:
    leg = leg_at(leg_of, rate, "S" * 200)
    list(leg.push(noise_of(rate, 0.4), None, None))
    permitted(leg)
    first, *_ = requests(leg, leg.push(noise_of(rate, 1.0), None, None))
    before = 3200 - first.audio.start
    assert CONTEXT < before < CONTEXT + 1600
    assert not first.audio.samples[:before].any()
    assert first.audio.samples[before:].any()
    assert not first.audio.voice[: (before - CONTEXT) // 80].any()


@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_the_resampler_held_back_on_hold_is_never_heard(
    leg_of: ScriptedLeg, rate: int
) -> None:
    leg = permitted(leg_at(leg_of, rate, "S" * 200))
    leg.line = LineState.ON_HOLD
    list(leg.push(noise_of(rate, 0.4), None, None))
    leg.line = LineState.OPEN
    windows = requests(leg, leg.push(bytes(2 * rate), None, None))
    assert windows
    assert not any(window.audio.samples.any() for window in windows)


def test_half_a_sample_is_refused() -> None:
    leg = Leg(LegConfig("customer", Party.CUSTOMER, "audio/L16", 16000, channels=2))
    assert leg.frame_bytes == 4
    with pytest.raises(BadInput) as refused:
        leg.push(b"\0" * 6, None, None)
    assert refused.value.reason == "TRUNCATED_AUDIO"
