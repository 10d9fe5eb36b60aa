"""`stream --microphone`, with a microphone that is played by a thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

from emotion_service.microphone import ENCODING
from emotion_service.v1 import emotion_service_pb2 as pb

Run: TypeAlias = Callable[..., tuple[int, str, str]]
Scripted: TypeAlias = Callable[..., AbstractContextManager[Any]]

BLOCKS = 4


def input_stream(samplerate: int, blocksize: int, callback: Any, **rest: Any) -> Any:
    """Hears so many blocks, the second after an overflow; then somebody presses Ctrl-C."""

    def hear() -> None:
        for number in range(BLOCKS):
            data = memoryview(bytes([number]) * (2 * blocksize))
            callback(data, blocksize, None, SimpleNamespace(input_overflow=number == 1))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=hear)
    return SimpleNamespace(start=thread.start, close=thread.join)


@pytest.fixture(autouse=True)
def portaudio(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        PortAudioError=RuntimeError,
        query_devices=lambda kind: {},
        check_input_settings=lambda channels, dtype, samplerate: None,
        RawInputStream=input_stream,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", fake)


def test_what_is_spoken_is_the_customers_leg_until_ctrl_c(run: Run, scripted: Scripted) -> None:
    told = ("--disclosure-given", "--consent", "granted", "--call-id", "mine", "--chunk-ms", 20)
    with scripted() as service:
        code, out, err = run("stream", "--microphone", *told, "--server", service.address)
    config, *audio = service.requests
    assert config.config == pb.CallConfig(
        call_id="mine",
        disclosure_given=True,
        consent=pb.CONSENT_GRANTED,
        legs=[
            pb.LegConfig(
                leg="customer",
                party=pb.PARTY_CUSTOMER,
                encoding=ENCODING,
                sample_rate_hertz=8000,
                channels=1,
            )
        ],
    )
    assert [(sent.audio.leg, sent.audio.data[:1], len(sent.audio.data)) for sent in audio] == [
        ("customer", bytes([number]), 320) for number in range(BLOCKS)
    ]
    offsets = [sent.audio.offset.ToMilliseconds() for sent in audio]
    assert offsets == [0, 20, 40, 60]
    assert code == 0
    assert "Summary: " in out
    assert err.splitlines() == [
        "Speak. Ctrl-C ends the call.",
        "The microphone's audio has 1 gap(s): this computer, or the way to the server, "
        "was too slow.",
    ]


def test_by_default_nothing_may_be_scored(run: Run, scripted: Scripted) -> None:
    with scripted() as service:
        run("stream", "--microphone", "--json", "--server", service.address)
    config = service.requests[0].config
    assert not config.disclosure_given
    assert config.consent == pb.CONSENT_PENDING
    assert config.call_id.startswith("microphone-")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a.wav",), "--microphone was given with a FILE"),
        (("--fast",), "or with --fast"),
        (("--party", "agent"), "--party"),
        (("--truth", "a.json"), "--truth"),
        (("--allow-mixed-for-testing",), "--allow-mixed-for-testing"),
    ],
)
def test_the_microphone_goes_without_what_is_for_files(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = run("stream", "--microphone", *arguments)
    assert (code, out) == (2, "")
    assert says in err


def test_a_stream_needs_a_file_or_the_microphone(run: Run) -> None:
    assert run("stream") == (
        2,
        "",
        "emotion-service: Nothing was given to stream; give a FILE, or --microphone.\n",
    )


def test_without_a_microphone_the_way_out_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, out, err = run("stream", "--microphone")
    assert (code, out) == (2, "")
    assert err == (
        "emotion-service: The microphone needs the Python package sounddevice, which is not "
        "installed: pip install 'emotion-service[mic]'\n"
    )


def test_without_a_server_nobody_is_asked_to_speak_in_vain(run: Run) -> None:
    code, _, err = run("stream", "--microphone", "--server", "127.0.0.1:1")
    assert code == 1
    assert err.startswith("emotion-service: No emotion-service answers at 127.0.0.1:1")
