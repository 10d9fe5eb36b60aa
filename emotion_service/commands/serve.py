"""`serve`: runs the service. A flag for each setting; what is not given is left to the
environment, the file and the defaults (config.py)."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer


def serve_command(  # noqa: PLR0913, PLR0917  (one argument a setting)
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file of settings. (or EMOTION_SERVICE_CONFIG)"),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to listen. (default: 127.0.0.1:50051)"),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A model folder. (default: the shipped one)")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What to advise when, see `rules`. (default: the shipped ones)"
        ),
    ] = None,
    allow_remote: Annotated[
        bool | None,
        typer.Option(
            "--allow-remote",
            help="Listen without encryption where other machines can connect: everybody on the "
            "network can then listen in on calls and start them.",
        ),
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Encrypt with this certificate …")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="… and its key.")] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Take only clients with a certificate signed by this CA."),
    ] = None,
    metrics_listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where Prometheus finds /metrics; '' turns it off. (default: 127.0.0.1:9464)",
        ),
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(help="More are refused at the door. (default: 50)")
    ] = None,
    max_watchers: Annotated[
        int | None, typer.Option(help="More are refused at the door. (default: 500)")
    ] = None,
    max_loop_lag_ms: Annotated[
        float | None,
        typer.Option(help="While it runs later than this no new call is taken. (default: 50)"),
    ] = None,
    drain_seconds: Annotated[
        float | None, typer.Option(help="For calls to end in after SIGTERM. (default: 10)")
    ] = None,
    slow_reader_seconds: Annotated[
        float | None,
        typer.Option(help="A stream whose client reads nothing for so long is cut. (default: 30)"),
    ] = None,
    reflection: Annotated[
        bool | None, typer.Option("--reflection", help="Let grpcurl and the like ask for the API.")
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="auto|text|json",
            help="Of the log on stderr; auto is text on a terminal. (default: auto)",
        ),
    ] = None,
) -> None:
    """Run the service until it is told to stop.

    Each option is also a variable (EMOTION_SERVICE_MAX_CALLS) and a key of the file (max_calls).
    The settings in force are the first line of the log.
    """
    given: dict[str, Any] = {name: value for name, value in locals().items() if value is not None}
    given.pop("config", None)
    # Until the service listens to signals itself. Without this a container's first process, which
    # has no default for SIGTERM, would not hear one during its start.
    signal.signal(signal.SIGTERM, _leave)
    # What only this command needs takes a second or more to import.
    from emotion_service.app import serve  # noqa: PLC0415
    from emotion_service.config import load  # noqa: PLC0415

    serve(load(given, config))


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
