"""The gate: no stage may cost much more of a fixed piece of work than it did."""

from __future__ import annotations

from benchmarks.baseline import exceeded, kept, least, measured
from benchmarks.stages import material
from benchmarks.workloads import STAGES


def test_no_stage_costs_more_than_it_may() -> None:
    calls, before = material(None), kept()
    assert exceeded(least(lambda: measured(calls), before), before) == []


def test_every_stage_has_a_baseline_and_nothing_else_has() -> None:
    assert kept().keys() == STAGES.keys()


def test_what_costs_too_much_is_named_with_both_figures() -> None:
    (said,) = exceeded({"vad": 1.7, "gate": 1.5}, {"vad": 1.0, "gate": 1.0})
    assert said.startswith("vad costs 1.70 times what it did (1.700 of the reference, 1.000 before")
    (said,) = exceeded({"new": 0.1}, {})
    assert said == "new is not in baseline.json: write that anew (--write)"


def test_a_disturbance_is_measured_again_a_rise_stays() -> None:
    disturbed = iter([{"vad": 9.0, "gate": 1.0}, {"vad": 1.1, "gate": 1.3}, {}])
    assert least(lambda: next(disturbed), {"vad": 1.0, "gate": 1.0}) == {"vad": 1.1, "gate": 1.0}
    risen = iter([{"vad": 1.9}, {"vad": 2.0}, {"vad": 1.8}])
    assert least(lambda: next(risen), {"vad": 1.0}) == {"vad": 1.8}
