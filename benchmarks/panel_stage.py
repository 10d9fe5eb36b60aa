"""A panel server with a made-up service behind it: whoever holds the stage says what it tells.

    with Stage() as stage:
        stage.open(live("c-1"))
        stage.tell(cue("c-1", "AGITATED", 3.0, confidence=0.8))
        ... a browser at stage.url ...

The panel is the real one; it is a client of a made-up service.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Self, TypeAlias

import grpc
import uvicorn

from emotion_service.address import Address
from emotion_service.panel.door import Door
from emotion_service.panel.server import panel_app, panel_server
from emotion_service.v1 import emotion_service_pb2 as pb
from emotion_service.v1 import emotion_service_pb2_grpc as pb_grpc

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

START_SECONDS = 60.0
Told: TypeAlias = pb.Cue | pb.Trend | pb.Advice | pb.Feedback | pb.CallSummary
FIELDS = {
    pb.CallState: "call",
    pb.Cue: "cue",
    pb.Trend: "trend",
    pb.Advice: "advice",
    pb.Feedback: "feedback",
    pb.CallSummary: "summary",
}
STATES = frozenset(
    (
        pb.CUE_KIND_HAPPY,
        pb.CUE_KIND_AGITATED,
        pb.CUE_KIND_DISTRESSED,
        pb.CUE_KIND_NEUTRAL,
        pb.CUE_KIND_INSUFFICIENT_EVIDENCE,
    )
)


class Stage:
    """Runs the panel in a thread; `open`, `tell` and the like may be called from any other.

    Pages of `allowed_origins` may embed the panel.
    """

    def __init__(self, *allowed_origins: str) -> None:
        # The panel never streams a call nor follows the routing: those are left out.
        self.service = MadeUpService()  # type: ignore[abstract]
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._address = Address("127.0.0.1", self._socket.getsockname()[1])
        self.url = f"http://{self._address}"
        self._door = Door(self._address, allowed_origins)
        self._loop: asyncio.AbstractEventLoop
        self._panel: uvicorn.Server
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError("the panel did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._panel.should_exit = True
        self._thread.join()
        self._socket.close()

    def open(self, state: pb.CallState) -> None:
        """A call begins, or its attributes changed."""
        self._soon(self.service.open, state)

    def tell(self, *told: Told) -> None:
        """Events of calls that are open."""
        for each in told:
            self._soon(self.service.tell, each)

    def forget(self, call_id: str) -> None:
        """The service starts anew, and without this call: no cursor is good any more."""
        self._soon(self.service.forget, call_id)

    def cut(self) -> None:
        """Every connection of a browser breaks, as if a cable had been pulled."""
        self._soon(self._cut)

    def _soon(self, act: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(act, *arguments)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = grpc.aio.server()
        pb_grpc.add_EmotionServiceServicer_to_server(self.service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        app = panel_app(f"127.0.0.1:{port}", None, self._door, self._ready.set)
        self._panel = panel_server(app)
        await self._panel.serve([self._socket])
        await server.stop(None)

    def _cut(self) -> None:
        for connection in list(self._panel.server_state.connections):
            connection.transport.abort()


class MadeUpService(pb_grpc.EmotionServiceServicer):
    """What the panel hears and asks. `sent`: when each event was told, in seconds of the system's
    clock; `heard`: what people did."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.heard: list[tuple[str, ...]] = []
        self._epoch = 1
        self._calls: dict[str, pb.CallState] = {}
        self._log: list[tuple[str, pb.WatchCuesResponse]] = []
        self._news = asyncio.Event()

    # --- what is told ---

    def open(self, state: pb.CallState) -> None:
        self._calls[state.call_id] = state
        self._publish(state)

    def tell(self, told: Told) -> None:
        state = self._calls[told.call_id]
        match told:
            case pb.Cue():
                _take_cue(next(leg for leg in state.legs if leg.leg == told.leg), told)
            case pb.Trend():
                state.trend.CopyFrom(told)
                state.elapsed.CopyFrom(told.offset)
            case pb.Advice():
                state.advice.append(told)
            case pb.Feedback():
                state.feedback.append(told)
            case pb.CallSummary():
                state.live = False
                state.summary.CopyFrom(told)
        self._publish(told)

    def _publish(self, told: pb.CallState | Told) -> None:
        response = pb.WatchCuesResponse(cursor=self._cursor(len(self._log) + 1))
        getattr(response, FIELDS[type(told)]).CopyFrom(told)
        self._log.append((told.call_id, response))
        self.sent.append(time.time())
        self._wake()

    def forget(self, call_id: str) -> None:
        del self._calls[call_id]
        self._epoch += 1
        self._wake()  # the streams of before end

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # --- what the panel asks ---

    async def WatchCues(  # noqa: N802
        self, request: pb.WatchCuesRequest, context: Context
    ) -> AsyncGenerator[pb.WatchCuesResponse, None]:
        mine = self._epoch
        epoch, _, number = request.cursor.partition(":")
        resumed = epoch == str(mine)
        after = int(number) if resumed else len(self._log)
        if not resumed:
            for state in list(self._calls.values()):
                if state.live and request.call_id in ("", state.call_id):
                    yield pb.WatchCuesResponse(call=state)
        missed = pb.Heartbeat(dropped=1 if request.cursor and not resumed else 0)
        yield pb.WatchCuesResponse(cursor=self._cursor(after), heartbeat=missed)
        while self._epoch == mine:
            news = self._news
            for call_id, response in self._log[after:]:
                after += 1
                if request.call_id in ("", call_id):
                    yield response
            if after == len(self._log):
                await news.wait()

    def _cursor(self, number: int) -> str:
        return f"{self._epoch}:{number}"

    async def GetCall(self, request: pb.GetCallRequest, context: Context) -> pb.GetCallResponse:  # noqa: N802
        if request.call_id not in self._calls:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such call")
        return pb.GetCallResponse(call=self._calls[request.call_id])

    async def GetServiceInfo(  # noqa: N802
        self, request: pb.GetServiceInfoRequest, context: Context
    ) -> pb.GetServiceInfoResponse:
        return pb.GetServiceInfoResponse(ready=True, live_calls=len(self._calls))

    async def SendFeedback(  # noqa: N802
        self, request: pb.SendFeedbackRequest, context: Context
    ) -> pb.SendFeedbackResponse:
        given = request.feedback
        verdict = pb.Verdict.Name(given.verdict)
        self.heard.append(("feedback", given.call_id, str(given.cue_sequence), verdict))
        self.tell(given)
        return pb.SendFeedbackResponse()

    async def RecordObjection(  # noqa: N802
        self, request: pb.RecordObjectionRequest, context: Context
    ) -> pb.RecordObjectionResponse:
        self.heard.append(("objection", request.call_id))
        state = self._calls[request.call_id]
        customer = state.legs[0]
        customer.not_scored_reason = pb.NOT_SCORED_REASON_CONSENT_WITHDRAWN
        customer.ClearField("cue")
        del customer.further[:], state.advice[:]
        self._publish(state)
        return pb.RecordObjectionResponse()


def _take_cue(leg: pb.LegState, cue: pb.Cue) -> None:
    if cue.kind in STATES:
        if cue.phase != pb.CUE_PHASE_OFFSET:
            leg.cue.CopyFrom(cue)
        return
    lasting = [other for other in leg.further if other.kind != cue.kind]
    if cue.phase != pb.CUE_PHASE_OFFSET:
        lasting.append(cue)
    del leg.further[:]
    leg.further.extend(lasting)
