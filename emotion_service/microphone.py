"""The microphone of this computer, read in blocks as they are spoken. Needs the extra [mic]."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import closing
from importlib import import_module
from queue import Full, Queue
from typing import Any

from emotion_service.errors import BadInput
from emotion_service.types import EncodedAudio

RATES_HERTZ = (8000, 16000, 48000, 44100, 32000, 24000)  # the first that the device can do
ENCODING = "audio/pcm" if sys.byteorder == "little" else "audio/L16"  # int16 as it comes
WAITING_BLOCKS = 50  # for a network that stalls: 5 s of blocks of 100 ms


class Microphone:
    """The default input device, mono. It is opened, and the clock starts, with `blocks`.

    Raises:
        BadInput: MICROPHONE_UNAVAILABLE.
    """

    def __init__(self, leg: str, block_ms: int) -> None:
        self._sounddevice = _sounddevice()
        self._leg = leg
        self._waiting: Queue[EncodedAudio] = Queue(WAITING_BLOCKS)
        self._news = asyncio.Event()  # a block waits, or nothing more shall come
        self._stopped = False
        self._samples = 0  # heard so far, lost ones too
        self.sample_rate_hertz = _rate(self._sounddevice)
        self._block_samples = self.sample_rate_hertz * block_ms // 1000
        self.losses = 0  # how often audio was lost because nobody fetched it in time

    async def blocks(self) -> AsyncGenerator[EncodedAudio, None]:
        """What is heard, each block placed by its offset, until `stop`.

        Raises:
            BadInput: MICROPHONE_UNAVAILABLE, when another program has it.
        """
        loop = asyncio.get_running_loop()

        def heard(data: Any, frames: int, time: Any, status: Any) -> None:
            """In PortAudio's thread, which must never wait."""
            self._put(bytes(data), frames, bool(status.input_overflow))
            loop.call_soon_threadsafe(self._news.set)

        with closing(self._opened(heard)):
            while not self._stopped:
                await self._news.wait()
                self._news.clear()
                while not self._waiting.empty():
                    yield self._waiting.get_nowait()

    def stop(self) -> None:
        """Ends `blocks` once it has given out what is waiting. For the event loop's thread."""
        self._stopped = True
        self._news.set()

    def _put(self, data: bytes, frames: int, overflowed: bool) -> None:
        offset_seconds = self._samples / self.sample_rate_hertz
        self._samples += frames
        self.losses += overflowed
        try:
            self._waiting.put_nowait(EncodedAudio(self._leg, data, offset_seconds))
        except Full:
            self.losses += 1

    def _opened(self, heard: Any) -> Any:
        try:
            stream = self._sounddevice.RawInputStream(
                samplerate=self.sample_rate_hertz,
                blocksize=self._block_samples,
                channels=1,
                dtype="int16",
                callback=heard,
            )
            stream.start()
        except self._sounddevice.PortAudioError as error:
            raise _unavailable(f"The microphone cannot be opened ({_text(error)})") from None
        return stream


def _sounddevice() -> Any:
    try:
        return import_module("sounddevice")
    except ImportError:
        raise BadInput(
            "MICROPHONE_UNAVAILABLE",
            "The microphone needs the Python package sounddevice, which is not installed: "
            "pip install 'emotion-service[mic]'",
        ) from None
    except OSError:  # how sounddevice says that PortAudio is missing
        raise BadInput(
            "MICROPHONE_UNAVAILABLE",
            "The microphone needs the library PortAudio, which is not installed: "
            "apt install libportaudio2",
        ) from None


def _rate(sounddevice: Any) -> int:
    """The first rate that the service takes and the device has."""
    try:
        sounddevice.query_devices(kind="input")
    except sounddevice.PortAudioError:
        raise _unavailable("This computer has no microphone") from None
    for rate in RATES_HERTZ:
        try:
            sounddevice.check_input_settings(channels=1, dtype="int16", samplerate=rate)
        except sounddevice.PortAudioError as error:
            why = error
        else:
            return rate
    raise _unavailable(f"The microphone cannot be opened ({_text(why)})")


def _text(error: Exception) -> str:
    return str(error).partition("[")[0].strip()


def _unavailable(what: str) -> BadInput:
    return BadInput(
        "MICROPHONE_UNAVAILABLE",
        f"{what}; connect one that no other program holds, or stream a FILE instead.",
    )
