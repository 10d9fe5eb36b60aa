"""How the commands are called. What they do is in commands/.

Exit codes: 0 done; 1 the service is not there, not ready, or gave up; 2 wrong usage or
unreadable input.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from emotion_service.commands.demo import demo
from emotion_service.commands.probe import probe
from emotion_service.commands.stream import stream
from emotion_service.commands.watch import watch
from emotion_service.console.truth import read_truth
from emotion_service.errors import BadInput, CorpusError, EmotionServiceError, ModelMismatch
from emotion_service.playback import PlaybackOptions, open_recording, parse_parties
from emotion_service.recording import Encoding
from emotion_service.training.commands import crossval_command, train_command
from emotion_service.types import Consent, Pacing
from emotion_service.v1 import emotion_service_pb2 as pb

DEFAULT_SERVER = "127.0.0.1:50051"

app = typer.Typer(
    name="emotion-service",
    help="Tells how consenting customers sound on live calls, while they speak.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks would show a caller's data
    rich_markup_mode="rich",
)


class ConsentChoice(StrEnum):
    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Language(StrEnum):
    ENGLISH = "en"
    GERMAN = "de"


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="A stereo file (customer left, agent right), a mono file, or two mono files, the "
        "customer's first: WAV, FLAC, OGG, or raw G.711 (.ul, .ulaw, .al, .alaw).",
        show_default=False,
    ),
]
Server = Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the service listens.")]
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
EncodingOption = Annotated[Encoding, typer.Option(help="How the audio is sent.")]
ChunkMs = Annotated[int, typer.Option(min=1, max=5000, help="Milliseconds of audio a message.")]
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


@app.command("serve")
def serve_command(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = (
        DEFAULT_SERVER
    ),
    model: Model = None,
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Listen where other machines can connect: nothing is encrypted yet.",
        ),
    ] = False,
) -> None:
    """Run the service until it is told to stop."""
    # Here and below: what only this command needs takes a second or more to import.
    from emotion_service.app import serve  # noqa: PLC0415

    serve(listen, model, allow_remote)


@app.command("probe")
def probe_command(server: Server = DEFAULT_SERVER, json: Json = False) -> None:
    """Say whether a service is up, and which model, licence and version answer.

    Exits with 0 when it is ready.
    """
    if not probe(server, json):
        raise typer.Exit(1)


@app.command("stream")
def stream_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    files: Files,
    server: Server = DEFAULT_SERVER,
    fast: Annotated[
        bool, typer.Option("--fast", help="As fast as the service takes it, not in real time.")
    ] = False,
    party: Parties = "",
    encoding: EncodingOption = Encoding.PCMU,
    chunk_ms: ChunkMs = 100,
    json: Json = False,
    disclosure_given: Disclosure = False,
    consent: ConsentOption = ConsentChoice.PENDING,
    allow_mixed_for_testing: AllowMixed = False,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="What is true of a demo call, shown beside the cues."),
    ] = None,
    call_id: CallId = "",
) -> None:
    """Play a recording into a service, and show live what it hears.

    Nobody is scored without --disclosure-given and --consent granted.
    """
    recorded = open_recording(
        PlaybackOptions(
            files=tuple(files),
            call_id=call_id or _random_call_id(),
            parties=parse_parties(party),
            encoding=encoding,
            chunk_ms=chunk_ms,
            pacing=Pacing.RECORDED if fast else Pacing.LIVE,
            disclosure_given=disclosure_given,
            consent=Consent[consent.name],
            allow_mixed_for_testing=allow_mixed_for_testing,
        )
    )
    stream(recorded, server, read_truth(truth) if truth else None, json)


@app.command("watch")
def watch_command(
    server: Server = DEFAULT_SERVER,
    call_id: Annotated[str, typer.Option(help="Only this call.")] = "",
    agent_id: Annotated[str, typer.Option(help="Only calls of this agent.")] = "",
    queue: Annotated[str, typer.Option(help="Only calls in this queue.")] = "",
    tenant: Annotated[str, typer.Option(help="Only calls of this tenant.")] = "",
    cursor: Annotated[
        str, typer.Option(help="Go on after this cursor, from the JSON of an earlier watch.")
    ] = "",
    json: Json = False,
) -> None:
    """Follow the cues of calls that others stream, until Ctrl-C."""
    request = pb.WatchCuesRequest(
        call_id=call_id, agent_id=agent_id, queue=queue, tenant=tenant, cursor=cursor
    )
    watch(server, request, json)


@app.command("analyze")
def analyze_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    files: Files,
    party: Parties = "",
    encoding: EncodingOption = Encoding.PCMU,
    chunk_ms: ChunkMs = 100,
    json: Json = False,
    disclosure_given: Disclosure = False,
    consent: ConsentOption = ConsentChoice.PENDING,
    allow_mixed_for_testing: AllowMixed = False,
    model: Model = None,
    call_id: CallId = "",
) -> None:
    """Analyse a recording without a service: the same pipeline, the same cues.

    Nobody is scored without --disclosure-given and --consent granted.
    """
    from emotion_service.commands.analyze import analyze  # noqa: PLC0415

    recorded = open_recording(
        PlaybackOptions(
            files=tuple(files),
            call_id=call_id or _random_call_id(),
            parties=parse_parties(party),
            encoding=encoding,
            chunk_ms=chunk_ms,
            disclosure_given=disclosure_given,
            consent=Consent[consent.name],
            allow_mixed_for_testing=allow_mixed_for_testing,
        )
    )
    analyze(recorded, model, json)


@app.command("demo")
def demo_command(
    language: Annotated[Language, typer.Option(help="Of the bundled call.")] = Language.ENGLISH,
    corpora: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="EMOTION_CORPORA",
            help="Labelled speech: plays a call with a human voice instead.",
        ),
    ] = None,
) -> None:
    """Start a service, play a call into it from a second process, and show it live."""
    raise typer.Exit(demo(language.value, corpora))


@app.command("demo-call")
def demo_call_command(
    corpora: Annotated[Path, typer.Option(metavar="DIR", help="Labelled speech.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The call, a stereo FLAC file.")],
    speaker: Annotated[
        str | None, typer.Option(help="Of a corpus. (default: one the model never heard)")
    ] = None,
    model: Model = None,
) -> None:
    """Join a speaker's labelled clips to a call, and write the truth beside it as JSON."""
    from emotion_service.commands.demo_call import demo_call  # noqa: PLC0415

    demo_call(corpora, speaker, out, model)


app.command("crossval")(crossval_command)
app.command("train")(train_command)


def main() -> None:
    """Runs the command line; mistakes of its user end in one sentence, never in a traceback."""
    try:
        app(prog_name="emotion-service")
    except (BadInput, ModelMismatch, CorpusError) as error:
        sys.exit(_told(error, 2))
    except EmotionServiceError as error:
        sys.exit(_told(error, 1))


def _told(error: EmotionServiceError, code: int) -> int:
    print(f"emotion-service: {error}", file=sys.stderr)
    return code


def _random_call_id() -> str:
    return f"recording-{uuid4().hex[:12]}"
