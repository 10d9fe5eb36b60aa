"""Evaluations of the same clips as a section of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.jury import FOLDS
from emotion_service.training.judging.notation import (
    RECALL,
    SEXES,
    Sheet,
    bounds,
    counted,
    interval,
    label_recalls,
    listed,
    percent,
    points,
    two,
    with_interval,
)
from emotion_service.training.judging.scorecard import Figures
from emotion_service.training.report import plots
from emotion_service.training.report.drawing import drawn
from emotion_service.training.report.panel import Kind, Panel, Section, Tile
from emotion_service.training.report.plots import CHANCE, Lost, Measured, Moved
from emotion_service.training.report.results import Evaluation

REFERENCE_CODEC = "pcmu"
OTHERS = ("sex", "language", "seconds")  # of "by": what is no condition of the line
GROUPS = {
    "codec": "codec",
    "gain_db": "gain, dB",
    "snr_db": "noise, dB below the speech",
    "loss": "share of packets lost",
}
PLAIN = {"snr_db": "clean"}  # the value that changes nothing, of every sweep; of all others "0"


def evaluation_section(evaluations: Sequence[Evaluation]) -> Section:
    """All that can be said of evaluations that judged the same clips."""
    first = evaluations[0].figures
    panels = [*_losses(evaluations), *_seconds(evaluations), *_warmth(evaluations)]
    plain = [of for of in evaluations if of.figures["codec"] == REFERENCE_CODEC]
    shown = plain or evaluations
    return Section(
        title=f"Evaluation on {listed(sorted(first['clips']))}",
        introduction=f"{_judges(first)}, heard by the code that serves: cold, each clip alone; "
        "warm, at the end of a simulated call of its speaker. Intervals are bootstrapped over "
        "speakers.",
        tiles=tuple(
            Tile(with_interval(of.figures["pooled"]), f"UAR, evaluated {_setting(of)}")
            for of in shown
        ),
        sheets=(_clips(first), _by_corpus(shown), _by_group(shown)),
        panels=tuple(panels),
    )


def _judges(figures: Figures) -> str:
    if str(figures["model"]).startswith(FOLDS):
        return "Every clip by the model of the fold that never heard its speaker"
    return "The finished model"


def _clips(figures: Figures) -> Sheet:
    """How many were judged, and why others were not."""
    rows = tuple(
        (
            corpus,
            f"{of['found']:,}",
            f"{of['other_emotions']:,}",
            f"{of['trained_speakers']:,}",
            f"{of['abstained']:,}",
            percent(of.get("windows_scored")),
        )
        for corpus, of in figures["clips"].items()
    )
    left_out = ("other emotions", "trained speakers", "too short or no speech")
    return Sheet("Clips", ("corpus", "found", *left_out, "windows taken for speech"), rows)


def _setting(of: Evaluation) -> str:
    return f"{of.figures['protocol']}, {of.figures['codec']}"


def _by_corpus(evaluations: Sequence[Evaluation]) -> Sheet:
    columns = ("heard", "corpus", "UAR", "95 %", RECALL, "AUC anger", "arousal", "ECE", "clips")
    rows = []
    for of in evaluations:
        for name, row in [*of.figures["corpora"].items(), ("pooled", of.figures["pooled"])]:
            ranked = (two(row["auc_anger"]), two(row["auc_arousal"]))
            figures = (two(row["uar"]), interval(row), label_recalls(row), *ranked, two(row["ece"]))
            rows.append((_setting(of), name, *figures, f"{row['n_clips']:,}"))
        if (sure := of.figures.get("surest")) and sure["uar"] is not None:
            name = f"pooled, the surest {100 * sure['share']:.0f} %"
            gain = f"{two(sure['uar'])} ({points(sure['uar_gain'])})"
            rows.append((_setting(of), name, gain, "", "", "", "", "", f"{sure['n_clips']:,}"))
    return Sheet("By corpus", columns, tuple(rows))


def _by_group(evaluations: Sequence[Evaluation]) -> Sheet:
    rows = []
    for of in evaluations:
        for group in ("sex", "language"):
            for value, row in of.figures["by"].get(group, {}).items():
                intervals = row.get("recall_ci95", {})
                shown = (
                    f"{two(row['recall'].get(label))} ({bounds(intervals.get(label))})"
                    for label in LABELS
                )
                name = SEXES.get(value, value) if group == "sex" else value
                rows.append((_setting(of), name, with_interval(row), *shown))
    return Sheet("By sex and language (95 %)", ("heard", "of", "UAR", *LABELS), tuple(rows))


def _losses(evaluations: Sequence[Evaluation]) -> Iterator[Panel]:
    """A panel a protocol: what each condition of the line costs."""
    for protocol in dict.fromkeys(of.figures["protocol"] for of in evaluations):
        own = [of for of in evaluations if of.figures["protocol"] == protocol]
        rows = [*_codecs(own), *(row for of in own for row in _conditions(of))]
        lost = [_lost(*row) for row in rows]
        if not lost:
            continue
        worst = min(lost, key=lambda of: of.points)
        reference = rows[0][3]
        seen = "Nothing is lost under any condition"
        if worst.points < 0:
            seen = (
                f"Most is lost under “{worst.group}: {worst.name}”: {points(worst.points / 100)} "
                "points of UAR"
            )
        yield Panel(
            Kind.LOSSES,
            f"What the line costs, {protocol}",
            f"{seen}; plain µ-law has {with_interval(reference)}, {_counts(reference)}, the same "
            "clips in every row.",
            drawn(
                f"{own[0].name}-losses",
                "UAR points lost by codec, noise and gain",
                0.9 + 0.21 * len(lost) + 0.19 * len({of.group for of in lost}),
                partial(plots.losses, lost=lost),
            ),
            _loss_sheet(rows),
        )


def _lost(group: str, name: str, row: Figures, reference: Figures) -> Lost:
    difference = row["uar"] - reference["uar"]
    changed = row.get("labels_changed")
    note = "" if changed is None else f", {percent(changed)} of labels change"
    return Lost(group, name, 100 * difference, f"{points(difference)}{note}")


def _codecs(
    evaluations: Sequence[Evaluation],
) -> Iterator[tuple[str, str, Figures, Figures]]:
    """Each other codec against µ-law: from sweeps, and from evaluations of their own."""
    rows: dict[str, Figures] = {}
    for of in evaluations:
        rows |= {of.figures["codec"]: of.figures["pooled"]} | of.figures["by"].get("codec", {})
    if reference := _known(rows.pop(REFERENCE_CODEC, None)):
        for codec, row in sorted(rows.items()):
            if _known(row):
                yield GROUPS["codec"], codec, row, reference


def _conditions(of: Evaluation) -> Iterator[tuple[str, str, Figures, Figures]]:
    """Each value of what was swept beside the codec, against the plain line."""
    plain, codec = of.figures["pooled"], of.figures["codec"]
    behind = "" if codec == REFERENCE_CODEC else f" ({codec})"
    for name, values in of.figures["by"].items():
        if name in {*OTHERS, "codec"}:
            continue
        for value, row in values.items():
            if value != PLAIN.get(name, "0") and _known(row) and _known(plain):
                yield (
                    GROUPS.get(name, name.replace("_", " ")) + behind,
                    value.replace("-", "−"),
                    row,
                    plain,
                )


def _known(row: Figures | None) -> Figures | None:
    return row if row and row["uar"] is not None else None


def _loss_sheet(rows: Sequence[tuple[str, str, Figures, Figures]]) -> Sheet:
    shown = [
        (
            f"{group}: {name}",
            two(row["uar"]),
            interval(row),
            points(row["uar"] - reference["uar"]),
            percent(row["labels_changed"]) if "labels_changed" in row else "",
            f"{row['n_clips']:,}",
        )
        for group, name, row, reference in rows
    ]
    columns = ("condition", "UAR", "95 %", "points", "labels changed", "clips")
    return Sheet("What the line costs", columns, tuple(shown))


def _seconds(evaluations: Sequence[Evaluation]) -> Iterator[Panel]:
    given = {_setting(of): of.figures["by"].get("seconds", {}) for of in evaluations}
    swept = {name: by for name, by in given.items() if any(map(_known, by.values()))}
    if not swept:
        return
    curves = {
        name: [Measured(s, row["uar"], *row["uar_ci95"]) for s, row in by.items() if _known(row)]
        for name, by in swept.items()
    }
    yield Panel(
        Kind.SECONDS,
        "How soon it knows",
        f"{' '.join(_soon(name, curve) for name, curve in curves.items())} "
        f"{_counts(evaluations[0].figures['pooled'])}.",
        drawn(
            f"{evaluations[0].name}-seconds",
            "UAR over seconds of speech",
            2.9,
            partial(plots.seconds, curves=curves),
        ),
        _seconds_sheet(swept),
    )


def _soon(name: str, curve: Sequence[Measured]) -> str:
    first, last = next((of for of in curve if of.name == "1"), curve[0]), curve[-1]
    return (
        f"{name}: after {first.name} s UAR is {two(first.value)} (95 % "
        f"{bounds((first.low, first.high))}), {_share(first.value, last.value)} of what "
        f"{last.name} s gain over chance."
    )


def _share(value: float, last: float) -> str:
    return percent((value - CHANCE) / (last - CHANCE) if last > CHANCE else None)


def _seconds_sheet(swept: dict[str, Figures]) -> Sheet:
    rows = []
    for name, by in swept.items():
        last = [row for row in by.values() if _known(row)][-1]["uar"]
        for seconds, row in by.items():
            gain = _share(row["uar"], last) if _known(row) else "–"
            shown = (two(row["uar"]), interval(row), gain, percent(row["scored"]))
            rows.append((f"{seconds} s", name, *shown, f"{row['n_clips']:,}"))
    columns = ("speech", "heard", "UAR", "95 %", "of the gain over chance", "scored", "clips")
    return Sheet("Seconds of speech", columns, tuple(rows))


def _warmth(evaluations: Sequence[Evaluation]) -> Iterator[Panel]:
    for of in evaluations:
        if "history" not in of.figures:
            continue
        rows = [row for row in _compared(of, evaluations) if _known(row[1]) and _known(row[2])]
        if not rows:
            continue
        pooled, cold = of.figures["pooled"], of.figures["history"]["pooled_cold"]
        yield Panel(
            Kind.WARMTH,
            f"What the call before a clip is worth, {of.figures['codec']}",
            f"With {of.figures['history']['seconds']:g} s of the speaker before it, UAR is "
            f"{with_interval(pooled)} against {with_interval(cold)} cold "
            f"({points(pooled['uar'] - cold['uar'])} points), {_counts(pooled)}.",
            drawn(
                f"{of.name}-warmth",
                "UAR cold and warm, by kind of call",
                0.9 + 0.28 * len(rows),
                partial(
                    plots.warmth,
                    moved=[
                        Moved(name, before["uar"], after["uar"]) for name, before, after in rows
                    ],
                ),
            ),
            _warmth_sheet(rows),
        )


def _compared(
    of: Evaluation, evaluations: Sequence[Evaluation]
) -> Iterator[tuple[str, Figures, Figures]]:
    """Name, cold, warm: pooled, by corpus where a cold evaluation is beside it, by kind of call."""
    figures = of.figures
    yield "pooled", figures["history"]["pooled_cold"], figures["pooled"]
    beside = [e for e in evaluations if _setting(e) == f"cold, {figures['codec']}"]
    for corpus, warm in figures["corpora"].items():
        for other in beside[:1]:
            yield corpus, other.figures["corpora"][corpus], warm
    for kind, row in figures["history"]["by_call"].items():
        yield f"calls: {kind}", row["cold"], row


def _warmth_sheet(rows: Sequence[tuple[str, Figures, Figures]]) -> Sheet:
    shown = [
        (
            name,
            with_interval(cold),
            with_interval(warm),
            points(warm["uar"] - cold["uar"]),
            f"{warm['n_clips']:,}",
        )
        for name, cold, warm in rows
    ]
    return Sheet("Warm against cold", ("of", "cold", "warm", "points", "clips"), tuple(shown))


def _counts(row: Figures) -> str:
    return f"{counted(row['n_clips'], 'clip')} of {counted(row['n_speakers'], 'speaker')}"
