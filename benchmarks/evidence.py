"""How much speech a call had heard of its customer when the service first said something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from benchmarks.timing import percentile
from emotion_service.v1 import emotion_service_pb2 as pb

STATES = (
    pb.CUE_KIND_HAPPY,
    pb.CUE_KIND_AGITATED,
    pb.CUE_KIND_DISTRESSED,
    pb.CUE_KIND_NEUTRAL,
)


@dataclass(frozen=True, slots=True)
class First:
    """Seconds of speech behind one call's first score of any kind that claims something, its first
    that is not provisional, and the first state it came to; None: never. A window holds 4 s, so
    that is the most a score or cue can rest on."""

    score: float | None = None
    firm_score: float | None = None
    state: float | None = None


WHEN: dict[str, Callable[[First], float | None]] = {
    "first score": attrgetter("score"),
    "first firm score": attrgetter("firm_score"),
    "first state": attrgetter("state"),
}


def first(events: Iterable[bytes]) -> First:
    """Of one call's own stream, in the order in which it came."""
    claims, cues = [], []
    for data in events:
        event = pb.StreamingAnalyzeResponse.FromString(data)
        if event.score.HasField("probabilities"):
            claims.append(event.score)
        elif event.cue.kind in STATES:
            cues.append(event.cue)
    return First(
        _evidence(claims),
        _evidence([score for score in claims if not score.provisional]),
        _evidence(cues),
    )


def spread(calls: Sequence[First]) -> dict[str, dict[str, float]]:
    """Over calls, of which one that never came so far counts as infinite."""
    return {name: _percentiles([when(one) for one in calls]) for name, when in WHEN.items()}


def _evidence(said: Sequence[pb.Score] | Sequence[pb.Cue]) -> float | None:
    return said[0].evidence_seconds if said else None


def _percentiles(values: Sequence[float | None]) -> dict[str, float]:
    known = [value for value in values if value is not None]
    never = len(values) - len(known)
    return {f"p{share}": percentile(known, never, share) for share in (10, 50, 90)}
