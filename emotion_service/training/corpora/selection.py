"""Which clips a model may be judged on, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import (
    Clip,
    corpus_folders,
    read_corpus,
    with_known_emotion,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """The clips of one corpus that are judged, and counts of those that are not."""

    corpus: str
    clips: tuple[Clip, ...]
    found: int
    other_emotions: int
    trained_speakers: int  # clips of speakers the model learned from


def select(
    corpora: Path, trained: Collection[str], skip_trained: bool, every: int = 1
) -> list[Selection]:
    """The corpora of a folder (which may itself be one) as far as they can be judged, and of each
    speaker the first of `every` so many clips.

    Raises:
        CorpusError: there is none, or it cannot be read; the model learned from some of the
            speakers, and they are not to be skipped; or no clip remains.
    """
    read = [read_corpus(folder) for folder in corpus_folders(corpora.resolve())]
    if not skip_trained:
        _refuse(read, trained)
    selections = [_selection(clips, trained, every) for clips in read]
    if not any(selection.clips for selection in selections):
        raise CorpusError(
            f"{corpora} holds no clip to judge: none has one of the model's emotions and a speaker "
            "it was not trained on; give other corpora with --corpora"
        )
    return selections


def _selection(clips: list[Clip], trained: Collection[str], every: int) -> Selection:
    known = with_known_emotion(clips)
    unheard = tuple(clip for clip in known if clip.speaker not in trained)
    return Selection(
        corpus=clips[0].corpus,
        clips=_thinned(unheard, every),
        found=len(clips),
        other_emotions=len(clips) - len(known),
        trained_speakers=len(known) - len(unheard),
    )


def _thinned(clips: Sequence[Clip], every: int) -> tuple[Clip, ...]:
    """Counted by speaker and emotion: all of them stay."""
    seen = Counter[tuple[str, str]]()
    kept = []
    for clip in clips:
        if seen[clip.speaker, clip.emotion] % every == 0:
            kept.append(clip)
        seen[clip.speaker, clip.emotion] += 1
    return tuple(kept)


def _refuse(read: list[list[Clip]], trained: Collection[str]) -> None:
    speakers = {(clip.corpus, clip.speaker) for clips in read for clip in clips}
    heard = sorted({corpus for corpus, speaker in speakers if speaker in trained})
    count = sum(speaker in trained for _, speaker in speakers)
    if count:
        raise CorpusError(
            f"model.json lists {count} of the {len(speakers)} speakers (of {', '.join(heard)}) as "
            "trained on, and figures on them say nothing of speakers it never heard: leave them "
            "out with --skip-trained-speakers, or give other corpora"
        )
