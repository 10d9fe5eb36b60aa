"""The least a server of this API can cost: it receives the very same messages and discards them.

gRPC, Protocol Buffers and asyncio as the service has them, and nothing behind them: each call gets
one answer to its config, each watcher one heartbeat. What the service costs more is its own. It is
measured as the service is, with the same load; `benchmarks.density` does that.

    python -m benchmarks.floor --listen HOST:PORT
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
from collections.abc import AsyncIterator

import grpc

from benchmarks.command import command
from emotion_service.fronts.grpc_server import OPTIONS
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

FLOOR = ("benchmarks.floor",)  # for `benchmarks.server.started`


class Floor(pb_grpc.EmotionServiceServicer):
    """Accepts every call and watcher, says hello, and nothing more."""

    async def StreamingAnalyze(  # type: ignore[override]  # noqa: N802
        self,
        request_iterator: AsyncIterator[pb.StreamingAnalyzeRequest],
        context: grpc.aio.ServicerContext[pb.StreamingAnalyzeRequest, pb.StreamingAnalyzeResponse],
    ) -> None:
        await anext(aiter(request_iterator))
        await context.write(pb.StreamingAnalyzeResponse(status=pb.Status(ready=pb.Ready())))
        async for _ in request_iterator:
            pass

    async def WatchCues(  # type: ignore[override]  # noqa: N802
        self,
        request: pb.WatchCuesRequest,
        context: grpc.aio.ServicerContext[pb.WatchCuesRequest, pb.WatchCuesResponse],
    ) -> None:
        await context.write(pb.WatchCuesResponse(heartbeat=pb.Heartbeat()))
        await asyncio.Event().wait()  # until the watcher leaves

    async def GetServiceInfo(  # noqa: N802
        self,
        request: pb.GetServiceInfoRequest,
        context: grpc.aio.ServicerContext[pb.GetServiceInfoRequest, pb.GetServiceInfoResponse],
    ) -> pb.GetServiceInfoResponse:
        return pb.GetServiceInfoResponse(ready=True)


async def serve(listen: str) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    gc.freeze()  # as the service does
    floor = Floor()  # type: ignore[abstract]  # all else is unimplemented
    server = grpc.aio.server(options=OPTIONS)
    pb_grpc.add_EmotionServiceServicer_to_server(floor, server)
    server.add_insecure_port(listen)
    await server.start()
    await stop.wait()
    await server.stop(1.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listen", metavar="HOST:PORT", required=True)
    asyncio.run(serve(parser.parse_args().listen))


if __name__ == "__main__":
    command(main)
