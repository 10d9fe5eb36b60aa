"""A command line in this process, and a scripted service in threads beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import grpc
import pytest

from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc


class Scripted(pb_grpc.EmotionServiceServicer):
    """Keeps what a call sends, and sums it up; refuses to be watched."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[pb.StreamingAnalyzeRequest] = []

    def StreamingAnalyze(  # noqa: N802
        self, request_iterator: Iterator[pb.StreamingAnalyzeRequest], context: Any
    ) -> Iterator[pb.StreamingAnalyzeResponse]:
        for request in request_iterator:
            self.requests.append(request)
            if request.HasField("config"):
                yield pb.StreamingAnalyzeResponse(status=pb.Status(ready=pb.Ready()))
        legs = [pb.LegSummary(leg=leg.leg, scores=1) for leg in self.requests[0].config.legs]
        yield pb.StreamingAnalyzeResponse(summary=pb.CallSummary(model_version="m-1", legs=legs))

    def WatchCues(  # noqa: N802
        self, request: pb.WatchCuesRequest, context: Any
    ) -> Iterator[pb.WatchCuesResponse]:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "nobody watches here")
        yield pb.WatchCuesResponse()

    def WatchRouting(  # noqa: N802
        self, request: pb.WatchRoutingRequest, context: Any
    ) -> Iterator[pb.WatchRoutingResponse]:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "nobody watches here")
        yield pb.WatchRoutingResponse()

    def SendFeedback(  # noqa: N802
        self, request: pb.SendFeedbackRequest, context: Any
    ) -> pb.SendFeedbackResponse:
        return pb.SendFeedbackResponse()

    def RecordObjection(  # noqa: N802
        self, request: pb.RecordObjectionRequest, context: Any
    ) -> pb.RecordObjectionResponse:
        return pb.RecordObjectionResponse()

    def GetCall(self, request: pb.GetCallRequest, context: Any) -> pb.GetCallResponse:  # noqa: N802
        return pb.GetCallResponse()

    def GetServiceInfo(  # noqa: N802
        self, request: pb.GetServiceInfoRequest, context: Any
    ) -> pb.GetServiceInfoResponse:
        return pb.GetServiceInfoResponse(ready=True, model_version="m-1")


@pytest.fixture
def scripted() -> Callable[..., AbstractContextManager[Scripted]]:
    """`with scripted() as service`: at `service.address`; over TLS with credentials."""

    @contextmanager
    def scripted(credentials: grpc.ServerCredentials | None = None) -> Iterator[Scripted]:
        servicer = Scripted()
        with ThreadPoolExecutor() as threads:
            server = grpc.server(threads)
            pb_grpc.add_EmotionServiceServicer_to_server(servicer, server)
            if credentials is None:
                port = server.add_insecure_port("127.0.0.1:0")
            else:
                port = server.add_secure_port("127.0.0.1:0", credentials)
            servicer.address = f"127.0.0.1:{port}"
            server.start()
            try:
                yield servicer
            finally:
                server.stop(None).wait()

    return scripted
