"""A cross-validation as a section of the report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from emotion_service.scoring.model import LABELS
from emotion_service.training.judging.evaluate import (
    Judged,
    calibration_error,
    recall_intervals,
    recalls,
    uar,
    uar_interval,
)
from emotion_service.training.judging.notation import (
    RECALL,
    SEXES,
    Sheet,
    bounds,
    counted,
    interval,
    label_recalls,
    listed,
    points,
    three,
    two,
    with_interval,
)
from emotion_service.training.report import plots
from emotion_service.training.report.curves import (
    Gap,
    by_speaker,
    confusion,
    coverage,
    gaps,
    reliability,
)
from emotion_service.training.report.drawing import drawn
from emotion_service.training.report.panel import Kind, Panel, Section, Tile
from emotion_service.training.report.results import Run

SURE_SHARE = 0.8


def crossval_section(run: Run) -> Section:
    """All that can be said of a run."""
    judged = run.calibrated()
    by_corpus: dict[str, list[Judged]] = {}
    for j in judged:
        by_corpus.setdefault(run.voices[j.speaker].corpus, []).append(j)
    confusions = [_confusion(run, corpus, by_corpus[corpus]) for corpus in run.figures["corpora"]]
    plotted = [_speakers(run, judged), _calibration(run, judged), _coverage(run, judged)]
    return Section(
        title=f"Cross-validation: {run.meaning}",
        introduction=f"{_capital(run.figures['protocol'])}; run “{run.name}”. Every clip is judged "
        "by a model that never heard its speaker. Intervals are bootstrapped over speakers.",
        tiles=_tiles(run, judged),
        sheets=(_by_corpus(run),),
        panels=(*confusions, *plotted, _sexes(run, judged)),
    )


def _tiles(run: Run, judged: Sequence[Judged]) -> tuple[Tile, ...]:
    return (
        Tile(with_interval(run.figures), f"UAR, {run.meaning}; chance {two(1 / len(LABELS))}"),
        Tile(two(run.figures["auc_anger"]), f"AUC of anger against the rest, {run.meaning}"),
        Tile(three(calibration_error(judged, 1.0)), f"calibration error (ECE), {run.meaning}"),
    )


def _by_corpus(run: Run) -> Sheet:
    columns = ("corpus", "UAR", "95 %", RECALL, "AUC anger", "clips", "speakers")
    rows = []
    for name, row in [*run.figures["corpora"].items(), ("pooled", run.figures)]:
        shown = (two(row["uar"]), interval(row), label_recalls(row), two(row["auc_anger"]))
        rows.append((name, *shown, f"{row['n_clips']:,}", str(row["n_speakers"])))
    return Sheet(f"By corpus, {run.meaning}", columns, tuple(rows))


def _confusion(run: Run, corpus: str, judged: Sequence[Judged]) -> Panel:
    counts = confusion(judged)
    totals = [int(row.sum()) for row in counts]
    shares = {
        (label, heard): counts[i, j] / totals[i]
        for i, label in enumerate(LABELS)
        for j, heard in enumerate(LABELS)
        if totals[i]
    }
    wrong = {pair: share for pair, share in shares.items() if pair[0] != pair[1] and share > 0}
    seen = f"No clip of {corpus} is taken for another emotion"
    if wrong:
        label, heard = max(wrong, key=lambda pair: wrong[pair])
        seen = (
            f"The most frequent confusion in {corpus}: {100 * wrong[label, heard]:.0f} % of "
            f"{label} is taken for {heard}"
        )
    rows = tuple(
        (label, *map(str, row), str(total))
        for label, row, total in zip(LABELS, counts, totals, strict=True)
    )
    title = f"What is heard in {corpus}"
    return Panel(
        Kind.CONFUSION,
        title,
        f"{seen}; {_counts(judged)}, UAR {with_interval(run.figures['corpora'][corpus])}.",
        _confusion_table(shares),
        Sheet(f"Clips of {corpus}", ("said", *(f"heard {label}" for label in LABELS), "all"), rows),
    )


def _confusion_table(shares: dict[tuple[str, str], float]) -> str:
    """Percent of each row's clips, the darker the more."""
    head = "".join(f'<th scope="col">{heard}</th>' for heard in LABELS)
    body = []
    for label in LABELS:
        row = [shares.get((label, heard)) for heard in LABELS]
        cells = [
            "<td>–</td>"
            if share is None
            else f'<td style="--share:{share:.2f}">{100 * share:.0f} %</td>'
            for share in row
        ]
        body.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    return (
        f'<table class="confusion"><caption>Said in the rows, heard in the columns</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _speakers(run: Run, judged: Sequence[Judged]) -> Panel:
    found = by_speaker(judged, {name: voice.corpus for name, voice in run.voices.items()})
    middle = found[len(found) // 2].uar
    return Panel(
        Kind.SPEAKERS,
        "UAR of each speaker",
        f"From {two(found[0].uar)} for the worst speaker to {two(found[-1].uar)} for the best, "
        f"{two(middle)} in the middle; {_counts(judged)}, UAR {with_interval(run.figures)}.",
        drawn(
            f"{run.name}-speakers",
            "UAR of each speaker, sorted, by corpus",
            min(3.8, 2.0 + 0.06 * len(found)),
            partial(plots.speakers, found=found),
        ),
        Sheet(
            "Speakers",
            ("speaker", "corpus", "UAR", "clips"),
            tuple((of.speaker, of.corpus, two(of.uar), str(of.n_clips)) for of in found),
        ),
    )


def _calibration(run: Run, judged: Sequence[Judged]) -> Panel:
    bins = reliability(judged)
    error = calibration_error(judged, 1.0)
    sure = sum(of.stated * of.n_clips for of in bins) / len(judged)
    right = sum(of.right * of.n_clips for of in bins) / len(judged)
    return Panel(
        Kind.CALIBRATION,
        "Does a probability mean what it says?",
        f"A clip's largest probability is {two(sure)} on average, and {two(right)} of them are "
        f"right; calibration error (ECE) {three(error)}; {_counts(judged)}, each fold calibrated "
        "on the others.",
        drawn(
            f"{run.name}-calibration",
            "Share of right answers over the stated probability",
            3.2,
            partial(plots.calibration, bins=bins),
        ),
        Sheet(
            "Calibration",
            ("stated", "right", "95 %", "clips"),
            tuple(
                (two(b.stated), two(b.right), bounds(b.right_ci95), str(b.n_clips)) for b in bins
            ),
        ),
    )


def _coverage(run: Run, judged: Sequence[Judged]) -> Panel:
    curve = coverage(judged)
    kept = next(of for of in curve if of.share == SURE_SHARE)
    gain = kept.uar - uar(judged)
    return Panel(
        Kind.COVERAGE,
        "What silence buys",
        f"Claiming nothing of the least sure 20 % takes UAR from {two(uar(judged))} to "
        f"{two(kept.uar)} ({points(gain)} points; 95 % {bounds(kept.uar_ci95)}); "
        f"{_counts(judged)}.",
        drawn(
            f"{run.name}-coverage",
            "UAR over the share of clips that are answered",
            2.9,
            partial(plots.coverage, curve=curve),
        ),
        Sheet(
            "Abstaining",
            ("answered", "UAR", "95 %", "clips"),
            tuple(
                (f"{100 * of.share:.0f} %", two(of.uar), bounds(of.uar_ci95), str(of.n_clips))
                for of in curve
            ),
        ),
    )


def _sexes(run: Run, judged: Sequence[Judged]) -> Panel:
    groups: dict[str, list[Judged]] = {}
    for sex in sorted({voice.sex for voice in run.voices.values()}):
        if own := [j for j in judged if run.voices[j.speaker].sex == sex]:
            groups[SEXES.get(sex, sex)] = own
    found = gaps(groups)
    measured = {name: _measured(own) for name, own in groups.items()}
    return Panel(
        Kind.SEXES,
        "Recall by sex",
        f"{gap_sentence(found)} {_group_counts(groups)}.",
        drawn(
            f"{run.name}-sexes",
            "Recall of each emotion by sex, with intervals",
            2.9,
            partial(
                plots.sexes,
                groups=measured,
                significant=[gap.label for gap in found if gap.significant],
            ),
        ),
        _sex_sheet(groups, measured, found),
    )


def gap_sentence(found: Sequence[Gap]) -> str:
    """Names the gaps whose interval, over the speakers of both groups, excludes 0."""
    if not found:
        return "No gap can be told: that takes two groups of at least two speakers each."
    named = [
        f"{gap.label} is recognised {100 * gap.difference:.0f} points better in {gap.better} than "
        f"in {gap.worse} (95 % {_in_points(gap)})"
        for gap in found
        if gap.significant
    ]
    if not named:
        return "No gap is significant: the 95 % interval of every difference holds 0."
    return f"Significant at 95 %: {listed(named)}."


def _in_points(gap: Gap) -> str:
    low, high = (str(round(100 * bound)).replace("-", "−") for bound in gap.ci95)
    return f"{low} to {high}"


def _measured(judged: Sequence[Judged]) -> list[plots.Measured]:
    intervals = recall_intervals(judged)
    return [
        plots.Measured(label, recall, *intervals[label])
        for label, recall in recalls(judged).items()
    ]


def _sex_sheet(
    groups: dict[str, list[Judged]],
    measured: dict[str, list[plots.Measured]],
    found: Sequence[Gap],
) -> Sheet:
    rows = []
    for name, own in groups.items():
        recall = {
            of.name: f"{two(of.value)} ({bounds((of.low, of.high))})" for of in measured[name]
        }
        shown = (recall.get(label, "–") for label in LABELS)
        overall = f"{two(uar(own))} ({bounds(uar_interval(own))})"
        rows.append((name, overall, *shown))
    if found:
        gap_of = {gap.label: gap for gap in found}
        rows.append(("gap, points (95 %)", "", *(_gap(gap_of.get(label)) for label in LABELS)))
    return Sheet("Recall by sex (95 %)", ("sex", "UAR", *LABELS), tuple(rows))


def _gap(gap: Gap | None) -> str:
    if gap is None:
        return "–"
    star = " *" if gap.significant else ""
    return f"{100 * gap.difference:.0f} for {gap.better} ({_in_points(gap)}){star}"


def _counts(judged: Sequence[Judged]) -> str:
    speakers = len({j.speaker for j in judged})
    return f"{counted(len(judged), 'clip')} of {counted(speakers, 'speaker')}"


def _group_counts(groups: dict[str, list[Judged]]) -> str:
    return _capital("; ".join(f"{name}: {_counts(own)}" for name, own in groups.items()))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
