"""Between the API's messages and the domain's types, in both directions. No gRPC in here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from google.protobuf import json_format
from google.protobuf.message import Message

from emotion_service import types
from emotion_service.delivery.notice import (
    Acknowledged,
    Address,
    CallState,
    Heartbeat,
    Latency,
    Notice,
    Ready,
    Reconnect,
    StreamEvent,
    Watched,
)
from emotion_service.errors import BadInput
from emotion_service.fronts import call_messages, messages
from emotion_service.fronts.messages import domain_enum
from emotion_service.v1 import emotion_service_pb2 as pb

MAX_NAME = 128  # characters, of any id and name but a leg's
MAX_LEG_NAME = 32
MAX_VALUE = 256  # of an attribute
MAX_LEGS = 8
MAX_ATTRIBUTES = 32
MAX_LATENCY_BUDGET_MS = 10_000
DEFAULT_LATENCY_BUDGET_MS = 300
MAX_AUDIO = 1 << 18  # bytes a message: 32 s of one µ-law leg, which take the loop some 30 ms
DTMF_DIGITS = frozenset("0123456789*#ABCD")


# --- in: messages to domain -------------------------------------------------------------------


def config_from_proto(config: pb.CallConfig) -> types.CallConfig:
    """The first message of a stream.

    Raises:
        BadInput: for the first field that is missing or out of its range.
    """
    _length("CALL_ID_INVALID", config.call_id, MAX_NAME, at_least=1)
    if not config.call_id.isprintable() or config.call_id in (".", ".."):
        raise BadInput(
            "CALL_ID_INVALID",
            "call_id: no address of a page can name it; send one without control characters that "
            "is not . or ..",
        )
    _length("CONTACT_ID_INVALID", config.contact_id, MAX_NAME)
    _length("TENANT_INVALID", config.tenant, MAX_NAME)
    _length("QUEUE_INVALID", config.queue, MAX_NAME)
    _length("AGENT_ID_INVALID", config.agent_id, MAX_NAME)
    _in_range("ATTRIBUTES_INVALID", "attributes", len(config.attributes), 0, MAX_ATTRIBUTES)
    for name, value in config.attributes.items():
        _length("ATTRIBUTES_INVALID", name, MAX_NAME)
        _length("ATTRIBUTES_INVALID", value, MAX_VALUE)
    budget = DEFAULT_LATENCY_BUDGET_MS
    if config.HasField("latency_budget_ms"):
        budget = config.latency_budget_ms
    _in_range("LATENCY_BUDGET_INVALID", "ms of latency", budget, 1, MAX_LATENCY_BUDGET_MS)
    _in_range("LEGS_INVALID", "legs", len(config.legs), 1, MAX_LEGS)
    legs = tuple(_leg_config(leg) for leg in config.legs)
    if len({leg.leg for leg in legs}) < len(legs):
        raise BadInput("LEG_NAME_INVALID", "two legs have the same name: give each one of its own")
    return types.CallConfig(
        call_id=config.call_id,
        legs=legs,
        contact_id=config.contact_id or config.call_id,
        tenant=config.tenant,
        queue=config.queue,
        agent_id=config.agent_id,
        attributes=tuple(sorted(config.attributes.items())),
        latency_budget_ms=budget,
        pacing=domain_enum(types.Pacing, pb.Pacing, config.pacing or pb.PACING_LIVE),
        disclosure_given=config.disclosure_given,
        consent=_consent(config.consent),
        allow_mixed_for_testing=config.allow_mixed_for_testing,
    )


def _leg_config(leg: pb.LegConfig) -> types.LegConfig:
    _length("LEG_NAME_INVALID", leg.leg, MAX_LEG_NAME, at_least=1)
    return types.LegConfig(
        leg=leg.leg,
        party=domain_enum(types.Party, pb.Party, leg.party),
        encoding=leg.encoding,
        sample_rate_hertz=leg.sample_rate_hertz,
        channels=leg.channels or 1,
    )


def audio_from_proto(audio: pb.AudioChunk) -> types.EncodedAudio:
    """A message of audio.

    Raises:
        BadInput: AUDIO_INVALID when it holds more than 256 KiB.
    """
    data = audio.data  # once: each look at a field makes a new object of it
    _in_range("AUDIO_INVALID", "bytes of audio", len(data), 0, MAX_AUDIO)
    offset = audio.offset if audio.HasField("offset") else None
    return types.EncodedAudio(
        leg=audio.leg,
        data=data,
        offset_seconds=None if offset is None else offset.seconds + offset.nanos / 1e9,
        sequence=audio.sequence if audio.HasField("sequence") else None,
    )


def update_from_proto(update: pb.CallUpdate) -> types.CallUpdate:
    """A change in the call.

    Raises:
        BadInput: for an empty update, or a value that does not exist.
    """
    change = update.WhichOneof("change")
    if change is None:
        raise BadInput("UPDATE_INVALID", "an update without a change: set one of its fields")
    return UPDATES[change](update)


def feedback_from_proto(feedback: pb.Feedback) -> types.Feedback:
    """What a person thinks of a cue.

    Raises:
        BadInput: ENUM_INVALID without a verdict.
    """
    verdict = domain_enum(types.Verdict, pb.Verdict, feedback.verdict)
    return types.Feedback(feedback.cue_sequence, verdict)


def _party_change(change: pb.LegParty) -> types.PartyChange:
    return types.PartyChange(change.leg, domain_enum(types.Party, pb.Party, change.party))


def _line_change(change: pb.LegLine) -> types.LineChange:
    return types.LineChange(change.leg, domain_enum(types.LineState, pb.LineState, change.state))


def _attribute_change(name: str, reason: str, value: str) -> types.AttributeChange:
    _length(reason, value, MAX_NAME)
    return types.AttributeChange(name, value)


def _dtmf_digit(digit: str) -> types.DtmfDigit:
    if digit not in DTMF_DIGITS:  # which it is, is nobody's business
        raise BadInput("DTMF_DIGIT_INVALID", "dtmf_digit is not one key: send one of 0-9 * # A-D")
    return types.DtmfDigit()


def _end_reason(reason: pb.EndReason.ValueType) -> types.EndReasonChange:
    return types.EndReasonChange(domain_enum(types.EndReason, pb.EndReason, reason))


def _consent(consent: pb.Consent.ValueType) -> types.Consent:
    return domain_enum(types.Consent, pb.Consent, consent or pb.CONSENT_PENDING)


def _length(reason: str, text: str, at_most: int, at_least: int = 0) -> None:
    _in_range(reason, "characters", len(text), at_least, at_most)


def _in_range(reason: str, what: str, given: int, at_least: int, at_most: int) -> None:
    if not at_least <= given <= at_most:
        field = reason.removesuffix("_INVALID").lower()
        raise BadInput(reason, f"{field}: {given} {what} were given; send {at_least} to {at_most}")


# --- out: domain to messages ------------------------------------------------------------------


def event_to_proto(
    address: Address,
    contact_id: str,
    event: StreamEvent,
    latency: Latency | None,
    budget_ms: int,
) -> pb.StreamingAnalyzeResponse:
    """An event as its call's own stream hears it; `latency` is None offline."""
    said = pb.StreamingAnalyzeResponse()
    match event:
        case types.ScoringStatus() | Ready() | Reconnect() | Acknowledged():
            call_messages.status(said.status, address.call_id, event)
        case _:
            _event(said, address, contact_id, event, latency, budget_ms)
    return said


def watched_to_proto(together: Sequence[Watched]) -> pb.WatchCuesResponse:
    """What a watcher hears in one message: at least one event, each with where to resume after it;
    the first in the message itself, the others in its `more`."""
    response = pb.WatchCuesResponse()
    for number, (cursor, watched) in enumerate(together):
        said = response.more.add() if number else response
        said.cursor = cursor
        _watched(said, watched)
    return response


def _watched(
    said: pb.WatchCuesResponse, watched: CallState | Notice | Heartbeat | Reconnect
) -> None:
    event = watched.event if isinstance(watched, Notice) else watched
    match event:
        case Heartbeat():
            said.heartbeat.dropped = event.dropped
        case Reconnect():
            call_messages.reconnect(said.reconnect, event)
        case CallState():
            call_messages.call(said.call, event)
        case types.Feedback():
            assert isinstance(watched, Notice)
            call_messages.feedback(said.feedback, watched.call_id, event)
        case _:
            assert isinstance(watched, Notice)
            address, contact_id = watched.address, watched.contact_id
            _event(said, address, contact_id, event, watched.latency, watched.budget_ms)


def _event(
    said: pb.StreamingAnalyzeResponse | pb.WatchCuesResponse,
    address: Address,
    contact_id: str,
    event: types.EmotionScore
    | types.Cue
    | types.SpeechActivity
    | types.Trend
    | types.Advice
    | types.CallSummary,
    latency: Latency | None,
    budget_ms: int,
) -> None:
    """What both hear alike: its fields are named alike in both messages."""
    call_id = address.call_id
    match event:
        case types.EmotionScore():
            messages.score(said.score, call_id, event, latency, budget_ms)
        case types.Cue():
            messages.cue(said.cue, call_id, event, latency, budget_ms)
        case types.SpeechActivity():
            call_messages.activity(said.activity, call_id, event)
        case types.Trend():
            call_messages.trend(said.trend, call_id, event)
        case types.Advice():
            call_messages.advice(said.advice, address, contact_id, event)
        case types.CallSummary():
            call_messages.summary(said.summary, call_id, contact_id, event)


def to_json_line(message: Message) -> str:
    """Proto-JSON on one line: names in snake_case, unset numbers, texts and enums written out."""
    content = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    if content.get("more") == []:  # one event a line: there is never any
        del content["more"]
    return json.dumps(content, ensure_ascii=False)


UPDATES: dict[str, Callable[[pb.CallUpdate], types.CallUpdate]] = {
    "agent_id": lambda update: _attribute_change("agent_id", "AGENT_ID_INVALID", update.agent_id),
    "queue": lambda update: _attribute_change("queue", "QUEUE_INVALID", update.queue),
    "ivr_step": lambda update: _attribute_change("ivr_step", "IVR_STEP_INVALID", update.ivr_step),
    "leg_party": lambda update: _party_change(update.leg_party),
    "leg_line": lambda update: _line_change(update.leg_line),
    "dtmf_digit": lambda update: _dtmf_digit(update.dtmf_digit),
    "consent": lambda update: types.ConsentChange(_consent(update.consent)),
    "disclosure_given": lambda update: types.DisclosureChange(update.disclosure_given),
    "end_reason": lambda update: _end_reason(update.end_reason),
}
