"""A scrape over HTTP and HTTPS; and that its figures are those of the calls that were heard."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from emotion_service.calls.scorer import Scorer, Scoring
from emotion_service.errors import BadInput
from emotion_service.fronts.http import SILENT_SECONDS, metrics_served
from emotion_service.metrics import Metrics
from emotion_service.scoring.request import ScoringRequest
from emotion_service.v1 import emotion_service_pb2 as pb
from tests.fronts.certificates import issue
from tests.fronts.running import BYTES_A_SECOND, audio, config, rest, serving
from tests.patience import PATIENCE_SECONDS


def scrape(port: int, context: ssl.SSLContext | None = None) -> str:
    scheme = "http" if context is None else "https"
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
    opener = urllib.request.build_opener(*handlers)
    with opener.open(f"{scheme}://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read().decode())


def trusting(trusted: bytes) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=trusted.decode())


def test_what_is_counted_can_be_scraped_until_the_end() -> None:
    metrics = Metrics()
    with metrics_served(metrics, "127.0.0.1", 0) as port:
        assert 'emotion_service_refusals_total{reason="X"}' not in scrape(port)
        metrics.refused("X")
        assert 'emotion_service_refusals_total{reason="X"} 1.0' in scrape(port).splitlines()
    with pytest.raises(urllib.error.URLError):
        scrape(port)


def test_ipv6_is_written_in_brackets() -> None:
    with metrics_served(Metrics(), "[::1]", 0) as port:
        assert port > 0


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput) as refused, metrics_served(Metrics(), "127.0.0.1", port):
            pass
    assert refused.value.reason == "METRICS_LISTEN_FAILED"
    assert str(refused.value) == (
        f"cannot serve metrics on 127.0.0.1:{port} (Address already in use): choose another "
        "address with metrics_listen (port 0 takes any, an empty text turns metrics off)"
    )


def test_an_unknown_host_is_refused() -> None:
    with (
        pytest.raises(BadInput, match=r"metrics on nowhere\.invalid:0") as refused,
        metrics_served(Metrics(), "nowhere.invalid", 0),
    ):
        pass
    assert refused.value.reason == "METRICS_LISTEN_FAILED"


def test_over_tls_only_who_trusts_the_certificate_gets_them(tmp_path: Path) -> None:
    issued = issue(tmp_path)
    with metrics_served(Metrics(), "127.0.0.1", 0, issued.files) as port:
        assert "emotion_service_calls_total 0.0" in scrape(port, trusting(issued.trusted))
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            scrape(port, trusting(trustme.CA().cert_pem.bytes()))
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            scrape(port)


def test_with_a_client_ca_only_its_clients_get_them(tmp_path: Path) -> None:
    clients = trustme.CA()
    issued = issue(tmp_path, clients)
    with metrics_served(Metrics(), "127.0.0.1", 0, issued.files) as port:
        known = trusting(issued.trusted)
        clients.issue_cert("prometheus.example.org").configure_cert(known)
        assert "emotion_service_calls_total 0.0" in scrape(port, known)
        stranger = trusting(issued.trusted)
        trustme.CA().issue_cert("prometheus.example.org").configure_cert(stranger)
        for context in (stranger, trusting(issued.trusted)):
            with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
                scrape(port, context)


def test_unusable_tls_files_are_refused(tmp_path: Path) -> None:
    issued = issue(tmp_path)
    issued.files.key.write_text("")
    with pytest.raises(BadInput) as refused, metrics_served(Metrics(), "::1", 0, issued.files):
        pass
    assert refused.value.reason == "TLS_INVALID"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_client_that_connects_and_says_nothing_holds_nobody_up(
    encrypted: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    issued = issue(tmp_path)
    with (
        metrics_served(Metrics(), "127.0.0.1", 0, issued.files if encrypted else None) as port,
        socket.create_connection(("127.0.0.1", port)),
    ):
        text = scrape(port, trusting(issued.trusted) if encrypted else None)
        assert "emotion_service_calls_total 0.0" in text
    assert "Traceback" not in str(capfd.readouterr())


def test_the_end_waits_for_no_client(tmp_path: Path) -> None:
    issued = issue(tmp_path)
    with socket.socket() as silent, metrics_served(Metrics(), "127.0.0.1", 0, issued.files) as port:
        silent.connect(("127.0.0.1", port))
        scrape(port, trusting(issued.trusted))
        began = time.monotonic()
    assert time.monotonic() - began < 0.9 * SILENT_SECONDS


def test_a_scraper_that_leaves_early_leaves_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with metrics_served(Metrics(), "127.0.0.1", 0) as port:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as leaving:
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                leaving.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        assert "emotion_service_calls_total 0.0" in scrape(port)
    assert "Traceback" not in str(capfd.readouterr())


def test_a_header_that_makes_it_fail_is_refused_and_not_repeated(
    capfd: pytest.CaptureFixture[str],
) -> None:
    asked = (
        b"GET /metrics HTTP/1.0\r\nAccept: application/openmetrics-text; version=+49-30-1\r\n\r\n"
    )
    with (
        metrics_served(Metrics(), "127.0.0.1", 0) as port,
        socket.create_connection(("127.0.0.1", port)) as client,
        capture_logs() as logged,
    ):
        client.sendall(asked)
        assert client.makefile("rb").readline() == b"HTTP/1.0 400 Bad Request\r\n"
    assert [(line["event"], line["error"]) for line in logged] == [("a scrape failed", "TypeError")]
    assert capfd.readouterr() == ("", "")


# --- the figures of three calls ---


class Gate(Scorer):
    """Scores nothing until it is open."""

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(scorer._model)
        self.open = threading.Event()

    @contextmanager
    def begun(self, batch: list[ScoringRequest]) -> Iterator[Scoring]:
        def asked() -> None:
            assert self.open.wait(PATIENCE_SECONDS)
            ask()

        with super().begun(batch) as scoring:
            ask, scoring.ask = scoring.ask, asked  # type: ignore[method-assign]
            yield scoring


def figures(text: str) -> dict[str, float]:
    """Each sample by its name and label values, those that are 0 or of time left out."""
    return {
        " ".join([sample.name.removeprefix("emotion_service_"), *sample.labels.values()]): value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if (value := sample.value) and not sample.name.endswith(("_bucket", "_sum", "_created"))
    }


def lossy(speech: bytes) -> list[pb.StreamingAnalyzeRequest]:
    """Message 10 is sent twice, 20 and 21 change places, 30 to 34 are lost; the agent sends too."""
    sent = list(audio(speech))
    agent = pb.AudioChunk(leg="agent", data=bytes(BYTES_A_SECOND))
    return [
        *sent[:11],
        *(sent[10], *sent[11:20], sent[21], sent[20], *sent[22:30], *sent[35:]),
        pb.StreamingAnalyzeRequest(audio=agent),
    ]


async def test_the_figures_are_those_of_the_events_that_were_received(
    scorer: Scorer, speech: bytes
) -> None:
    gate = Gate(scorer)
    async with serving(gate) as server:
        live = await server.opened(pacing=pb.PACING_LIVE, latency_budget_ms=1)
        for request in audio(speech, 20):
            await live.write(request)
        await live.done_writing()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while server.service.bus.call("call-1").elapsed < 8000 * len(speech) // BYTES_A_SECOND:
                await asyncio.sleep(0.01)
        gate.open.set()
        heard = await rest(live)
        skipped = [r for r in heard if r.score.abstain_reason == pb.ABSTAIN_REASON_OVERLOADED]
        late = [r for r in heard if r.HasField("score")]
        heard += await server.call([config(latency_budget_ms=10_000), *lossy(speech)])
        broken = await server.opened()
        broken.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while server.service.bus.live_calls:
                await asyncio.sleep(0.01)
        with metrics_served(server.service.metrics, "127.0.0.1", 0) as port:
            text = await asyncio.to_thread(scrape, port)

    scores = [response.score for response in heard if response.HasField("score")]
    cues = [response.cue for response in heard if response.HasField("cue")]
    legs = [leg for r in heard if r.HasField("summary") for leg in r.summary.legs]
    placed = [leg.placement for leg in legs]
    received = sum(placement.received.ToNanoseconds() for placement in placed) / 1e9
    assert received == pytest.approx(2 * len(speech) / BYTES_A_SECOND - 5 * 0.07 + 1)
    assert 0 < len(skipped) < len(late) < len(scores)
    expected = {
        "info": 1,
        "calls_total": 3,
        "calls_ended_total completed": 2,
        "calls_ended_total broken_off": 1,
        "windows_skipped_total": len(skipped),
        "budget_misses_total": len(late),
        "audio_seconds_total": received,
        "audio_lost_seconds_total": 5 * 0.07,
        "audio_gaps_total": 1,
        "audio_duplicates_total": 1,
        "audio_reordered_total": 1,
        "latency_seconds_count cue": sum(cue.HasField("latency") for cue in cues),
    }
    abstained = Counter(named(pb.AbstainReason, score.abstain_reason) for score in scores)
    for reason, count in abstained.items():
        expected[f"scores_total {'none' if reason == 'unspecified' else reason}"] = count
    for cue in cues:
        key = f"cues_total {named(pb.CueKind, cue.kind)} {named(pb.CuePhase, cue.phase)}"
        expected[key] = expected.get(key, 0) + 1
    for stage in ("queue", "features", "model", "total"):
        expected[f"latency_seconds_count {stage}"] = len(scores) - len(skipped)
    found = {name: value for name, value in figures(text).items() if not name.startswith("process")}
    assert found == pytest.approx(expected)


def named(enum: Any, value: int) -> str:
    """The member's name without the enum's, as labels have it."""
    prefixes = {pb.CueKind: "CUE_KIND_", pb.CuePhase: "CUE_PHASE_"}
    return str(enum.Name(value)).removeprefix(prefixes.get(enum, "ABSTAIN_REASON_")).lower()
