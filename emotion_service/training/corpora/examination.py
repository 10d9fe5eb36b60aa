"""All clips are decoded once before a training: what must not be, and what should be known."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.confound import Caution, CautionKind, confounds
from emotion_service.training.corpora.corpus import SILENT, Clip, read_recording


def examine(clips: Sequence[Clip]) -> list[Caution]:
    """Cautions about clips that may be trained on; about a millisecond a clip.

    Raises:
        CorpusError: a clip cannot be used (see read_recording), is silent, or two have the same
            audio, sample by sample however it is stored, under two speakers or with two labels.
    """
    repeated: list[Caution] = []
    levels_db: list[float] = []
    first: dict[bytes, Clip] = {}
    for clip in clips:
        samples, level_db = read_recording(clip.path)
        if level_db == SILENT:
            raise CorpusError(f"{clip.path} is silent: remove it from the index")
        levels_db.append(level_db)
        earlier = first.setdefault(sha256(samples.tobytes()).digest(), clip)
        if earlier is not clip:
            repeated.append(_repeated(earlier, clip))
    return [*repeated, *confounds(clips, levels_db)]


def _repeated(one: Clip, other: Clip) -> Caution:
    """The same audio twice: of one speaker and label, it merely counts twice."""
    both = f"{one.path} and {other.path} are the same audio"
    if one.corpus != other.corpus or one.speaker != other.speaker:
        raise CorpusError(
            f"{both} under two speakers ({one.speaker} of {one.corpus}, {other.speaker} of "
            f"{other.corpus}), so it could be on both sides of a split: take one out of its index"
        )
    if one.emotion != other.emotion:
        raise CorpusError(
            f"{both} with two labels ({one.emotion}, {other.emotion}): take the wrong one out of "
            "the index"
        )
    text = f"{both}, of one speaker and label, so it counts twice: take one out of the index"
    return Caution(CautionKind.REPEATED, one.corpus, text)
