"""A recorded call, ready to be streamed or analysed, and how it is sent in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_service.client import OpenCall
from emotion_service.errors import BadInput
from emotion_service.recording import (
    Encoding,
    LegRecording,
    as_legs,
    cut,
    default_parties,
    read_channels,
)
from emotion_service.types import Consent, EncodedAudio, Pacing, Party
from emotion_service.v1 import emotion_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class PlaybackOptions:
    """What the commands `stream` and `analyze` are told alike. `parties` may be empty."""

    files: tuple[Path, ...]
    call_id: str
    parties: tuple[Party, ...] = ()
    encoding: Encoding = Encoding.PCMU
    chunk_ms: int = 100
    pacing: Pacing = Pacing.RECORDED
    disclosure_given: bool = False
    consent: Consent = Consent.PENDING
    allow_mixed_for_testing: bool = False
    queue: str = ""
    tenant: str = ""
    agent_id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as its client sends it: the first message, then the legs in chunks."""

    config: pb.CallConfig
    legs: tuple[LegRecording, ...]
    chunk_ms: int

    @property
    def duration_seconds(self) -> float:
        return max(leg.duration_seconds for leg in self.legs)

    def chunks(self) -> Iterator[EncodedAudio]:
        """All audio, in the order in which it was spoken."""
        return cut(self.legs, self.chunk_ms)


def open_recording(options: PlaybackOptions) -> RecordedCall:
    """Reads the files of a call.

    Raises:
        BadInput: they cannot be read, or the parties do not fit them.
    """
    channels = read_channels(options.files)
    mixed = options.allow_mixed_for_testing
    parties = options.parties or default_parties(len(channels), mixed)
    legs = as_legs(channels, parties, options.encoding)
    config = pb.CallConfig(
        call_id=options.call_id,
        pacing=pb.Pacing.Value(f"PACING_{options.pacing.name}"),
        legs=[_leg_config(leg) for leg in legs],
        disclosure_given=options.disclosure_given,
        consent=pb.Consent.Value(f"CONSENT_{options.consent.name}"),
        allow_mixed_for_testing=mixed,
        queue=options.queue,
        tenant=options.tenant,
        agent_id=options.agent_id,
        attributes=dict(options.attributes),
    )
    return RecordedCall(config, legs, options.chunk_ms)


def _leg_config(leg: LegRecording) -> pb.LegConfig:
    return pb.LegConfig(
        leg=leg.config.leg,
        party=pb.Party.Value(f"PARTY_{leg.config.party.name}"),
        encoding=leg.config.encoding,
        sample_rate_hertz=leg.config.sample_rate_hertz,
        channels=leg.config.channels,
    )


def parse_parties(text: str) -> tuple[Party, ...]:
    """ "customer,agent" as parties; empty text is none.

    Raises:
        BadInput: for a word that is no party.
    """
    words = [word.strip().upper() for word in text.split(",")] if text else []
    if any(word not in Party.__members__ for word in words):
        known = ", ".join(party.lower() for party in Party.__members__)
        raise BadInput("UNKNOWN_PARTY", f"{text!r} names no parties; give one a leg of: {known}.")
    return tuple(Party[word] for word in words)


def parse_attributes(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """("language=de", …) as pairs.

    Raises:
        BadInput: for a text without a name and =.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (name, sign, _) in zip(texts, pairs, strict=True):
        if not (name and sign):
            raise BadInput(
                "ATTRIBUTE_INVALID", f"{text!r} is no attribute; write NAME=VALUE, as language=de."
            )
    return tuple((name, value) for name, _, value in pairs)


async def play(call: OpenCall, recorded: RecordedCall, told: Callable[[float], None]) -> None:
    """Sends the whole call, then closes it. `told` hears how many seconds have been sent.

    LIVE, a chunk leaves when its last sample would have been spoken, on a schedule that does
    not drift; RECORDED, as fast as the server takes it.
    """
    live = recorded.config.pacing == pb.PACING_LIVE
    clock = asyncio.get_running_loop().time
    began = clock()
    for chunk in recorded.chunks():
        end = (chunk.offset_seconds or 0.0) + recorded.chunk_ms / 1000
        if live:
            await asyncio.sleep(max(0.0, began + end - clock()))
        await call.send_audio(chunk.leg, chunk.data, chunk.offset_seconds)
        told(min(end, recorded.duration_seconds))
    await call.close()
