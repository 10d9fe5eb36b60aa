"""What people say of calls: feedback, objections, and what the next agent may read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from emotion_service.delivery.bus import Bus
from emotion_service.delivery.directory import CALL_FEEDBACK, LiveCall
from emotion_service.delivery.notice import Address, CallState, HandOver, Notice
from emotion_service.errors import BadInput
from emotion_service.types import (
    NO_TEXT,
    Advice,
    AdviceAction,
    AdvicePhase,
    CallSummary,
    Cue,
    CueKind,
    CuePhase,
    EndReason,
    Feedback,
    LegSummary,
    Party,
    Placement,
    StateTime,
    Text,
    Trend,
    TurningPoint,
    Verdict,
)

TEXT = Text("upset since minute 3", "verärgert seit Minute 3")
SPOKEN = LegSummary("customer", Party.CUSTOMER, 4000, 1.0, 3, 0, 0, None, Placement())
TALK_OVERS = StateTime("agent", CueKind.TALK_OVER, 2, 8000)
SUMMARY = CallSummary(
    duration=8000,
    end_reason=EndReason.COMPLETED,
    legs=(SPOKEN,),
    states=(StateTime("customer", CueKind.AGITATED, 1, 8000),),
    talk_overs=2,
    model_version="stub",
    turns=(TALK_OVERS, StateTime("customer", CueKind.CURT, 1, 80_000)),
    turning_points=(TurningPoint("customer", 10, CueKind.NEUTRAL, CueKind.AGITATED),),
    hand_over=TEXT,
)


class Line:
    """A bus with calls of contacts, and which of them were told that their customer objects."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.told: list[str] = []

    def opened(
        self,
        call_id: str,
        contact_id: str = "ann",
        tenant: str = "acme",
        advice: tuple[Advice, ...] = (),
    ) -> None:
        address = Address(call_id, tenant)
        state = CallState(address, contact_id, live=True, elapsed=0, legs=(), advice=advice)
        objected = partial(self.told.append, call_id)
        self.bus.open(LiveCall(address, contact_id, 300, lambda: state, objected, lambda: TEXT))

    def said(self, call_id: str = "") -> list[object]:
        """All that was published, or of one call, without who it was for."""
        notices = [numbered.notice for numbered in self.bus._recent]
        return [notice.event for notice in notices if call_id in ("", notice.call_id)]


@pytest.fixture
def line() -> Line:
    return Line()


def test_the_hand_over_is_written_for_whoever_asks_for_the_call(line: Line) -> None:
    line.opened("one")
    (opened,) = line.said()
    assert isinstance(opened, CallState)
    assert opened.hand_over == NO_TEXT
    assert line.bus.call("one").hand_over == TEXT


def test_feedback_is_published_and_the_latest_stays(line: Line) -> None:
    line.opened("one")
    given = [Feedback(number, Verdict.WRONG) for number in range(CALL_FEEDBACK + 2)]
    for feedback in given:
        line.bus.feedback("one", feedback)
    assert line.said()[1:] == given
    assert line.bus.call("one").feedback == tuple(given[2:])
    line.bus.end("one", SUMMARY)
    assert line.bus.call("one").feedback == tuple(given[2:])


def test_feedback_on_a_state_outlives_its_updates(line: Line) -> None:
    onset = Cue("customer", 1, CueKind.AGITATED, CuePhase.ONSET, 0, 8000, 8000, 0.9, 8000)
    line.opened("one")
    line.bus.tell("one", onset)
    line.bus.feedback("one", Feedback(1, Verdict.WRONG))
    line.bus.feedback("one", Feedback(0, Verdict.RIGHT))
    line.bus.tell("one", replace(onset, sequence=2, kind=CueKind.TALK_OVER))
    line.bus.tell("one", replace(onset, sequence=3, phase=CuePhase.UPDATE))
    line.bus.tell("one", replace(onset, sequence=4, phase=CuePhase.UPDATE))
    given = [Feedback(4, Verdict.WRONG), Feedback(0, Verdict.RIGHT)]
    assert line.bus.call("one").feedback == tuple(given)
    line.bus.tell("one", replace(onset, sequence=5, phase=CuePhase.OFFSET))
    line.bus.tell("one", replace(onset, sequence=6))
    assert line.bus.call("one").feedback == tuple(given)  # another episode is another matter


@pytest.mark.parametrize("call_id", ["ended", "never"])
def test_feedback_needs_a_live_call(line: Line, call_id: str) -> None:
    line.opened("ended")
    line.bus.end("ended", SUMMARY)
    with pytest.raises(BadInput) as unknown:
        line.bus.feedback(call_id, Feedback(0, Verdict.RIGHT))
    assert unknown.value.reason == "CALL_UNKNOWN"


def test_the_next_call_of_a_contact_has_the_hand_over_and_so_has_one_that_is_live(
    line: Line,
) -> None:
    line.opened("first")
    line.opened("beside")
    line.opened("stranger", "bob")
    line.bus.end("first", SUMMARY)
    line.opened("second")
    left = (HandOver("first", TEXT),)
    earlier = {name: line.bus.call(name).earlier for name in ("beside", "second", "stranger")}
    assert earlier == {"beside": left, "second": left, "stranger": ()}
    assert line.bus.call("first").earlier == ()  # its own text is its own
    states = [said for said in line.said() if isinstance(said, CallState)]
    told = [state for state in states if state.earlier]
    assert [state.address.call_id for state in told] == ["beside", "second"]


def test_a_call_that_broke_off_leaves_no_hand_over(line: Line) -> None:
    line.opened("first")
    line.bus.drop("first")
    line.opened("second")
    assert line.bus.call("second").earlier == ()


def test_an_objection_reaches_every_live_call_of_the_contact_once(line: Line) -> None:
    for call_id, contact in (("one", "ann"), ("two", "ann"), ("other", "bob")):
        line.opened(call_id, contact)
    line.opened("elsewhere", tenant="another")
    assert line.bus.object("one") is True
    assert line.bus.object("two") is False
    assert line.told == ["one", "two"]
    contacts = [("acme", "ann"), ("acme", "bob"), ("another", "ann")]
    assert [line.bus.objects(contact) for contact in contacts] == [True, False, False]


def test_an_objection_forgets_the_moods_of_ended_calls(line: Line) -> None:
    for call_id, contact in (("one", "ann"), ("other", "bob")):
        line.opened(call_id, contact)
        line.bus.end(call_id, SUMMARY)
    line.opened("two")
    assert line.bus.call("two").earlier == (HandOver("one", TEXT),)
    assert line.bus.object("one") is True  # said just after the call: it counts
    assert line.told == ["two"]
    assert line.bus.call("two").earlier == ()
    one = line.bus.call("one")
    assert one.summary == replace(
        SUMMARY, states=(), turns=(TALK_OVERS,), turning_points=(), hand_over=NO_TEXT
    )
    assert (one.legs, one.hand_over, one.earlier, one.live) == ((), NO_TEXT, (), False)
    assert line.bus.call("other").summary == SUMMARY
    line.bus.end("two", SUMMARY)
    line.opened("three")
    assert line.bus.call("three").earlier == ()


def test_an_objection_forgets_the_moods_in_the_replay_too(line: Line) -> None:
    """Of live calls and ended ones; what was said by rules that still stand stays, as does all of
    others."""
    mood = Cue("customer", 0, CueKind.AGITATED, CuePhase.ONSET, 0, 8000, 8000, 0.9, 8000)
    broke_in = replace(mood, kind=CueKind.TALK_OVER)
    stands, ended = (
        Advice(0, rule, AdvicePhase.GIVEN, AdviceAction.OFFER_CALLBACK, "", 0, 8000, TEXT, "")
        for rule in ("long-wait", "upset-in-queue")
    )
    line.opened("gone")
    line.opened("other", "bob")
    line.opened("live", advice=(stands,))
    for call_id in ("gone", "other", "live"):
        for event in (mood, broke_in, Trend(8000, ()), Feedback(0, Verdict.WRONG), stands, ended):
            line.bus.tell(call_id, event)
    line.bus.end("gone", SUMMARY)
    others = line.said("other")
    line.bus.object("live")
    assert line.said("other") == others
    opened, cue_, summary = line.said("gone")
    assert cue_ == broke_in
    assert summary == line.bus.call("gone").summary
    opened, *told, earlier = line.said("live")
    assert told == [broke_in, stands]
    for state in (opened, earlier):
        assert isinstance(state, CallState)
        assert (state.advice, state.earlier) == ((), ())


def test_an_objection_on_an_unknown_call(line: Line) -> None:
    with pytest.raises(BadInput) as unknown:
        line.bus.object("never")
    assert unknown.value.reason == "CALL_UNKNOWN"


def test_a_notice_of_feedback_goes_to_those_who_watch_its_call(line: Line) -> None:
    line.opened("one")
    line.bus.feedback("one", Feedback(7, Verdict.DISMISSED))
    notice: Notice = line.bus._recent[-1].notice
    assert (notice.call_id, notice.contact_id) == ("one", "ann")
