"""A recorded call in the right order and at the right time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from emotion_service.client import OpenCall
from emotion_service.errors import BadInput
from emotion_service.playback import (
    PlaybackOptions,
    RecordedCall,
    open_recording,
    parse_attributes,
    parse_parties,
    play,
)
from emotion_service.types import Consent, Pacing, Party
from emotion_service.v1 import emotion_service_pb2 as pb


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    file = tmp_path / "call.wav"
    soundfile.write(file, np.zeros((2400, 2)), 8000)  # 300 ms
    return file


def recorded(file: Path, **options: Any) -> RecordedCall:
    return open_recording(PlaybackOptions(files=(file,), call_id="c1", **options))


def test_the_config_says_what_the_options_do(stereo: Path) -> None:
    call = recorded(stereo, disclosure_given=True, consent=Consent.GRANTED, pacing=Pacing.LIVE)
    assert call.config == pb.CallConfig(
        call_id="c1",
        pacing=pb.PACING_LIVE,
        disclosure_given=True,
        consent=pb.CONSENT_GRANTED,
        legs=[
            pb.LegConfig(
                leg=leg,
                party=party,
                encoding="audio/PCMU",
                sample_rate_hertz=8000,
                channels=1,
            )
            for leg, party in (("customer", pb.PARTY_CUSTOMER), ("agent", pb.PARTY_AGENT))
        ],
    )
    assert call.duration_seconds == pytest.approx(0.3)


def test_by_default_nothing_may_be_scored(stereo: Path) -> None:
    call = recorded(stereo)
    assert not call.config.disclosure_given
    assert call.config.consent == pb.CONSENT_PENDING
    assert not call.config.allow_mixed_for_testing


def test_a_mono_file_is_mixed_only_for_tests(tmp_path: Path) -> None:
    file = tmp_path / "mono.wav"
    soundfile.write(file, np.zeros(800), 8000)
    assert [leg.party for leg in recorded(file).config.legs] == [pb.PARTY_CUSTOMER]
    mixed = recorded(file, allow_mixed_for_testing=True)
    assert [leg.party for leg in mixed.config.legs] == [pb.PARTY_MIXED]
    told = recorded(file, allow_mixed_for_testing=True, parties=(Party.BOT,))
    assert [leg.party for leg in told.config.legs] == [pb.PARTY_BOT]


def test_parties_by_name() -> None:
    assert parse_parties("") == ()
    assert parse_parties("Agent, customer") == (Party.AGENT, Party.CUSTOMER)
    with pytest.raises(BadInput, match="'customer,clerk' names no parties; give one a leg of: "):
        parse_parties("customer,clerk")


class Line:
    """Stands in for an open call and keeps when it was sent what."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float | None, float]] = []
        self.closed = False

    async def send_audio(self, leg: str, data: bytes, offset_seconds: float | None) -> None:
        self.sent.append((leg, offset_seconds, asyncio.get_running_loop().time()))

    async def close(self) -> None:
        self.closed = True


async def test_recorded_calls_are_sent_at_once(stereo: Path) -> None:
    line, told = Line(), list[float]()
    await play(cast(OpenCall, line), recorded(stereo, chunk_ms=200), told.append)
    assert [(leg, offset) for leg, offset, _ in line.sent] == [
        ("customer", 0.0),
        ("agent", 0.0),
        ("customer", 0.2),
        ("agent", 0.2),
    ]
    assert told == pytest.approx([0.2, 0.2, 0.3, 0.3])
    assert line.closed


async def test_live_calls_are_sent_when_they_were_spoken(
    stereo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, now = asyncio.get_running_loop(), [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(loop, "time", lambda: now[0])
    monkeypatch.setattr(asyncio, "sleep", sleep)
    line = Line()
    call = recorded(stereo, chunk_ms=100, pacing=Pacing.LIVE)
    await play(cast(OpenCall, line), call, lambda seconds: None)
    sent = [moment for leg, _, moment in line.sent if leg == "customer"]
    assert sent == pytest.approx([0.1, 0.2, 0.3])


def test_the_config_says_where_the_call_is(stereo: Path) -> None:
    where = {"queue": "q", "tenant": "t", "agent_id": "a"}
    call = recorded(stereo, **where, attributes=(("language", "de"),))
    assert {name: getattr(call.config, name) for name in where} == where
    assert dict(call.config.attributes) == {"language": "de"}


def test_attributes_are_names_and_values() -> None:
    told = ["language=de", "note=a=b", "empty="]
    assert parse_attributes(told) == (("language", "de"), ("note", "a=b"), ("empty", ""))
    for wrong in ("language", "=de"):
        with pytest.raises(BadInput, match="is no attribute") as refused:
            parse_attributes([wrong])
        assert refused.value.reason == "ATTRIBUTE_INVALID"
