"""Does agitation show when the customer turns angry, and only then?

One call for each speaker (neutral, then anger, then neutral), scored by a model that never heard
that speaker: with --models those of `emotion-service crossval`, each on the speaker it missed; with
--model one model, on all speakers of the corpora that its card does not list. A call counts as
caught when an agitated cue is told inside the angry stretch, as alarmed early when one is told
before it.

    python benchmarks/demo_calls.py --corpora DIR (--models DIR | --model DIR) [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.command import command
from emotion_service.app import load_scorer
from emotion_service.fronts.wire import config_from_proto
from emotion_service.offline import analyze
from emotion_service.playback import PlaybackOptions, open_recording
from emotion_service.scoring.model import read_card
from emotion_service.training.corpora.corpus import corpus_folders, read_corpus
from emotion_service.training.corpora.simulate import write_demo_call
from emotion_service.types import Consent, Cue, CueKind, CuePhase, seconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """One speaker's call; positions in seconds since it began."""

    speaker: str
    anger_begins: float
    anger_ends: float
    agitated_told: tuple[float, ...]

    @property
    def caught(self) -> bool:
        return any(self.anger_begins <= at <= self.anger_ends for at in self.agitated_told)

    @property
    def early(self) -> bool:
        return any(at < self.anger_begins for at in self.agitated_told)

    @property
    def delay(self) -> float | None:
        """From the first angry word to the cue."""
        inside = [at for at in self.agitated_told if self.anger_begins <= at <= self.anger_ends]
        return inside[0] - self.anger_begins if inside else None


def play(corpora: Path, model: Path, speaker: str) -> Outcome:
    """Makes the speaker's call and sends it through the pipeline, as `analyze` does."""
    with tempfile.TemporaryDirectory() as folder:
        call = Path(folder) / "call.flac"
        write_demo_call(corpora, speaker, call, ())
        truth = json.loads(call.with_suffix(".json").read_text())
        recorded = open_recording(
            PlaybackOptions((call,), "demo", disclosure_given=True, consent=Consent.GRANTED)
        )
    events = analyze(config_from_proto(recorded.config), recorded.chunks(), load_scorer(model))
    angry = [s for s in truth["segments"] if s["emotion"] == "anger" and s["leg"] == "customer"]
    told = [
        seconds(event.end)
        for event in events
        if isinstance(event, Cue)
        and event.kind is CueKind.AGITATED
        and event.phase is CuePhase.ONSET
    ]
    return Outcome(speaker, angry[0]["start_seconds"], angry[-1]["end_seconds"], tuple(told))


def missed(models: Path) -> list[tuple[Path, str]]:
    """Each model of a cross-validation with the speaker it missed, whose name its folder has."""
    return [(path.parent, path.parent.name) for path in sorted(models.glob("*/model.json"))]


def unheard(corpora: Path, model: Path) -> list[tuple[Path, str]]:
    """The model with every speaker of the corpora it has not heard and who is angry in some."""
    heard = read_card(model).training_speakers
    clips = [clip for folder in corpus_folders(corpora) for clip in read_corpus(folder)]
    speakers = {clip.speaker for clip in clips if clip.emotion == "anger"} - set(heard)
    return [(model, speaker) for speaker in sorted(speakers)]


def table(outcomes: list[Outcome]) -> Table:
    """One row a speaker."""
    shown = Table("speaker", "angry from … to (s)", "agitated told at (s)", "delay (s)", "verdict")
    for o in outcomes:
        verdict = ("caught" if o.caught else "missed") + (", early alarm" if o.early else "")
        shown.add_row(
            o.speaker,
            f"{o.anger_begins:.1f} … {o.anger_ends:.1f}",
            " ".join(f"{at:.1f}" for at in o.agitated_told) or "–",
            "–" if o.delay is None else f"{o.delay:.1f}",
            verdict,
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, required=True, help="one corpus, or a folder of")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--models", type=Path, help="what crossval wrote to --out")
    which.add_argument("--model", type=Path, help="one model folder")
    parser.add_argument("--json", type=Path, help="writes the outcomes here as well")
    given = parser.parse_args()
    pairs = unheard(given.corpora, given.model) if given.model else missed(given.models)
    if not pairs:
        parser.error("no speaker was found that a model has not heard")
    outcomes = [play(given.corpora, model, speaker) for model, speaker in track(pairs, "Calls")]
    Console().print(table(outcomes))
    caught, early = sum(o.caught for o in outcomes), sum(o.early for o in outcomes)
    print(f"{caught} of {len(outcomes)} caught, {early} alarmed early")
    if given.json:
        given.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1) + "\n")


if __name__ == "__main__":
    command(main)
