"""Is an emotion claimed where nobody speaks, and is one still claimed where somebody does?

Music on hold, tones, keys, noise (generated, with seeds no model learns from), vocal bursts joined
to 8 s and background (those speakers and files that no model learns from) are each sent as a
customer who has agreed. So are clips of speech, of speakers the model has not heard.

    python benchmarks/nonspeech.py --model DIR --corpora DIR [--hours 2] [--processes N]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.claims import EMOTIONS, Claims, hear_all
from benchmarks.command import command
from benchmarks.machine import this_machine
from benchmarks.report import write
from emotion_service.errors import CorpusError
from emotion_service.scoring.model import read_card
from emotion_service.training.corpora.corpus import corpus_folders, read_audio, read_corpus
from emotion_service.training.sounds.bursts import (
    BACKGROUND,
    BURSTS,
    NonSpeech,
    generated,
    recorded,
)
from emotion_service.training.sounds.sounds import SOUNDS, Part

SOUND_SECONDS = 30.0  # of each generated sound
SPEECH_CLIPS = 300  # of each corpus
WANTED_SHARE = 0.97  # of the windows of speech that are to be scored
SPEECH = "speech: "
LAUGHTER = "burst: amusement"


def sounds(corpora: Path, hours: float, seed: int) -> list[NonSpeech]:
    """So many hours of all generated sounds alike, and all that is recorded, once.

    Raises:
        CorpusError: there are no bursts or no background, or they cannot be read.
    """
    each = max(1, round(hours * 3600 / SOUND_SECONDS / len(SOUNDS)))
    held_back = recorded(corpora, Part.JUDGED, seed)
    if not {"burst", "background"} <= {sound.kind.partition(":")[0] for sound in held_back}:
        raise CorpusError(
            f"{corpora} lacks recordings that are no speech: expected the folders {BURSTS} and "
            f"{BACKGROUND}, each with an index.csv"
        )
    return generated(Part.JUDGED, seed, each, SOUND_SECONDS) + held_back


def speech(
    corpora: Path, heard: frozenset[str], seed: int
) -> tuple[list[NonSpeech], dict[str, int]]:
    """Clips drawn from each corpus without the speakers in `heard`, and how many speakers each
    corpus had to offer."""
    clips, speakers = [], {}
    for folder in corpus_folders(corpora):
        own = [clip for clip in read_corpus(folder) if clip.speaker not in heard]
        speakers[folder.name] = len({clip.speaker for clip in own})
        drawn = np.random.default_rng(seed).permutation(len(own))[:SPEECH_CLIPS]
        clips += [
            NonSpeech(f"{SPEECH}{folder.name}", own[i].path.stem, partial(read_audio, own[i].path))
            for i in sorted(drawn)
        ]
    return clips, speakers


def table(found: Mapping[str, Claims]) -> Table:
    """One row a kind, sums below each of the two blocks."""
    shown = Table("what", "calls", "minutes", "past the gate", "windows", "≥ 0.6 s", "scored")
    for emotion in EMOTIONS:
        shown.add_column(emotion.name.lower())
    for title, wanted in (("no speech", False), ("speech", True)):
        for kind, claims in found.items():
            if kind.startswith(SPEECH) is wanted:
                shown.add_row(*_row(kind, claims))
        shown.add_row(*_row(f"all {title}", total(found, wanted)), style="bold", end_section=True)
    return shown


def _row(kind: str, claims: Claims) -> list[str]:
    return [
        kind,
        str(claims.calls),
        f"{claims.seconds / 60:.1f}",
        f"{claims.share_passed:.0%}",
        str(claims.windows),
        str(claims.enough),
        f"{claims.scored} ({claims.share_scored:.1%})" if claims.enough else "–",
        *(str(claims.cues[emotion.name] or "–") for emotion in EMOTIONS),
    ]


def total(found: Mapping[str, Claims], of_speech: bool) -> Claims:
    """Of all kinds of speech, or of all others."""
    together = Claims()
    for kind, claims in found.items():
        if kind.startswith(SPEECH) is of_speech:
            together.add(claims)
    return together


def verdicts(found: Mapping[str, Claims]) -> dict[str, bool]:
    """Each promise, and whether it was kept."""
    spoken = [claims for kind, claims in found.items() if kind.startswith(SPEECH)]
    return {
        "no emotion cue without speech": not total(found, False).cues,
        "laughter never agitated": not found.get(LAUGHTER, Claims()).cues["AGITATED"],
        f"at least {WANTED_SHARE:.0%} of the windows of speech scored in each corpus": all(
            claims.share_scored >= WANTED_SHARE for claims in spoken
        ),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument(
        "--corpora", type=Path, required=True, help="with vocal_bursts, background and speech"
    )
    parser.add_argument("--hours", type=float, default=2.0, help="of generated sounds (2)")
    parser.add_argument(
        "--all-speakers", action="store_true", help="speech of those the model learned from as well"
    )
    parser.add_argument("--seed", type=int, default=0, help="of sounds and clips (0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="(one a core)")
    out = Path("benchmarks/results/nonspeech.json")
    parser.add_argument("--out", type=Path, default=out, help=f"the figures as JSON ({out})")
    given = parser.parse_args()
    if given.hours <= 0 or not 0 <= given.seed < 1000 or given.processes < 1:
        parser.error("--hours is above 0, --seed 0-999, --processes at least 1")
    return given


def main() -> None:
    given = arguments()
    card = read_card(given.model)
    heard = frozenset() if given.all_speakers else frozenset(card.training_speakers)
    silent = sounds(given.corpora, given.hours, given.seed)
    spoken, speakers = speech(given.corpora, heard, given.seed)
    everything = silent + spoken
    found: dict[str, Claims] = {}
    answers = hear_all(everything, given.model, given.processes)
    for kind, claims in track(answers, "Calls", total=len(everything)):
        found.setdefault(kind, Claims()).add(claims)
    Console().print(table(found))
    whose = "all speakers" if given.all_speakers else "speakers the model has not heard"
    print(f"speech of {whose}: " + ", ".join(f"{n} of {name}" for name, n in speakers.items()))
    kept = verdicts(found)
    for promise, is_kept in kept.items():
        print(f"{'kept' if is_kept else 'BROKEN'}: {promise}")
    write(
        given.out,
        {
            "machine": asdict(this_machine()),
            "model": f"{card.name}-{card.version}",
            "seed": given.seed,
            "all_speakers": given.all_speakers,
            "speakers": speakers,
            "kinds": {kind: claims.figures() for kind, claims in found.items()},
            "all": {
                "no speech": total(found, False).figures(),
                "speech": total(found, True).figures(),
            },
            "kept": kept,
        },
    )


if __name__ == "__main__":
    command(main)
