"""Wiring and life cycle, in reading order: load, bind, serve, drain."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import structlog

from emotion_service import address, logs
from emotion_service.address import Address
from emotion_service.calls.scorer import Scorer
from emotion_service.config import Settings
from emotion_service.delivery.bus import Bus
from emotion_service.errors import BadInput, ModelMismatch
from emotion_service.fronts.admission import Admission
from emotion_service.fronts.grpc import EmotionServicer
from emotion_service.fronts.grpc_server import GrpcServer
from emotion_service.fronts.http import metrics_served
from emotion_service.fronts.stream import Service
from emotion_service.fronts.tls import TlsFiles
from emotion_service.metrics import Metrics
from emotion_service.routing import rule_file
from emotion_service.routing.ruleset import RuleSet
from emotion_service.scoring import model
from emotion_service.scoring.batcher import Batcher

DEFAULT_MODEL = "telephone-open-5"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LAST_SECONDS = 1.0  # for statuses to go out once all calls have ended or been cut

log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then lets calls end; a second signal ends all at once.

    Raises:
        BadInput: an address, a TLS file or the rules cannot be used, or not like this.
        ModelMismatch: the model cannot be used.
    """
    logs.configure(settings.log_format)
    log.info("settings", **settings.model_dump(mode="json"))
    places, rules = where(settings), rule_file.load(settings.rules)
    asyncio.run(_serve(settings, places, load_scorer(settings.model), rules))


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


@dataclass(frozen=True, slots=True)
class Places:
    """Where the service listens. Metrics are encrypted where other machines can ask for them."""

    grpc: Address
    metrics: Address | None
    tls: TlsFiles | None

    @property
    def metrics_tls(self) -> TlsFiles | None:
        return None if self.metrics is None or self.metrics.is_loopback else self.tls


def where(settings: Settings) -> Places:
    """The addresses, if what is sent there is safe: only this machine can reach them, or it is
    encrypted, or the operator has said that it need not be.

    Raises:
        BadInput: ADDRESS_INVALID, LISTEN_REMOTE or TLS_INCOMPLETE.
    """
    tls = _tls_files(settings)
    grpc = address.parse(settings.listen)
    metrics = address.parse(settings.metrics_listen) if settings.metrics_listen else None
    for place in (grpc, metrics):
        if place and not (place.is_loopback or tls or settings.allow_remote):
            raise BadInput(
                "LISTEN_REMOTE",
                f"{place.host} can be reached from other machines, and nothing would be "
                "encrypted: listen on 127.0.0.1, or give tls_certificate and tls_key; with "
                "allow_remote everybody on the network can listen in on calls and start them",
            )
    return Places(grpc, metrics, tls)


def _tls_files(settings: Settings) -> TlsFiles | None:
    certificate, key, client_ca = (
        settings.tls_certificate,
        settings.tls_key,
        settings.tls_client_ca,
    )
    if certificate and key:
        return TlsFiles(certificate, key, client_ca)
    if certificate or key or client_ca:
        raise BadInput(
            "TLS_INCOMPLETE",
            "TLS needs tls_certificate and tls_key (and tls_client_ca if clients are to show "
            "certificates): give both, or none of the three",
        )
    return None


@asynccontextmanager
async def running(
    settings: Settings, places: Places, scorer: Scorer, rules: RuleSet
) -> AsyncIterator[int]:
    """The service as a whole; yields its port. On leaving, calls are given time to end.

    Raises:
        BadInput: LISTEN_FAILED, METRICS_LISTEN_FAILED or TLS_INVALID.
    """
    metrics, bus = Metrics(), Bus()
    admission = Admission(settings.max_calls, settings.max_watchers, settings.max_loop_lag_ms)
    _describe(metrics, scorer, bus, admission)
    async with Batcher(scorer) as batcher, admission:
        service = Service(scorer, batcher, bus, rules, admission=admission, metrics=metrics)
        servicer = EmotionServicer(service, places.grpc.is_loopback, settings.slow_reader_seconds)
        server = GrpcServer(servicer, settings.reflection)
        with ExitStack() as open_while_running:
            if places.metrics:
                at = places.metrics
                http = metrics_served(metrics, at.host, at.port, places.metrics_tls)
                open_while_running.enter_context(http)
            bound = server.bind(places.grpc.host, places.grpc.port, places.tls)
            await server.start()
            await server.serving(True)
            try:
                yield bound
            finally:
                admission.close()
                await server.serving(False)
                cut = await servicer.drain(settings.drain_seconds)
                bus.close()
                await server.stop(LAST_SECONDS)
                log.info("stopped", calls_cut=cut)


def _describe(metrics: Metrics, scorer: Scorer, bus: Bus, admission: Admission) -> None:
    metrics.describe(version("emotion-service"), scorer.model_version, scorer.model_licence)
    metrics.gauge("live_calls", "Calls being streamed.", lambda: bus.live_calls)
    metrics.gauge("watchers", "Streams that watch calls.", lambda: bus.watchers)
    metrics.gauge(
        "loop_lag_seconds",
        "By how much the event loop was late at worst within the last half second.",
        lambda: admission.lag_ms / 1e3,
    )


async def _serve(settings: Settings, places: Places, scorer: Scorer, rules: RuleSet) -> None:
    logs.watch_loop()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # What was loaded stays: searching all of it for garbage would hold up every call (70 ms).
    gc.collect()
    gc.freeze()
    async with running(settings, places, scorer, rules) as port:
        log.info(
            "ready",
            version=version("emotion-service"),
            listen=f"{places.grpc.host}:{port}",
            model=scorer.model_version,
            licence=scorer.model_licence,
            rules=len(rules.rules),
            rules_sha256=rules.sha256,
        )
        await stop.wait()
        for number in STOP_SIGNALS:  # a second one ends the process at once
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        log.info("stopping", drain_seconds=settings.drain_seconds)
