"""The baseline's arithmetic by hand, and the words its shifts are put in."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.scoring.baseline import (
    NOTABLE,
    OWN_SECONDS,
    PRIOR_SECONDS,
    QUANTITIES,
    Baseline,
    Typical,
    notable,
)
from emotion_service.types import SAMPLE_RATE_HERTZ, Prosody, Reason

SECOND = SAMPLE_RATE_HERTZ
PRIOR = {
    "pitch": Typical(math.log(160), 0.25),
    "pitch_range": Typical(3.0, 1.0),
    "pace": Typical(4.0, 0.8),
    "brightness": Typical(-9.0, 2.0),
    "roughness": Typical(2.5, 0.5),
}
USUAL = Prosody(
    speech=SECOND,
    pitch=math.log(160),
    pitch_range=3.0,
    pace=4.0,
    tilt=-9.0,
    roughness=2.5,
)
UNVOICED = Prosody(SECOND, None, None, 4.0, None, None)


def reason(prosody: Prosody, baseline: Baseline | None = None) -> Reason:
    """The only reason there is."""
    (only,) = notable((baseline or Baseline(PRIOR)).shifts(prosody))
    return only


# --- shrinkage --------------------------------------------------------------------------------


def test_at_first_the_typical_speaker_is_usual() -> None:
    baseline = Baseline(PRIOR)
    for name, typical in PRIOR.items():
        assert baseline.mean(name) == pytest.approx(typical.mean)


def test_the_prior_weighs_as_much_as_four_seconds_of_speech() -> None:
    assert PRIOR_SECONDS == 4.0
    baseline = Baseline(PRIOR)
    baseline.update(replace(USUAL, pace=6.0), 4 * SECOND)
    assert baseline.mean("pace") == pytest.approx((4 * 4.0 + 4 * 6.0) / 8)
    baseline.update(replace(USUAL, pace=3.0), 2 * SECOND)
    assert baseline.mean("pace") == pytest.approx((4 * 4.0 + 4 * 6.0 + 2 * 3.0) / 10)


def test_pitch_is_averaged_on_its_logarithm() -> None:
    baseline = Baseline(PRIOR)
    baseline.update(replace(USUAL, pitch=math.log(320)), 4 * SECOND)
    assert math.exp(baseline.mean("pitch")) == pytest.approx(160 * math.sqrt(2))


def test_what_a_window_does_not_say_is_not_averaged() -> None:
    baseline = Baseline(PRIOR)
    baseline.update(replace(UNVOICED, pace=8.0), 4 * SECOND)
    assert baseline.mean("pace") == pytest.approx(6.0)
    assert baseline.mean("pitch") == pytest.approx(math.log(160))
    assert baseline.mean("brightness") == pytest.approx(-9.0)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 10 * SECOND)), max_size=20))
def test_usual_is_the_weighted_mean_of_prior_and_speech(heard: list[tuple[float, int]]) -> None:
    baseline = Baseline(PRIOR)
    for pace, speech in heard:
        baseline.update(replace(USUAL, pace=pace), speech)
    weight = sum(speech for _, speech in heard) / SECOND
    total = sum(pace * speech for pace, speech in heard) / SECOND
    assert baseline.mean("pace") == pytest.approx((16.0 + total) / (4.0 + weight))


def test_a_copy_knows_the_same_and_goes_its_own_way() -> None:
    baseline = Baseline(PRIOR)
    baseline.update(replace(USUAL, pace=6.0), 4 * SECOND)
    copied = baseline.copy()
    assert copied.mean("pace") == baseline.mean("pace") == pytest.approx(5.0)
    copied.update(replace(USUAL, pace=6.0), 8 * SECOND)
    baseline.update(replace(USUAL, pace=2.0), 8 * SECOND)
    assert copied.mean("pace") == pytest.approx((16 + 12 * 6.0) / 16)
    assert baseline.mean("pace") == pytest.approx((16 + 4 * 6.0 + 8 * 2.0) / 16)


# --- reasons ----------------------------------------------------------------------------------


def test_a_usual_window_has_no_reasons() -> None:
    assert notable(Baseline(PRIOR).shifts(USUAL)) == ()


def test_a_reason_is_complete() -> None:
    # A deviation of 2 dB an octave keeps the arithmetic exact.
    assert reason(replace(USUAL, tilt=-6.5)) == Reason(
        feature="brightness",
        value=-6.5,
        baseline=-9.0,
        unit="dB/octave",
        shift=1.25,
        own_baseline=False,
        text="voice brighter, harder than what is typical",
    )


def test_pitch_is_shown_in_hertz_and_shifted_on_its_logarithm() -> None:
    raised = reason(replace(USUAL, pitch=math.log(200)))
    assert (raised.feature, raised.unit) == ("pitch", "Hz")
    assert [raised.value, raised.baseline] == pytest.approx([200, 160])
    assert raised.shift == pytest.approx(math.log(200 / 160) / 0.25)
    assert raised.text == "pitch 25 % above what is typical"


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (replace(USUAL, pitch=math.log(120)), "pitch 25 % below what is typical"),
        (replace(USUAL, pitch_range=4.5), "pitch moves more widely than what is typical"),
        (replace(USUAL, pitch_range=1.5), "pitch moves more narrowly than what is typical"),
        (replace(USUAL, pace=2.0), "pace 50 % below what is typical"),
        (replace(USUAL, tilt=-6.0), "voice brighter, harder than what is typical"),
        (replace(USUAL, tilt=-12.0), "voice softer than what is typical"),
        (replace(USUAL, roughness=3.5), "voice rougher than what is typical"),
        (replace(USUAL, roughness=1.5), "voice smoother than what is typical"),
    ],
)
def test_words(window: Prosody, text: str) -> None:
    assert reason(window).text == text


@pytest.mark.parametrize(
    ("feature", "unit"),
    [
        ("pitch", "Hz"),
        ("pitch_range", "semitones"),
        ("pace", "syllables/s"),
        ("brightness", "dB/octave"),
        ("roughness", "per cent"),
    ],
)
def test_units(feature: str, unit: str) -> None:
    assert QUANTITIES[feature].unit == unit


def test_a_shift_counts_from_three_quarters_of_a_deviation() -> None:
    assert NOTABLE == 0.75
    # Two dB an octave are a deviation; all of these are exact in binary.
    assert reason(replace(USUAL, tilt=-7.5)).shift == 0.75
    assert notable(Baseline(PRIOR).shifts(replace(USUAL, tilt=-7.501))) == ()
    assert reason(replace(USUAL, tilt=-10.5)).shift == -0.75
    assert notable(Baseline(PRIOR).shifts(replace(USUAL, tilt=-10.499))) == ()


def test_the_furthest_shift_comes_first_whatever_its_direction() -> None:
    window = replace(USUAL, pace=5.0, tilt=-14.0, roughness=3.5, pitch_range=4.0)
    reasons = notable(Baseline(PRIOR).shifts(window))
    assert [r.feature for r in reasons] == ["brightness", "roughness", "pace", "pitch_range"]
    assert [r.shift for r in reasons] == pytest.approx([-2.5, 2.0, 1.25, 1.0])


def test_an_unvoiced_window_can_only_differ_in_pace() -> None:
    assert reason(replace(UNVOICED, pace=0.0)).text == "pace 100 % below what is typical"


def test_after_eight_seconds_the_baseline_is_the_speakers_own() -> None:
    assert OWN_SECONDS == 8.0
    baseline = Baseline(PRIOR)
    baseline.update(USUAL, 8 * SECOND - 1)
    assert reason(replace(USUAL, pace=5.0), baseline).own_baseline is False
    baseline.update(USUAL, 1)
    own = reason(replace(USUAL, pace=5.0), baseline)
    assert own.own_baseline is True
    assert own.text == "pace 25 % above their usual"


def test_each_quantity_has_a_history_of_its_own() -> None:
    baseline = Baseline(PRIOR)
    baseline.update(UNVOICED, 8 * SECOND)
    reasons = notable(baseline.shifts(replace(USUAL, pace=8.0, roughness=5.0)))
    assert {r.feature: r.own_baseline for r in reasons} == {"pace": True, "roughness": False}


def test_a_reason_speaks_of_the_baseline_before_the_window() -> None:
    baseline = Baseline(PRIOR)
    baseline.update(replace(USUAL, pace=6.0), 12 * SECOND)
    slow = reason(replace(USUAL, pace=4.0), baseline)
    assert slow.baseline == pytest.approx(5.5)
    assert slow.shift == pytest.approx(-1.5 / 0.8)
    assert slow.text == "pace 27 % below their usual"
