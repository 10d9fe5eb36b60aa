"""The API's words for people: enum values, positions and fractions as they are read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from emotion_service.v1 import emotion_service_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

NOT_SCORED: dict[int, str] = {
    pb.NOT_SCORED_REASON_UNSPECIFIED: "",
    pb.NOT_SCORED_REASON_NOT_A_CUSTOMER: "only customers are ever scored",
    pb.NOT_SCORED_REASON_NOT_DISCLOSED: "the customer was not told of emotion recognition",
    pb.NOT_SCORED_REASON_CONSENT_PENDING: "the customer has not agreed yet",
    pb.NOT_SCORED_REASON_CONSENT_REFUSED: "the customer refused",
    pb.NOT_SCORED_REASON_CONSENT_WITHDRAWN: "the customer withdrew their consent",
    pb.NOT_SCORED_REASON_PARTIES_MIXED: "several parties speak on it",
}

ABSTAINING: dict[int, str] = {
    pb.ABSTAIN_REASON_UNSPECIFIED: "",
    pb.ABSTAIN_REASON_TOO_LITTLE_SPEECH: "too little speech to say",
    pb.ABSTAIN_REASON_OVERLOADED: "the service could not keep up",
    pb.ABSTAIN_REASON_AUDIO_LOST: "too much audio was lost",
    pb.ABSTAIN_REASON_AMBIGUOUS: "no state stands out",
    pb.ABSTAIN_REASON_NON_SPEECH: "what is heard is no speech",
}


# Of which a scored leg is in one at any time; all other cues may last beside it.
STATES = (
    pb.CUE_KIND_HAPPY,
    pb.CUE_KIND_AGITATED,
    pb.CUE_KIND_DISTRESSED,
    pb.CUE_KIND_NEUTRAL,
    pb.CUE_KIND_INSUFFICIENT_EVIDENCE,
)


def word(enum: _EnumTypeWrapper[Any], value: int) -> str:
    """`CUE_KIND_TALK_OVER` as "talk over"; "unknown" for what a newer service may send."""
    if value not in enum.values():
        return "unknown"
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    return enum.Name(value).removeprefix(prefix).replace("_", " ").lower()


def seconds(duration: Duration) -> float:
    return duration.ToNanoseconds() / 1e9


def clock(position: float) -> str:
    """Seconds as minutes, seconds and tenths: 65.3 → "1:05.3"."""
    tenths = round(position * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def percent(fraction: float) -> str:
    return f"{round(fraction * 100)} %"


def placement(placed: pb.Placement) -> str:
    """What went wrong with a leg's audio on its way; empty when nothing did."""
    found = (
        (placed.gaps, f"{placed.gaps} gaps ({seconds(placed.lost):.1f} s lost)"),
        (placed.overlaps, f"{placed.overlaps} overlaps"),
        (placed.duplicates, f"{placed.duplicates} duplicates"),
        (placed.reordered, f"{placed.reordered} reordered"),
        (placed.late, f"{placed.late} too late"),
    )
    return ", ".join(text for count, text in found if count)
