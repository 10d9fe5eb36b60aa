"""`probe`: is a server up and ready, and what answers there?"""

from __future__ import annotations

import asyncio

from google.protobuf import json_format

from emotion_service.client import ClientTls, EmotionClient
from emotion_service.v1 import emotion_service_pb2 as pb


def probe(server: str, tls: ClientTls | None, json: bool) -> bool:
    """Prints what the server says of itself; whether it is ready.

    Raises:
        ServerUnreachable: nothing answers.
    """
    info = asyncio.run(service_info(server, tls))
    print(_json(info) if json else _text(server, info))
    return info.ready


async def service_info(server: str, tls: ClientTls | None = None) -> pb.GetServiceInfoResponse:
    """Which service, model and licence answer at `server`."""
    async with EmotionClient(server, tls) as client:
        return await client.service_info()


def _json(info: pb.GetServiceInfoResponse) -> str:
    return json_format.MessageToJson(
        info,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
    )


def _text(server: str, info: pb.GetServiceInfoResponse) -> str:
    rows = (
        ("server", server),
        ("state", "ready" if info.ready else "up, but not ready"),
        ("service", info.service_version),
        ("model", f"{info.model_name} {info.model_version}"),
        ("licence", info.model_licence),
        ("sha256", info.model_sha256),
        ("live calls", str(info.live_calls)),
    )
    return "\n".join(f"{name:<11}{value}" for name, value in rows)
