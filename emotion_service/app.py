"""Wiring and life cycle, in reading order: load, bind, serve, drain."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.bus import Bus
from emotion_service.errors import BadInput, ModelMismatch
from emotion_service.fronts.grpc import EmotionServicer, bind, new_server
from emotion_service.fronts.stream import Service
from emotion_service.scoring import model
from emotion_service.scoring.batcher import Batcher

DEFAULT_MODEL = "telephone-open-1"
GRACE_SECONDS = 5.0


def serve(listen: str, model_dir: Path | None = None, allow_remote: bool = False) -> None:
    """Serves until SIGTERM or SIGINT, then lets calls end for up to 5 s.

    One line on stderr says when it is ready, where, and with which model.

    Raises:
        BadInput: `listen` is not HOST:PORT, not free, or not loopback without `allow_remote`.
        ModelMismatch: the model cannot be used.
    """
    host, port = _checked(listen, allow_remote)
    asyncio.run(_serve(host, port, load_scorer(model_dir)))


def load_scorer(model_dir: Path | None = None) -> Scorer:
    """The scorer of a model folder, checked and replayed; by default of the shipped one.

    Raises:
        ModelMismatch: see scoring.model.load.
    """
    return Scorer(model.load(model_dir or default_model_dir()))


def default_model_dir() -> Path:
    """Inside an installed wheel models/ lies in the package, in a checkout beside it.

    Raises:
        ModelMismatch: it is in neither.
    """
    package = Path(__file__).resolve().parent
    places = [package / "models" / DEFAULT_MODEL, package.parent / "models" / DEFAULT_MODEL]
    for place in places:
        if place.is_dir():
            return place
    raise ModelMismatch(
        f"the model folder {DEFAULT_MODEL} is neither {places[0]} nor {places[1]}: "
        "install the package again, or give a folder with --model"
    )


@asynccontextmanager
async def running(host: str, port: int, scorer: Scorer) -> AsyncIterator[int]:
    """The service as a whole; yields its port (of its choice when `port` is 0).

    Raises:
        BadInput: LISTEN_FAILED.
    """
    async with Batcher(scorer) as batcher:
        bus = Bus()
        servicer = EmotionServicer(Service(scorer, batcher, bus), mixed_allowed=_is_loopback(host))
        server = new_server(servicer)
        bound = bind(server, host, port)
        await server.start()
        try:
            yield bound
        finally:
            stopping = asyncio.create_task(server.stop(GRACE_SECONDS))  # refuses new calls
            await servicer.drain(GRACE_SECONDS)
            bus.close()
            await stopping


async def _serve(host: str, port: int, scorer: Scorer) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(host, port, scorer) as bound:
        print(
            f"emotion-service {version('emotion-service')} is ready on {host}:{bound}, "
            f"model {scorer.model_version}, licence {scorer.model_licence}",
            file=sys.stderr,
            flush=True,
        )
        await stop.wait()


def _checked(listen: str, allow_remote: bool) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise BadInput(
            "LISTEN_INVALID",
            f"{listen!r} is no address: give HOST:PORT, for example 127.0.0.1:50051",
        )
    if not _is_loopback(host) and not allow_remote:
        raise BadInput(
            "LISTEN_REMOTE",
            f"{host} can be reached from other machines, and nothing is encrypted or "
            "authenticated yet: listen on 127.0.0.1, or add --allow-remote on a network you trust",
        )
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
