"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emotion_service.client import ClientTls
from emotion_service.recording import Encoding

DEFAULT_SERVER = "127.0.0.1:50051"


class ConsentChoice(StrEnum):
    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


FILE = typer.Argument(
    metavar="FILE",
    help="A stereo file (customer left, agent right), a mono file, or two mono files, the "
    "customer's first: WAV, FLAC, OGG, or raw G.711 (.ul, .ulaw, .al, .alaw).",
    show_default=False,
)
Server = Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the service listens.")]
Tls = Annotated[
    bool, typer.Option("--tls", help="Encrypt; trust whom this machine trusts, or --tls-ca.")
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        metavar="PEM", help="Encrypt; the authority that signed the server's certificate."
    ),
]
TlsCertificate = Annotated[
    Path | None,
    typer.Option(metavar="PEM", help="Encrypt; the client's certificate, if the server asks …"),
]
TlsKey = Annotated[Path | None, typer.Option(metavar="PEM", help="… and its key.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Parties = Annotated[
    str,
    typer.Option(
        "--party",
        metavar="NAME[,NAME]",
        help="Who speaks on each leg: customer, agent, bot, supervisor, mixed. "
        "By default customer, then agent.",
        show_default=False,
    ),
]
EncodingOption = Annotated[Encoding, typer.Option(help="How the audio of a FILE is sent.")]
ChunkMs = Annotated[int, typer.Option(min=1, max=2000, help="Milliseconds of audio a message.")]
Disclosure = Annotated[
    bool, typer.Option("--disclosure-given", help="The customer was told what is done here.")
]
ConsentOption = Annotated[
    ConsentChoice, typer.Option(help="The customer's answer. Only granted allows scoring.")
]
AllowMixed = Annotated[
    bool,
    typer.Option(
        "--allow-mixed-for-testing",
        help="Score a leg on which several parties speak (a mono file becomes one): for tests.",
    ),
]
CallId = Annotated[
    str, typer.Option(help="A pseudonymous name of the call. (default: a random one)")
]
Model = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A model folder. (default: the shipped one)")
]


def client_tls(
    tls: bool, ca: Path | None, certificate: Path | None, key: Path | None
) -> ClientTls | None:
    """What the options --tls… say; None is plain text.

    Raises:
        BadInput: as ClientTls.
    """
    return ClientTls(ca, certificate, key) if tls or ca or certificate or key else None
