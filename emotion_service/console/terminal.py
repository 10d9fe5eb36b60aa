"""The live view of one streamed call, drawn with rich in 80 columns.

`render` is a pure function of a `CallView`. Whatever colour says, a letter, a word or a shape
says too. Cells of the strips lie on an absolute grid of half a second, so they never shimmer.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from emotion_service.console.call_view import CallView, LegView, Stretch, quantile, shares
from emotion_service.console.lines import advice_line
from emotion_service.console.wording import ABSTAINING, clock, percent, seconds, word
from emotion_service.v1 import emotion_service_pb2 as pb

WIDTH = 80  # columns
CELL = 0.5  # seconds
CELLS = 60
LABEL = 10  # columns before a row's content
REASON_ROWS = 2  # kept free even when there is less to say, so that nothing jumps
LEVELS = "▁▂▃▄▅▆▇█"

# Letters of cues, and of the emotions and manners of a demo call's truth.
MARKS = {
    "agitated": "A",
    "anger": "A",
    "pressed": "P",
    "happy": "H",
    "happiness": "H",
    "distressed": "D",
    "sadness": "S",
    "neutral": "n",
    "calm": "c",
    "insufficient evidence": "?",
}
STYLES = {
    "A": "bold red",
    "P": "bold red",
    "H": "green",
    "D": "magenta",
    "S": "magenta",
    "?": "dim",
}
LEGEND = (
    "heard ▁ silence █ speech ♪ music ~ tone",
    "cue A agitated  H happy  D distressed  n neutral  ? undecided",
)


def render(view: CallView) -> RenderableType:
    """The whole view, 80 columns wide at most."""
    legs = [_leg_panel(leg, view) for leg in view.legs.values()]
    return Constrain(Group(_head(view), *legs, *_foot(view)), WIDTH)


def live_view(view: CallView, console: Console) -> Live:
    """A `Live` to be refreshed by whoever feeds the view; its last picture stays."""
    return Live(get_renderable=lambda: render(view), console=console, auto_refresh=False)


def _head(view: CallView) -> Text:
    model = f"model {view.ready.model_version} ({view.ready.model_licence})"
    stopping = "  the server is about to stop" if view.stopping else ""
    position = f"{clock(view.elapsed)} of {clock(view.total)}"
    return _line(f" {position}  {model}{stopping}", "bold")


def _leg_panel(leg: LegView, view: CallView) -> Panel:
    rows = [_row("heard", _sound_strip(leg.sounds, view.elapsed))]
    if leg.truth:
        rows.append(_row("truth", _mark_strip(leg.truth, view.elapsed)))
    if leg.not_scored:
        rows.append(_row("state", Text(f"not scored: {leg.not_scored}", "dim")))
    else:
        rows.append(_row("cue", _mark_strip(leg.states, view.elapsed)))
        rows += [
            _row("state", _state(leg)),
            *_reason_rows(leg),
            _row("latency", _latency(leg, view.ready.latency_budget_ms)),
        ]
    rows.append(_row("beside", Text("; ".join(_beside(leg)) or "–")))
    troubles = _troubles(leg)
    if troubles:
        rows.append(_row("audio", Text(troubles, "yellow")))
    party = "" if leg.leg == leg.party else f" ({leg.party})"
    title = f"{leg.leg}{party}: {leg.sound or 'nothing yet'}"
    return Panel(Group(*rows), title=title, title_align="left", padding=(0, 1))


def _foot(view: CallView) -> Iterator[Text]:
    counts = Counter(told.label for told in view.told)
    yield _line(f" so far {', '.join(f'{label} {n} ×' for label, n in counts.items()) or '–'}")
    last = view.told[-1] if view.told else None
    when = f"{last.label} of {last.leg} from {clock(last.start)} on" if last is not None else "–"
    yield _line(f" latest {when}")
    for advice in view.advice.values():
        yield _line(f" {advice_line(advice).strip()}")
    labels = {stretch.label for leg in view.legs.values() for stretch in leg.truth}
    truth = "  ".join(f"{_mark(label)} {label}" for label in sorted(labels))
    for legend in (*LEGEND, f"truth {truth}" if truth else ""):
        if legend:
            yield _line(f" {legend}", "dim")
    for remark in textwrap.wrap(view.remark, WIDTH - 2):
        yield _line(f" {remark}")


def _sound_strip(sounds: Sequence[Stretch], now: float) -> Text:
    return Text("".join(_sound_cell(sounds, start, now) for start in _cell_starts(now)))


def _sound_cell(sounds: Sequence[Stretch], start: float, now: float) -> str:
    held = shares(sounds, start, start + CELL, now)
    if not held:
        return " "
    if max(held, key=lambda label: held[label]) in ("music", "tone"):
        return "♪" if held.get("music", 0.0) >= held.get("tone", 0.0) else "~"
    speech = min(held.get("speech", 0.0), CELL)  # more where what was told overlaps
    return LEVELS[round(speech / CELL * (len(LEVELS) - 1))]


def _mark_strip(stretches: Sequence[Stretch], now: float) -> Text:
    strip = Text()
    for start in _cell_starts(now):
        held = shares(stretches, start, min(start + CELL, now), now)
        mark = _mark(max(held, key=lambda label: held[label])) if held else "·"
        strip.append(" " if start < 0 else mark, STYLES.get(mark, ""))
    return strip


def _cell_starts(now: float) -> list[float]:
    """Of the last `CELLS` cells, the one that holds `now` last; negative before the call."""
    last = int(now / CELL)
    return [cell * CELL for cell in range(last - CELLS + 1, last + 1)]


def _mark(label: str) -> str:
    return MARKS.get(label, label[:1].upper())


def _state(leg: LegView) -> Text:
    if leg.cue is None:
        return Text("–")
    state = word(pb.CueKind, leg.cue.kind)
    if leg.cue.abstain_reason:
        return Text(ABSTAINING.get(leg.cue.abstain_reason, state), "dim")
    filled = round(leg.cue.confidence * 10)
    bar = "█" * filled + "░" * (10 - filled)
    style = STYLES.get(_mark(state), "")
    figures = f"{percent(leg.cue.confidence):>5}   evidence {leg.evidence_seconds:.1f} s of speech"
    return Text.assemble((f"{state:<11}", style), (bar, style), figures)


def _reason_rows(leg: LegView) -> list[Text]:
    texts = [reason.text for reason in leg.cue.reasons] if leg.cue is not None else []
    lines = textwrap.wrap("; ".join(texts), WIDTH - LABEL - 4)
    lines += [""] * REASON_ROWS
    return [_row("why" if row == 0 else "", Text(lines[row])) for row in range(REASON_ROWS)]


def _beside(leg: LegView) -> Iterator[str]:
    for cue in leg.beside.values():
        index = f" {cue.index:.2f}" if cue.HasField("index") else ""
        yield f"{word(pb.CueKind, cue.kind)}{index} since {clock(seconds(cue.start_offset))}"


def _latency(leg: LegView, budget_ms: int) -> Text:
    if not leg.latencies_ms:
        return Text("–")
    half, most = (quantile(leg.latencies_ms, fraction) for fraction in (0.5, 0.99))
    over = f", {leg.over_budget} over" if leg.over_budget else ", all within"
    budget = f"budget {budget_ms} ms{over}"
    return Text(
        f"last {leg.latencies_ms[-1]:.0f} ms   p50 {half:.0f} ms   p99 {most:.0f} ms   {budget}"
    )


def _troubles(leg: LegView) -> str:
    skipped = leg.quality.skipped_windows
    parts = [leg.placement] if leg.placement else []
    parts += [f"{skipped} windows skipped"] if skipped else []
    lost = leg.quality.lost_fraction
    parts += [f"{percent(lost)} of the last window lost"] if lost else []
    return ", ".join(parts)


def _row(label: str, content: Text) -> Text:
    row = Text(f"{label:<{LABEL}}", "dim", no_wrap=True, overflow="ellipsis")
    return row.append_text(content)


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
