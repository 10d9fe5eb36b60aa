"""How the commands are called. What they do is in commands/.

Exit codes (docs/errors.md has all cases): 0 done; 1 the service is not there, not ready, or gave
up; 2 wrong usage, or a file, model or disk that cannot be used; 130 Ctrl-C; 141 whoever read the
output has gone.
"""

from __future__ import annotations

import io
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import uuid4

import typer

from emotion_service.commands.demo import demo
from emotion_service.commands.options import (
    DEFAULT_SERVER,
    FILE,
    AllowMixed,
    CallId,
    ChunkMs,
    ConsentChoice,
    ConsentOption,
    Disclosure,
    EncodingOption,
    Json,
    Model,
    Parties,
    Server,
    Tls,
    TlsCa,
    TlsCertificate,
    TlsKey,
    client_tls,
)
from emotion_service.commands.output import need_output
from emotion_service.commands.probe import probe
from emotion_service.commands.rules_cli import rules_app
from emotion_service.commands.serve import serve_command
from emotion_service.commands.speak import speak
from emotion_service.commands.stream import stream
from emotion_service.commands.watch import watch
from emotion_service.console.truth import read_truth
from emotion_service.errors import (
    BadInput,
    CorpusError,
    EmotionServiceError,
    ModelMismatch,
    RecipeError,
)
from emotion_service.playback import PlaybackOptions, open_recording, parse_parties
from emotion_service.recording import Encoding
from emotion_service.training.commands import (
    crossval_command,
    evaluate_command,
    export_command,
    train_command,
)
from emotion_service.training.report.report_command import report_command
from emotion_service.types import Consent, Pacing
from emotion_service.v1 import emotion_service_pb2 as pb

INTERRUPTED, PIPE_CLOSED = 128 + 2, 128 + 13  # as shells report SIGINT and SIGPIPE

app = typer.Typer(
    name="emotion-service",
    help="Tells how consenting customers sound on live calls, while they speak.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks would show a caller's data
    rich_markup_mode="rich",
)


class Language(StrEnum):
    ENGLISH = "en"
    GERMAN = "de"


@app.command("probe")
def probe_command(
    server: Server = DEFAULT_SERVER,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    json: Json = False,
) -> None:
    """Say whether a service is up, and which model, licence and version answer.

    Exits with 0 when it is ready.
    """
    if not probe(server, client_tls(tls, tls_ca, tls_certificate, tls_key), json):
        raise typer.Exit(1)


@app.command("stream")
def stream_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    files: Annotated[list[Path] | None, FILE] = None,
    microphone: Annotated[
        bool,
        typer.Option(
            "--microphone", help="Instead of a FILE, what you speak is the customer's leg."
        ),
    ] = False,
    server: Server = DEFAULT_SERVER,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
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
    """Play a recording into a service, or speak to it, and show live what it hears.

    Nobody is scored without --disclosure-given and --consent granted.
    """
    trust = client_tls(tls, tls_ca, tls_certificate, tls_key)
    if microphone:
        if files or fast or party or truth or allow_mixed_for_testing:
            raise BadInput(
                "MICROPHONE_ALONE",
                "--microphone was given with a FILE, or with --fast, --party, --truth or "
                "--allow-mixed-for-testing, which are for one; leave these out, or --microphone.",
            )
        config = pb.CallConfig(
            call_id=call_id or _random_call_id("microphone"),
            disclosure_given=disclosure_given,
            consent=pb.Consent.Value(f"CONSENT_{consent.name}"),
        )
        speak(config, chunk_ms, server, trust, json)
        return
    if not files:
        raise BadInput(
            "NOTHING_TO_STREAM", "Nothing was given to stream; give a FILE, or --microphone."
        )
    recorded = open_recording(
        PlaybackOptions(
            files=tuple(files),
            call_id=call_id or _random_call_id("recording"),
            parties=parse_parties(party),
            encoding=encoding,
            chunk_ms=chunk_ms,
            pacing=Pacing.RECORDED if fast else Pacing.LIVE,
            disclosure_given=disclosure_given,
            consent=Consent[consent.name],
            allow_mixed_for_testing=allow_mixed_for_testing,
        )
    )
    stream(recorded, server, trust, read_truth(truth) if truth else None, json)


@app.command("watch")
def watch_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    server: Server = DEFAULT_SERVER,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
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
        call_id=call_id,
        agent_id=agent_id,
        queue=queue,
        tenant=tenant,
        cursor=cursor,
        batched=True,
    )
    watch(server, client_tls(tls, tls_ca, tls_certificate, tls_key), request, json)


@app.command("panel")
def panel_command(
    server: Server = DEFAULT_SERVER,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    listen: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where browsers of this machine find the pages."),
    ] = "127.0.0.1:8080",
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Pages of this origin, an agent desktop, may embed the panel. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show live calls in a browser: a wall of all for supervisors, a panel of one for its agent.

    A client of a service, in a process of its own, until Ctrl-C.
    """
    from emotion_service.commands.panel import panel  # noqa: PLC0415

    trust = client_tls(tls, tls_ca, tls_certificate, tls_key)
    panel(server, trust, listen, allow_origin or [])


@app.command("analyze")
def analyze_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    files: Annotated[list[Path], FILE],
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
            call_id=call_id or _random_call_id("recording"),
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


app.callback()(need_output)
app.command("serve")(serve_command)
app.add_typer(rules_app, name="rules")
app.command("crossval")(crossval_command)
app.command("train")(train_command)
app.command("export")(export_command)
app.command("report")(report_command)
app.command("evaluate")(evaluate_command)


def main() -> None:
    """Runs the command line; mistakes of its user end in one sentence, never in a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks is a question mark
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            app(prog_name="emotion-service")
        finally:
            _flush()  # while it can still be told that the disk is full
    except (BadInput, ModelMismatch, CorpusError, RecipeError) as error:
        _end(2, str(error))
    except EmotionServiceError as error:
        _end(1, str(error))
    except BrokenPipeError:
        _end(PIPE_CLOSED)
    except OSError as error:
        _end(2, _refused_by_system(error))
    except UnicodeEncodeError:  # Python reads such bytes as half characters, which nothing takes
        _end(2, "an argument is no text in UTF-8: write it as such")
    except KeyboardInterrupt:
        _end(INTERRUPTED)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # typer makes it a 1
            _end(PIPE_CLOSED)
        raise


def _end(code: int, sentence: str = "") -> NoReturn:
    if sentence:
        print(f"emotion-service: {sentence}", file=sys.stderr)
    try:
        _flush()
    except OSError:  # what could not be written must not be tried again as Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _flush() -> None:
    if sys.stdout:  # there is none where whoever started the command has closed it
        sys.stdout.flush()


def _refused_by_system(error: OSError) -> str:
    if error.filename is None:
        return f"the output cannot be written ({error.strerror}): make room, or write it elsewhere"
    return (
        f"{error.filename} cannot be read or written ({error.strerror}): check that it is there, "
        "that you may use it, and that its disk has room"
    )


def _random_call_id(of: str) -> str:
    return f"{of}-{uuid4().hex[:12]}"
