"""Calls made of labelled clips, with the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import soundfile

from emotion_service.errors import CorpusError
from emotion_service.training.corpora.corpus import Clip, corpus_folders, read_audio, read_corpus
from emotion_service.types import SAMPLE_RATE_HERTZ, FloatArray

# What the customer's turns hold: an emotion, and for how long he speaks so, in seconds.
COURSE = (("neutral", 20.0), ("anger", 14.0), ("neutral", 14.0))
TURN_CLIPS = 2  # of the customer's, before the agent answers
PAUSE_SECONDS = (0.3, 0.9)  # between clips and between turns
LINE_NOISE = 3e-4  # standard deviation: -70 dBFS


@dataclass(frozen=True, slots=True)
class Segment:
    """One clip's place in the call."""

    leg: str
    start_seconds: float
    end_seconds: float
    emotion: str
    kind: str = "speech"


def write_demo_call(
    corpora: Path, speaker: str | None, out: Path, heard_speakers: Collection[str]
) -> str:
    """Writes a stereo FLAC call (customer, agent) and, as .json beside it, its truth.

    The customer is neutral, then angry, then neutral again. Without a speaker, one is taken
    who was recorded like those the model has heard (`heard_speakers`), if possible one whom it
    has not heard. Returns the speaker.

    Raises:
        CorpusError: no such speaker, or none with clips of both emotions.
    """
    clips = [clip for folder in corpus_folders(corpora) for clip in read_corpus(folder)]
    chosen = speaker or _default_speaker(clips, heard_speakers)
    own = [clip for clip in clips if clip.speaker == chosen]
    for emotion, _ in COURSE:
        if not any(clip.emotion == emotion for clip in own):
            raise CorpusError(
                f"no clip of speaker {chosen} with {emotion} below {corpora}: choose another "
                "with --speaker, as named in the index.csv files"
            )
    audio, segments = join(own, _agents(clips, own[0]), crc32(chosen.encode()))
    soundfile.write(out, audio, SAMPLE_RATE_HERTZ, format="FLAC", subtype="PCM_16")
    truth = {
        "sample_rate_hertz": SAMPLE_RATE_HERTZ,
        "synthetic": False,
        "corpus": own[0].corpus,
        "speaker": chosen,
        "language": own[0].language,
        "model_heard_speaker": chosen in heard_speakers,
        "segments": [asdict(segment) for segment in segments],
    }
    out.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return chosen


def join(
    customer: Sequence[Clip], agent: Sequence[Clip], seed: int
) -> tuple[FloatArray, list[Segment]]:
    """Float32 (n, 2) at 8 kHz, customer and agent in turn, and where each clip lies."""
    random = np.random.default_rng(seed)
    answers = endless(agent, random)
    parts: list[tuple[int, int, FloatArray]] = []
    segments: list[Segment] = []
    at = 0

    def say(leg: int, clip: Clip) -> float:
        nonlocal at
        samples = read_audio(clip.path)
        at += int(random.uniform(*PAUSE_SECONDS) * SAMPLE_RATE_HERTZ)
        parts.append((leg, at, samples))
        begin, at = at, at + len(samples)
        bounds = (begin / SAMPLE_RATE_HERTZ, at / SAMPLE_RATE_HERTZ)
        segments.append(Segment(("customer", "agent")[leg], *bounds, clip.emotion))
        return len(samples) / SAMPLE_RATE_HERTZ

    say(1, next(answers))
    for emotion, length in COURSE:
        clips = endless([clip for clip in customer if clip.emotion == emotion], random)
        spoken, count = 0.0, 0
        while spoken < length:
            spoken, count = spoken + say(0, next(clips)), count + 1
            if count % TURN_CLIPS == 0:
                say(1, next(answers))
    audio = random.normal(0.0, LINE_NOISE, (at + SAMPLE_RATE_HERTZ, 2)).astype(np.float32)
    for leg, begin, samples in parts:
        audio[begin : begin + len(samples), leg] += samples
    return np.clip(audio, -1.0, 1.0), segments


def endless(clips: Sequence[Clip], random: np.random.Generator) -> Iterator[Clip]:
    """All clips in random order, and again when they are used up."""
    while True:
        for index in random.permutation(len(clips)):
            yield clips[index]


def _agents(clips: Sequence[Clip], customer: Clip) -> list[Clip]:
    """Another speaker's neutral clips, in the same language."""
    others = [
        clip
        for clip in clips
        if clip.speaker != customer.speaker
        and clip.language == customer.language
        and clip.emotion == "neutral"
    ]
    if not others:
        raise CorpusError("the customer's corpus has no neutral clip of a second speaker")
    return [clip for clip in others if clip.speaker == others[0].speaker]


def _default_speaker(clips: Sequence[Clip], heard: Collection[str]) -> str:
    wanted = {emotion for emotion, _ in COURSE}
    emotions: dict[str, set[str]] = {}
    for clip in clips:
        emotions.setdefault(clip.speaker, set()).add(clip.emotion)
    corpus = {clip.speaker: clip.corpus for clip in clips}
    known = {corpus[speaker] for speaker in corpus if speaker in heard}
    able = [speaker for speaker in emotions if wanted <= emotions[speaker]]
    if not able:
        raise CorpusError("no speaker of the corpora has both neutral and angry clips")
    return min(able, key=lambda speaker: (corpus[speaker] not in known, speaker in heard))
