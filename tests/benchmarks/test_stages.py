"""The stages as they are timed: all of them, on the demo call, for one round."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks.conversation import bundled
from benchmarks.material import Tapped, played, replay
from benchmarks.stages import Cost, costs, material, table, verdict
from benchmarks.stages_plot import draw
from benchmarks.workloads import STAGES
from emotion_service.app import load_scorer
from emotion_service.routing.ruleset import NO_RULES
from emotion_service.types import EmotionScore


def test_every_stage_in_every_batch(tmp_path: Path) -> None:
    found = costs(material(None), [1, 2], rounds=1)
    assert [(cost.stage, cost.batch) for cost in found] == [
        (stage, batch) for stage in STAGES for batch in (1, 2)
    ]
    assert all(cost.median_us >= cost.least_us > 0 for cost in found)
    by_stage = {cost.stage: cost for cost in found}
    assert by_stage["parse"].units_a_call_second == 10
    assert by_stage["gate"].units_a_call_second == 20
    windows = by_stage["model"].units_a_call_second
    assert windows == by_stage["features"].units_a_call_second
    assert 0.5 < windows < 2.0

    shown = StringIO()
    Console(file=shown, width=80).print(table(found))
    assert all(stage in shown.getvalue() for stage in STAGES) and "…" not in shown.getvalue()
    draw(found, tmp_path / "stages.svg")
    assert ElementTree.parse(tmp_path / "stages.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(("least_us", "within"), [(999.0, "within"), (1001.0, "NOT within")])
def test_the_model_may_take_a_millisecond(least_us: float, within: str) -> None:
    alone = Cost("model", "window", 1, 1e4, 1e4, units_a_call_second=1.2)
    cost = Cost("model", "window", 16, least_us, 1200.0, units_a_call_second=1.2)
    assert verdict([alone, cost]) == (
        "The model takes 1.00 ms of processor a window in batches of 16 (median 1.20): "
        f"{within} 1 ms."
    )
    assert cost.ms_a_call_second == pytest.approx(1.2, rel=1e-2)


def test_a_tape_holds_what_was_asked() -> None:
    tapped = Tapped([1, 2])
    assert tapped.index(2) == 1  # type: ignore[operator]
    tapped.append(3)  # type: ignore[operator]
    tape = tapped.take()
    assert tape == [("index", (2,)), ("append", (3,))]
    assert tapped.take() == []
    again = [1, 2]
    replay(tape, again)
    assert again == [1, 2, 3]


def test_a_played_call_has_windows_where_it_has_scores() -> None:
    scorer = load_scorer()
    messages = played(bundled()[0], scorer, NO_RULES)
    assert len(messages) == 200  # 20 s
    scores = [event for m in messages for event in m.events if isinstance(event, EmotionScore)]
    windows = [window for m in messages for window in m.windows]
    assert [score.end for score in scores] == [window.request.end for window in windows]
    assert [score.evidence for score in scores] == [window.prosody.speech for window in windows]
    assert "open" in [name for name, _ in messages[0].course]
