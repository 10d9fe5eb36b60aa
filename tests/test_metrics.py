"""What each event adds to the figures, also while they are being scraped."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields, replace

import pytest

from emotion_service.delivery.notice import Latency
from emotion_service.metrics import LATENCY_SECONDS, PLACEMENT, Metrics
from emotion_service.types import (
    Abstain,
    Consent,
    Cue,
    CueKind,
    CuePhase,
    EmotionScore,
    Indices,
    Party,
    Permit,
    Placement,
    Probabilities,
    Quality,
)

PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)
SCORE = EmotionScore(
    permit=PERMIT,
    sequence=0,
    start=0,
    end=16_000,
    probabilities=Probabilities(0.25, 0.25, 0.25, 0.25),
    indices=Indices(0.5, 0.5),
    evidence=12_000,
    provisional=False,
    abstain=None,
    reasons=(),
    quality=Quality(),
    model_version="stub-1",
)
IN_TIME = Latency(250.0, 20.0, 30.0, 40.0)


@dataclass
class Leg:
    """Of a call that goes on."""

    placement: Placement


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"emotion_service_{name}", labels)


def test_nothing_has_happened() -> None:
    metrics = Metrics()
    assert value(metrics, "calls_total") == 0
    assert value(metrics, "budget_misses_total") == 0
    for name, _ in PLACEMENT.values():
        assert value(metrics, f"{name}_total") == 0


def test_what_runs_here() -> None:
    metrics = Metrics()
    metrics.describe("1.2.3", "stub-1", "CC0-1.0")
    labels = {"version": "1.2.3", "model": "stub-1", "licence": "CC0-1.0"}
    assert value(metrics, "info", **labels) == 1


def test_gauges_are_asked_when_somebody_looks() -> None:
    metrics, live = Metrics(), [3.0]
    metrics.gauge("live_calls", "Calls being streamed.", lambda: live[0])
    assert value(metrics, "live_calls") == 3
    live[0] = 4.0
    assert value(metrics, "live_calls") == 4


def test_a_score_in_time() -> None:
    metrics = Metrics()
    metrics.scored(SCORE, IN_TIME, budget_ms=250)
    assert value(metrics, "scores_total", abstained="none") == 1
    assert value(metrics, "budget_misses_total") == 0
    for stage, seconds in {"queue": 0.02, "features": 0.03, "model": 0.04, "total": 0.25}.items():
        assert value(metrics, "latency_seconds_count", stage=stage) == 1
        assert value(metrics, "latency_seconds_sum", stage=stage) == pytest.approx(seconds)
    assert value(metrics, "latency_seconds_bucket", stage="total", le="0.2") == 0
    assert value(metrics, "latency_seconds_bucket", stage="total", le="0.3") == 1


def test_a_score_above_its_calls_budget_is_a_miss() -> None:
    metrics = Metrics()
    metrics.scored(SCORE, IN_TIME, budget_ms=249)
    assert value(metrics, "budget_misses_total") == 1


def test_a_skipped_window_is_a_miss_and_has_no_latency() -> None:
    metrics = Metrics()
    skipped = replace(SCORE, probabilities=None, indices=None, abstain=Abstain.OVERLOADED)
    metrics.scored(skipped, IN_TIME, budget_ms=10_000)
    assert value(metrics, "scores_total", abstained="overloaded") == 1
    assert value(metrics, "windows_skipped_total") == 1
    assert value(metrics, "budget_misses_total") == 1
    assert value(metrics, "latency_seconds_count", stage="total") is None


@pytest.mark.parametrize("abstain", [a for a in Abstain if a is not Abstain.OVERLOADED])
def test_other_abstentions_are_answers(abstain: Abstain) -> None:
    metrics = Metrics()
    silent = replace(SCORE, probabilities=None, indices=None, abstain=abstain)
    metrics.scored(silent, IN_TIME, budget_ms=300)
    assert value(metrics, "scores_total", abstained=abstain.name.lower()) == 1
    assert value(metrics, "windows_skipped_total") == 0
    assert value(metrics, "latency_seconds_count", stage="total") == 1


@pytest.mark.parametrize("kind", CueKind)
def test_cues_by_kind_and_phase(kind: CueKind) -> None:
    metrics = Metrics()
    cue = Cue("customer", 0, kind, CuePhase.ONSET, 0, 8000, 8000, 0.9, 8000)
    metrics.cued(cue, Latency(30.0))
    metrics.cued(replace(cue, phase=CuePhase.OFFSET), None)
    labels = {"kind": kind.name.lower()}
    assert value(metrics, "cues_total", phase="onset", **labels) == 1
    assert value(metrics, "cues_total", phase="offset", **labels) == 1
    assert value(metrics, "latency_seconds_count", stage="cue") == 1
    assert value(metrics, "latency_seconds_sum", stage="cue") == pytest.approx(0.03)


def test_every_field_of_a_placement_has_a_figure() -> None:
    assert set(PLACEMENT) == {field.name for field in fields(Placement)}
    metrics = Metrics()
    placement = Placement(16_000, 1, 4_000, 2, 3, 4, 5)
    metrics.opened("call", lambda: [placement])
    expected = {
        "audio_seconds": 2.0,
        "audio_gaps": 1,
        "audio_lost_seconds": 0.5,
        "audio_overlaps": 2,
        "audio_duplicates": 3,
        "audio_reordered": 4,
        "audio_late": 5,
    }
    for name, expected_value in expected.items():
        assert value(metrics, f"{name}_total") == expected_value


def test_audio_of_live_and_ended_calls_adds_up_and_never_falls() -> None:
    metrics = Metrics()
    one, two = [Leg(Placement(received=8_000))], [Leg(Placement(received=4_000)), Leg(Placement())]
    metrics.opened(1, lambda: [leg.placement for leg in one])
    metrics.opened(2, lambda: [leg.placement for leg in two])
    assert value(metrics, "audio_seconds_total") == 1.5
    two[1].placement = Placement(received=12_000)
    assert value(metrics, "audio_seconds_total") == 3.0
    metrics.ended(2, completed=True)
    two[0].placement = Placement()  # whatever becomes of it: it was counted as it ended
    assert value(metrics, "audio_seconds_total") == 3.0
    metrics.ended(1, completed=False)
    assert value(metrics, "audio_seconds_total") == 3.0
    assert value(metrics, "calls_total") == 2
    assert value(metrics, "calls_ended_total", how="completed") == 1
    assert value(metrics, "calls_ended_total", how="broken_off") == 1


def test_scrapes_see_whole_calls_while_they_come_and_go() -> None:
    metrics, done = Metrics(), threading.Event()
    seen: list[float] = []

    def look() -> None:
        while not done.is_set():
            seen.append(value(metrics, "audio_seconds_total") or 0.0)

    scraper = threading.Thread(target=look)
    scraper.start()
    for call in range(300):
        metrics.opened(call, lambda: [Placement(received=8_000)])
        metrics.ended(call, completed=True)
    done.set()
    scraper.join()
    assert seen == sorted(seen)
    assert value(metrics, "audio_seconds_total") == 300


def test_refusals_by_reason() -> None:
    metrics = Metrics()
    metrics.refused("SERVER_FULL")
    metrics.refused("SERVER_FULL")
    metrics.refused("AUDIO_INVALID")
    assert value(metrics, "refusals_total", reason="SERVER_FULL") == 2
    assert value(metrics, "refusals_total", reason="AUDIO_INVALID") == 1


def test_services_count_for_themselves() -> None:
    one, two = Metrics(), Metrics()
    one.refused("SERVER_FULL")
    assert value(two, "refusals_total", reason="SERVER_FULL") is None


def test_the_promised_latencies_are_edges_of_buckets() -> None:
    assert {0.05, 0.15, 0.3} <= set(LATENCY_SECONDS)
    assert list(LATENCY_SECONDS) == sorted(set(LATENCY_SECONDS))
