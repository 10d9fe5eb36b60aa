"""What gRPC says at the end of a call or question, as exceptions that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_status import rpc_status

from emotion_service.errors import EmotionServiceError

GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class ServerUnreachable(EmotionServiceError):
    """Nothing answers at the address, or what did has gone. Trying again may help."""

    retry_seconds = 0.0


class Refused(EmotionServiceError):
    """The server ended a call or question: `code` is gRPC's, `reason` a stable word or empty.

    `retry_seconds`: the same may succeed after so long; None: it will not.
    """

    def __init__(
        self, code: str, reason: str, message: str, retry_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_seconds = retry_seconds


def unreachable(server: str, details: str = "") -> ServerUnreachable:
    """Nobody there; `details` are gRPC's, and tell a closed door from a wrong key."""
    for sign, sentence in SIGNS.items():
        if sign in details:
            return ServerUnreachable(sentence.format(server=server))
    return ServerUnreachable(
        f"No emotion-service answers at {server}; check the address, "
        f"or start one with: emotion-service serve --listen {server}"
    )


def lost(server: str, details: str = "") -> ServerUnreachable:
    """Whoever was there has gone."""
    return ServerUnreachable(
        f"The service at {server} went away in the middle of the call; open the call again."
    )


@contextmanager
def understood(
    server: str, gone: Callable[[str, str], ServerUnreachable] = unreachable
) -> Iterator[None]:
    """Turns gRPC's errors into this module's; `gone` words that nobody is there."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        reason, retry_seconds = _details(error)
        if error.code() in GONE and not reason:
            raise gone(server, error.details() or "") from None
        message = error.details() or "The server ended the call without saying why."
        raise Refused(error.code().name, reason, message, retry_seconds) from None


def _details(error: grpc.aio.AioRpcError) -> tuple[str, float | None]:
    """The stable reason, or none, and after how many seconds to try again, if at all."""
    status = rpc_status.from_call(cast(grpc.Call, error))
    info, retry = ErrorInfo(), RetryInfo()
    retry_seconds: float | None = None
    for detail in status.details if status is not None else ():
        if detail.Unpack(retry):
            retry_seconds = retry.retry_delay.ToNanoseconds() / 1e9
        detail.Unpack(info)
    return str(info.reason), retry_seconds


# What gRPC's core says of a connection that failed, and what that means. The first that fits.
SIGNS = {
    "WRONG_VERSION_NUMBER": (
        "What listens at {server} does not speak TLS; leave the TLS options out, "
        "or start the service with TLS."
    ),
    "CERTIFICATE_VERIFY_FAILED": (
        "The certificate of the service at {server} was not signed by anybody trusted here, or is "
        "out of date; give the authority that signed it (--tls-ca)."
    ),
    "Hostname Verification": (
        "The certificate of the service at {server} was issued for another name; "
        "use the name that it was issued for."
    ),
    "Socket closed": (
        "What listens at {server} ends every connection: it may expect TLS (--tls-ca), or a "
        "certificate of the client (--tls-certificate, --tls-key), or be no emotion-service."
    ),
}
SIGNS["Connection reset"] = SIGNS["Socket closed"]
