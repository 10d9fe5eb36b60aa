"""The live view as text, 80 columns wide."""

from __future__ import annotations

import io

from google.protobuf.duration_pb2 import Duration
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from emotion_service.console.call_view import CallView, new_view
from emotion_service.console.terminal import live_view, render
from emotion_service.console.truth import Truth, TruthSegment
from emotion_service.v1 import emotion_service_pb2 as pb

CONFIG = pb.CallConfig(
    call_id="c1",
    legs=[
        pb.LegConfig(leg="customer", party=pb.PARTY_CUSTOMER),
        pb.LegConfig(leg="desk", party=pb.PARTY_AGENT),
    ],
)
TRUTH = Truth(
    synthetic=False,
    segments=(
        TruthSegment("customer", 0.0, 2.0, "neutral"),
        TruthSegment("customer", 2.0, 4.0, "anger"),
        TruthSegment("desk", 4.0, 5.0, ""),
    ),
    speaker="emodb_03",
    model_heard_speaker=False,
)


def offset(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


def activity(leg: str, sound: pb.Sound.ValueType, start: float) -> pb.StreamingAnalyzeResponse:
    heard = pb.SpeechActivity(leg=leg, sound=sound, start_offset=offset(start))
    return pb.StreamingAnalyzeResponse(activity=heard)


def cue(
    kind: pb.CueKind.ValueType,
    phase: pb.CuePhase.ValueType,
    start: float,
    end: float,
    confidence: float = 0.0,
    reasons: tuple[str, ...] = (),
) -> pb.StreamingAnalyzeResponse:
    return pb.StreamingAnalyzeResponse(
        cue=pb.Cue(
            leg="customer",
            kind=kind,
            phase=phase,
            start_offset=offset(start),
            end_offset=offset(end),
            confidence=confidence,
            reasons=[pb.Reason(text=text) for text in reasons],
        )
    )


def score(latency_ms: float, evidence: float = 3.2) -> pb.StreamingAnalyzeResponse:
    latency = pb.Latency(total_ms=latency_ms)
    scored = pb.Score(leg="customer", evidence_seconds=evidence, latency=latency)
    scored.within_budget = latency_ms <= 300
    return pb.StreamingAnalyzeResponse(score=scored)


def not_scored(leg: str, reason: pb.NotScoredReason.ValueType) -> pb.StreamingAnalyzeResponse:
    status = pb.Status(not_scored=pb.NotScored(leg=leg, reason=reason))
    return pb.StreamingAnalyzeResponse(status=status)


def ready() -> pb.StreamingAnalyzeResponse:
    said = pb.Ready(model_version="m-1", model_licence="CC0-1.0", latency_budget_ms=300)
    return pb.StreamingAnalyzeResponse(status=pb.Status(ready=said))


def drawn(view: CallView, width: int = 80) -> list[str]:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(render(view))
    return console.export_text().splitlines()


def row(lines: list[str], label: str, nth: int = 0) -> str:
    """What stands behind a row's label, without the frame."""
    found = [line for line in lines if line.startswith(f"│ {label} ")]
    return found[nth].removeprefix("│ ").removesuffix("│")[10:].rstrip()


def angry_call() -> CallView:
    view = new_view(CONFIG, total=65.0, truth=TRUTH)
    for said in (
        ready(),
        not_scored("customer", pb.NOT_SCORED_REASON_UNSPECIFIED),
        not_scored("desk", pb.NOT_SCORED_REASON_NOT_A_CUSTOMER),
        activity("customer", pb.SOUND_SILENCE, 0.0),
        activity("customer", pb.SOUND_SPEECH, 1.0),
        activity("customer", pb.SOUND_SILENCE, 3.25),
        activity("desk", pb.SOUND_TONE, 0.0),
        activity("desk", pb.SOUND_MUSIC, 1.0),
        cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_ONSET, 0.5, 1.0, 0.8),
        cue(pb.CUE_KIND_NEUTRAL, pb.CUE_PHASE_OFFSET, 0.5, 2.5),
        cue(
            pb.CUE_KIND_AGITATED,
            pb.CUE_PHASE_ONSET,
            2.5,
            3.0,
            0.71,
            ("pitch 22 % above their usual", "pace 15 % above their usual", "voice rougher"),
        ),
        cue(pb.CUE_KIND_TALK_OVER, pb.CUE_PHASE_ONSET, 2.0, 2.5, 1.0),
        *(score(ms) for ms in [10.0] * 98 + [40.0, 310.0, 20.0]),
    ):
        view.take(said)
    view.elapsed = 4.9
    return view


def test_strips_show_truth_above_cue_on_one_time_axis() -> None:
    lines = drawn(angry_call())
    # Ten half-second cells have begun; they stand at the right end of sixty.
    assert row(lines, "heard") == " " * 50 + "▁▁████▅▁▁▁"
    assert row(lines, "truth") == " " * 50 + "nnnnAAAA··"
    assert row(lines, "cue") == " " * 50 + "·nnnnAAAAA"
    assert row(lines, "heard", nth=1) == " " * 50 + "~~♪♪♪♪♪♪♪♪"


def test_the_state_of_a_leg_in_words_and_figures() -> None:
    lines = drawn(angry_call())
    assert row(lines, "state") == "agitated   ███████░░░ 71 %   evidence 3.2 s of speech"
    assert row(lines, "why") == "pitch 22 % above their usual; pace 15 % above their usual; voice"
    assert row(lines, "latency") == "last 20 ms   p50 10 ms   p99 40 ms   budget 300 ms, 1 over"
    assert "╭─ customer: silence ─" in lines[1]
    assert any(line.startswith("╭─ desk (agent): music ─") for line in lines)


def test_what_lasts_beside_the_state() -> None:
    view = angry_call()
    assert row(drawn(view), "beside") == "talk over since 0:02.0"
    assert row(drawn(view), "beside", nth=1) == "–"
    view.take(cue(pb.CUE_KIND_TALK_OVER, pb.CUE_PHASE_OFFSET, 2.0, 3.0))
    urgent = cue(pb.CUE_KIND_URGENT, pb.CUE_PHASE_ONSET, 4.0, 4.5)
    urgent.cue.index = 0.5625
    view.take(urgent)
    assert row(drawn(view), "beside") == "urgent 0.56 since 0:04.0"


def test_advice_that_stands_is_shown() -> None:
    view = angry_call()
    advice = pb.Advice(
        rule="upset",
        action=pb.ADVICE_ACTION_RAISE_PRIORITY,
        phase=pb.ADVICE_PHASE_GIVEN,
        reason=pb.Text(english="They sound upset."),
    )
    view.take(pb.StreamingAnalyzeResponse(advice=advice))
    shown = " 0:00.0  advice: raise priority, until 0:00.0: They sound upset. (rule upset)"
    assert shown in [line.rstrip() for line in drawn(view)]


def test_around_the_legs() -> None:
    lines = drawn(angry_call())
    assert lines[0].rstrip() == " 0:04.9 of 1:05.0  model m-1 (CC0-1.0)"
    assert " so far talk over 1 ×" in [line.rstrip() for line in lines]
    assert " latest talk over of customer from 0:02.0 on" in [line.rstrip() for line in lines]
    assert " truth A anger  n neutral" in [line.rstrip() for line in lines]
    assert lines[-1].rstrip() == (
        " Acted human speech, speaker emodb_03; the model never heard this speaker."
    )


def test_a_leg_that_is_not_scored_says_why_and_has_no_cues() -> None:
    lines = drawn(angry_call())
    desk = lines[next(i for i, line in enumerate(lines) if "desk" in line) :]
    assert row(desk, "state") == "not scored: only customers are ever scored"
    assert not any(line.startswith("│ cue ") for line in desk)


def test_the_view_keeps_its_height_while_states_come_and_go() -> None:
    view = angry_call()
    height = len(drawn(view))
    view.take(cue(pb.CUE_KIND_AGITATED, pb.CUE_PHASE_OFFSET, 2.5, 4.5))
    assert len(drawn(view)) == height
    assert row(drawn(view), "state") == "–"
    assert row(drawn(view), "cue").endswith("·nnnnAAAA·")
    assert height <= 24


def test_troubles_of_the_audio_appear_when_there_are_some() -> None:
    view = angry_call()
    assert not any("audio" in line for line in drawn(view))
    placed = pb.Placement(gaps=2, lost=offset(0.34), late=1)
    legs = [pb.LegSummary(leg="customer", placement=placed), pb.LegSummary(leg="desk")]
    view.take(pb.StreamingAnalyzeResponse(summary=pb.CallSummary(legs=legs)))
    quality = pb.Quality(skipped_windows=3, lost_fraction=0.25)
    view.take(pb.StreamingAnalyzeResponse(score=pb.Score(leg="customer", quality=quality)))
    assert row(drawn(view), "audio") == (
        "2 gaps (0.3 s lost), 1 too late, 3 windows skipped, 25 % of the l…"
    )


def test_the_live_view_draws_what_the_view_holds_now() -> None:
    view = angry_call()
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=80, height=40)
    with live_view(view, console) as live:
        view.elapsed = 33.3
        live.refresh()
    assert "0:33.3 of 1:05.0" in terminal.getvalue()


MESSAGES = st.one_of(
    st.builds(
        activity,
        st.sampled_from(["customer", "desk"]),
        st.sampled_from(pb.Sound.values()),
        st.floats(0, 60),
    ),
    st.builds(
        cue,
        st.sampled_from(pb.CueKind.values()),
        st.sampled_from(pb.CuePhase.values()),
        st.floats(0, 60),
        st.floats(0, 60),
        st.floats(0, 1),
        st.tuples(st.text("abc def", max_size=90), st.text("xyz ", max_size=90)),
    ),
    st.builds(score, st.floats(0, 1e5)),
    st.builds(
        not_scored,
        st.sampled_from(["customer", "desk"]),
        st.sampled_from(pb.NotScoredReason.values()),
    ),
)


@settings(max_examples=50, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=12), elapsed=st.floats(0, 90))
@example(
    messages=[activity("customer", pb.SOUND_SPEECH, at) for at in (0.0, 1.0, 0.0)], elapsed=1.0
)
def test_whatever_is_said_it_fits_into_80_columns(
    messages: list[pb.StreamingAnalyzeResponse], elapsed: float
) -> None:
    view = new_view(CONFIG, total=65.0, truth=TRUTH)
    for said in messages:
        view.take(said)
    view.elapsed = elapsed
    lines = drawn(view, width=120)
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert len(lines) <= 26
