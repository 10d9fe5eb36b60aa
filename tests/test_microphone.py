"""The microphone, with PortAudio played by a stand-in: its thread, its devices, its errors."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from emotion_service import microphone as microphone_module
from emotion_service.errors import BadInput
from emotion_service.microphone import Microphone
from emotion_service.types import EncodedAudio
from tests.patience import PATIENCE_SECONDS


class PortAudioError(Exception):
    pass


class FakeStream:
    """Hears the number of each block in every byte of it, from a thread of its own."""

    def __init__(self, fake: FakePortAudio, blocksize: int, callback: Callable[..., None]) -> None:
        self._fake = fake
        self._blocksize = blocksize
        self._callback = callback
        self._thread = threading.Thread(target=self._hear)

    def start(self) -> None:
        self._thread.start()

    def _hear(self) -> None:
        for number in range(self._fake.blocks):
            data = memoryview(bytes([number]) * (2 * self._blocksize))
            status = SimpleNamespace(input_overflow=number in self._fake.overflows)
            self._callback(data, self._blocksize, None, status)
        self._fake.heard.set()

    def close(self) -> None:
        self._thread.join()
        self._fake.closed = True


class FakePortAudio:
    """What of the module sounddevice is used."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.rates = {8000, 48000}
        self.blocks = 3
        self.overflows: set[int] = set()
        self.device = True
        self.busy = False
        self.asked: dict[str, Any] = {}
        self.heard = threading.Event()
        self.closed = False

    def query_devices(self, kind: str) -> dict[str, str]:
        if not self.device:
            raise PortAudioError("Error querying device -1")
        return {"name": "a fake"}

    def check_input_settings(self, channels: int, dtype: str, samplerate: int) -> None:
        assert (channels, dtype) == (1, "int16")
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def RawInputStream(  # noqa: N802
        self, samplerate: int, blocksize: int, channels: int, dtype: str, callback: Any
    ) -> FakeStream:
        if self.busy:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        self.asked = {"rate": samplerate, "block": blocksize, "as": (channels, dtype)}
        return FakeStream(self, blocksize, callback)


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


async def fetched(microphone: Microphone, count: int) -> list[EncodedAudio]:
    """So many blocks, then those that were waiting when it was stopped."""
    found = []
    async with aclosing(microphone.blocks()) as blocks:
        async for block in blocks:
            found.append(block)
            if len(found) == count:
                microphone.stop()
    return found


async def test_blocks_come_in_order_each_with_its_place(portaudio: FakePortAudio) -> None:
    microphone = Microphone("customer", 100)
    blocks = await asyncio.wait_for(fetched(microphone, 3), PATIENCE_SECONDS)
    assert blocks == [
        EncodedAudio("customer", bytes([number]) * 1600, offset_seconds=number / 10)
        for number in range(3)
    ]
    assert portaudio.asked == {"rate": 8000, "block": 800, "as": (1, "int16")}
    assert portaudio.closed
    assert microphone.losses == 0


async def test_a_device_without_8_kHz_is_read_at_a_rate_that_the_service_takes(  # noqa: N802
    portaudio: FakePortAudio,
) -> None:
    portaudio.rates = {11025, 44100, 48000}
    microphone = Microphone("customer", 20)
    assert microphone.sample_rate_hertz == 48000
    blocks = await asyncio.wait_for(fetched(microphone, 3), PATIENCE_SECONDS)
    assert portaudio.asked == {"rate": 48000, "block": 960, "as": (1, "int16")}
    assert [block.offset_seconds for block in blocks] == [0.0, 0.02, 0.04]


async def test_what_nobody_fetches_in_time_is_dropped_counted_and_leaves_a_gap(
    portaudio: FakePortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone_module, "WAITING_BLOCKS", 2)
    portaudio.blocks, portaudio.overflows = 5, {1}
    microphone = Microphone("customer", 100)

    async def late() -> list[EncodedAudio]:
        found = []
        async with aclosing(microphone.blocks()) as blocks:
            async for block in blocks:
                portaudio.heard.wait(PATIENCE_SECONDS)  # all this while the event loop stands still
                found.append(block)
                microphone.stop()
        return found

    found = await asyncio.wait_for(late(), PATIENCE_SECONDS)
    lost = 5 - len(found)
    assert 2 <= lost <= 3  # the first may have been fetched before the others came
    assert microphone.losses == lost + 1
    numbers = [block.data[0] for block in found]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))


async def test_a_stop_is_heard_although_nothing_comes(portaudio: FakePortAudio) -> None:
    portaudio.blocks = 0
    microphone = Microphone("customer", 100)
    fetching = asyncio.create_task(fetched(microphone, 1))
    await asyncio.sleep(0.02)
    microphone.stop()
    assert await asyncio.wait_for(fetching, PATIENCE_SECONDS) == []
    assert portaudio.closed


async def test_whoever_leaves_early_closes_the_device(portaudio: FakePortAudio) -> None:
    async with aclosing(Microphone("customer", 100).blocks()) as blocks:
        await anext(blocks)
    assert portaudio.closed


def test_without_sounddevice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(BadInput, match=r"pip install 'emotion-service\[mic\]'") as refused:
        Microphone("customer", 100)
    assert refused.value.reason == "MICROPHONE_UNAVAILABLE"


def test_without_portaudio(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match="apt install libportaudio2"):
        Microphone("customer", 100)


def test_without_a_device(portaudio: FakePortAudio) -> None:
    portaudio.device = False
    with pytest.raises(BadInput, match="This computer has no microphone; connect one"):
        Microphone("customer", 100)


def test_with_a_device_that_has_no_rate_of_the_service(portaudio: FakePortAudio) -> None:
    portaudio.rates = {11025}
    with pytest.raises(BadInput, match=r"cannot be opened \(Invalid sample rate\); connect"):
        Microphone("customer", 100)


async def test_with_a_device_that_another_program_holds(portaudio: FakePortAudio) -> None:
    portaudio.busy = True
    with pytest.raises(BadInput, match=r"cannot be opened \(Device unavailable\); connect"):
        await asyncio.wait_for(fetched(Microphone("customer", 100), 1), PATIENCE_SECONDS)
