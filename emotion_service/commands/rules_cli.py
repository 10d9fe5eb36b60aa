"""How the commands `rules …` are called. What they do is in `rules`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

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
from emotion_service.commands.rules import check, replay
from emotion_service.commands.watch import watch
from emotion_service.playback import (
    PlaybackOptions,
    open_recording,
    parse_attributes,
    parse_parties,
)
from emotion_service.recording import Encoding
from emotion_service.types import Consent
from emotion_service.v1 import emotion_service_pb2 as pb

rules_app = typer.Typer(
    help="What is advised when: check a file of rules, try it out, follow the advice.",
    no_args_is_help=True,
)


@rules_app.command("check")
def check_command(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A YAML file of rules. (default: the shipped one)"),
    ] = None,
) -> None:
    """Say whether a file of rules can be used; if not, the line and what to do."""
    check(file)


@rules_app.command("replay")
def replay_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="A YAML file of rules.")],
    files: Annotated[list[Path], FILE],
    party: Parties = "",
    queue: Annotated[str, typer.Option(help="In which the customer is.")] = "",
    tenant: Annotated[str, typer.Option(help="Whose call it is.")] = "",
    agent_id: Annotated[str, typer.Option(help="Who takes the call, from its beginning.")] = "",
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Of the call. May be repeated.", show_default=False
        ),
    ] = None,
    encoding: EncodingOption = Encoding.PCMU,
    chunk_ms: ChunkMs = 100,
    json: Json = False,
    disclosure_given: Disclosure = False,
    consent: ConsentOption = ConsentChoice.PENDING,
    allow_mixed_for_testing: AllowMixed = False,
    model: Model = None,
    call_id: CallId = "",
) -> None:
    """Say what the rules would have advised on a recording, when and why, without a service.

    Rules that rest on the customer's voice need --disclosure-given and --consent granted.
    """
    recorded = open_recording(
        PlaybackOptions(
            files=tuple(files),
            call_id=call_id or f"recording-{uuid4().hex[:12]}",
            parties=parse_parties(party),
            encoding=encoding,
            chunk_ms=chunk_ms,
            disclosure_given=disclosure_given,
            consent=Consent[consent.name],
            allow_mixed_for_testing=allow_mixed_for_testing,
            queue=queue,
            tenant=tenant,
            agent_id=agent_id,
            attributes=parse_attributes(attribute or []),
        )
    )
    replay(recorded, rules, model, json)


@rules_app.command("watch")
def watch_command(  # noqa: PLR0913, PLR0917  (one argument an option)
    server: Server = DEFAULT_SERVER,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    call_id: Annotated[str, typer.Option(help="Only on this call.")] = "",
    queue: Annotated[str, typer.Option(help="Only on calls in this queue.")] = "",
    tenant: Annotated[str, typer.Option(help="Only on calls of this tenant.")] = "",
    cursor: Annotated[
        str, typer.Option(help="Go on after this cursor, from the JSON of an earlier watch.")
    ] = "",
    json: Json = False,
) -> None:
    """Follow what a service advises on calls that others stream, until Ctrl-C."""
    request = pb.WatchRoutingRequest(call_id=call_id, queue=queue, tenant=tenant, cursor=cursor)
    watch(server, client_tls(tls, tls_ca, tls_certificate, tls_key), request, json)
