"""Evidence for a change, by hand: leap 1.25, at most 2.5 a score, at most 8 in all."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.evidence import Evidence, EvidenceRules

HOP = 4000
PRIOR = log(0.18 / 0.82)
RULES = EvidenceRules(leap=1.25, largest=2.5, most=8.0, usual_memory=1_440_000)


def share(log_odds: float) -> float:
    """The probability with these log-odds."""
    return 1 / (1 + exp(-log_odds))


def test_a_speaker_not_heard_yet_is_taken_for_a_typical_one() -> None:
    assert Evidence(RULES).usual == pytest.approx(PRIOR)


def test_a_score_adds_what_it_exceeds_the_usual_and_the_leap_by() -> None:
    evidence = Evidence(RULES)
    evidence.add(share(PRIOR + 2.0), 20_000, HOP, 1.0)
    assert evidence.amount == pytest.approx(0.75)
    assert evidence.since == 20_000
    evidence.add(share(PRIOR + 1.5), 24_000, HOP, 1.0)
    assert evidence.amount == pytest.approx(1.0)
    assert evidence.since == 20_000


@pytest.mark.parametrize(
    ("step", "weight", "added"),
    [(HOP, 0.5, 0.375), (HOP // 4, 1.0, 0.1875), (16_000, 1.0, 0.75), (HOP // 2, 0.5, 0.1875)],
)
def test_little_speech_and_short_steps_count_less_and_pauses_no_more(
    step: int, weight: float, added: float
) -> None:
    evidence = Evidence(RULES)
    evidence.add(share(PRIOR + 2.0), 20_000, step, weight)
    assert evidence.amount == pytest.approx(added)


def test_no_score_counts_as_further_from_the_usual_than_the_largest() -> None:
    evidence = Evidence(RULES)
    evidence.add(1.0, 20_000, HOP, 1.0)
    assert evidence.amount == pytest.approx(1.25)
    for number in range(9):
        evidence.add(1.0, 24_000 + number * HOP, HOP, 1.0)
    assert evidence.amount == 8.0  # the most that is kept
    evidence.add(0.0, 64_000, HOP, 1.0)
    assert evidence.amount == pytest.approx(4.25)


def test_where_nothing_is_left_the_change_has_not_begun() -> None:
    evidence = Evidence(RULES)
    evidence.add(0.9, 20_000, HOP, 1.0)
    evidence.add(share(PRIOR), 24_000, HOP, 1.0)
    assert (evidence.amount, evidence.since) == (0.0, None)
    evidence.add(0.9, 28_000, HOP, 1.0)
    assert evidence.since == 28_000


def test_what_is_usual_is_learned() -> None:
    """20 s of the typical speaker against 1 s of this one, of which the first half fades."""
    evidence = Evidence(RULES)
    evidence.learn(share(1.0), HOP)
    evidence.learn(share(0.5), 40_000)  # after a pause: one hop
    fading = exp(-HOP / 1_440_000)
    assert evidence.usual == pytest.approx(
        (160_000 * PRIOR + HOP * fading * 1.0 + HOP * 0.5) / (160_000 + HOP * fading + HOP)
    )


def test_clear_keeps_what_is_usual() -> None:
    evidence = Evidence(RULES)
    evidence.learn(0.5, HOP)
    usual = evidence.usual
    evidence.add(0.9, 20_000, HOP, 1.0)
    evidence.clear()
    assert (evidence.amount, evidence.since, evidence.usual) == (0.0, None, usual)


heard = st.lists(st.tuples(st.floats(0, 1), st.integers(80, 40_000), st.sampled_from([0.5, 1.0])))


@given(heard)
def test_it_stays_within_its_bounds(scores: list[tuple[float, int, float]]) -> None:
    evidence, end = Evidence(RULES), 0
    for probability, step, weight in scores:
        end += step
        evidence.add(probability, end, step, weight)
        evidence.learn(probability, step)
        assert 0.0 <= evidence.amount <= RULES.most
        assert (evidence.since is None) == (evidence.amount == 0.0)


def test_nobody_is_taken_to_be_usually_angry() -> None:
    evidence = Evidence(RULES)
    for _ in range(4000):
        evidence.learn(0.9, HOP)
    assert evidence.usual == pytest.approx(log(0.35 / 0.65))


@given(st.floats(0.01, RULES.usual_most), st.integers(400, 800))
def test_who_always_sounds_the_same_gives_no_evidence_in_the_end(
    probability: float, scores: int
) -> None:
    evidence = Evidence(RULES)
    for number in range(scores):
        evidence.learn(probability, HOP)
        evidence.add(probability, number * HOP, HOP, 1.0)
    assert evidence.amount == 0.0
