"""Does a call say the same under load as it does alone?

The load of latency.py on a server of its own; then the audio of each of its calls once more through
the pipeline without a server, call by call, in messages of a second. What either said is compared
to the bit, leg by leg and kind by kind (scores, cues, trends, advice, activity, the summary), but
for latencies. A window that the server skipped under too much load makes its call differ, and is
counted.

    python -m benchmarks.same [--calls 100] [--seconds 30] [--message-ms 37] [--corpora DIR]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.command import command
from benchmarks.conversation import add_corpora, spoken
from benchmarks.density import settings
from benchmarks.latency import CONVERSATION_SECONDS
from benchmarks.load import LEGS, HeardCall, Load, config, messages, run
from benchmarks.machine import this_machine
from benchmarks.report import write
from benchmarks.server import started
from emotion_service import offline
from emotion_service.app import load_scorer
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.notice import Address
from emotion_service.fronts.wire import config_from_proto, event_to_proto
from emotion_service.routing import rule_file
from emotion_service.routing.ruleset import RuleSet
from emotion_service.types import SAMPLE_RATE_HERTZ, EncodedAudio
from emotion_service.v1 import emotion_service_pb2 as pb

PIECE_BYTES = len(LEGS) * SAMPLE_RATE_HERTZ  # a second of all legs
OUT = Path("benchmarks/results/same.json")


@dataclass(frozen=True, slots=True)
class Same:
    """How many calls said, live and beside the others, exactly what they say alone."""

    calls: int
    same: int
    events: int
    scores: int
    skipped: int


def compare(load: Load) -> Same:
    """Sends the load to a server of its own, then plays each call alone."""
    with (
        started(settings(load.calls)) as server,
        ProcessPoolExecutor(1, get_context("spawn")) as generator,
    ):
        heard = generator.submit(run, replace(load, server=server.address)).result()
    scorer, rules = load_scorer(), rule_file.load()
    numbered = track(
        enumerate(heard.calls), "calls alone", load.calls, console=Console(stderr=True)
    )
    alike = [
        said(data for _, data in call.events) == alone(load, number, call, scorer, rules)
        for number, call in numbered
    ]
    events = [_parsed(data) for call in heard.calls for _, data in call.events]
    scores = [event.score for event in events if event.HasField("score")]
    overloaded = [s for s in scores if s.abstain_reason == pb.ABSTAIN_REASON_OVERLOADED]
    return Same(load.calls, sum(alike), len(events), len(scores), len(overloaded))


def alone(
    load: Load, number: int, call: HeardCall, scorer: Scorer, rules: RuleSet
) -> dict[tuple[str, str], list[bytes]]:
    """What the call of this number says without a server; see `said`."""
    given = config_from_proto(config(call.call_id).config)
    events = offline.analyze(given, _pieces(load, number), scorer, rules)
    address = Address.of(given)
    return said(
        event_to_proto(address, given.contact_id, event, None, 0).SerializeToString()
        for event in events
    )


def said(events: Iterable[bytes]) -> dict[tuple[str, str], list[bytes]]:
    """Of a call's own stream, by kind and leg and each in its order, without what tells the time
    that it took. In which order legs are told of the same message depends on how much it held."""
    found: dict[tuple[str, str], list[bytes]] = {}
    for data in events:
        event = _parsed(data)
        kind = event.WhichOneof("response")
        assert kind is not None
        own = getattr(event, kind)
        if kind in ("score", "cue"):
            own.ClearField("latency")
            own.ClearField("within_budget")
        if kind == "status" and own.HasField("ready"):  # of the server, not of the call
            continue
        found.setdefault((kind, getattr(own, "leg", "")), []).append(
            own.SerializeToString(deterministic=True)
        )
    return found


def _pieces(load: Load, number: int) -> Iterator[EncodedAudio]:
    parts = map(pb.StreamingAnalyzeRequest.FromString, messages(load, number))
    data = b"".join(part.audio.data for part in parts)
    for at in range(0, len(data), PIECE_BYTES):
        yield EncodedAudio("", data[at : at + PIECE_BYTES])


def _parsed(data: bytes) -> pb.StreamingAnalyzeResponse:
    return pb.StreamingAnalyzeResponse.FromString(data)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=100, help="at the same time (100)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each call (30)")
    parser.add_argument("--message-ms", type=int, default=37, help="of audio a message (37)")
    add_corpora(parser)
    parser.add_argument("--out", type=Path, default=OUT, help=f"the figures as JSON ({OUT})")
    given = parser.parse_args()
    if min(given.calls, given.message_ms, given.seconds) < 1:
        parser.error("--calls, --message-ms and --seconds start at 1")
    conversations = spoken(given.corpora, CONVERSATION_SECONDS)
    found = compare(Load("", conversations, given.calls, given.message_ms, given.seconds))
    print(
        f"{found.same} of {found.calls} calls said under load what they say alone, to the bit: "
        f"{found.events} events, {found.scores} of them scores, {found.skipped} windows skipped"
    )
    write(given.out, {"machine": asdict(this_machine()), "same": asdict(found)})


if __name__ == "__main__":
    command(main)
