"""What the next agent should know of a call, as a few sentences in English and German.

Facts and how the customer sounded, never a diagnosis; no names. `hand_over_words` has the wording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from emotion_service.cues.chapters import Chapter
from emotion_service.cues.hand_over_words import ENGLISH, GERMAN, Language
from emotion_service.types import (
    SAMPLE_RATE_HERTZ,
    CueKind,
    EndReason,
    NotScored,
    Party,
    Text,
)

LONGEST = 400  # characters; what would go beyond that, and matters least, is left out
AT_ONCE = 20 * SAMPLE_RATE_HERTZ  # a chapter that begins before this was there from the start
AT_THE_END = 30 * SAMPLE_RATE_HERTZ  # one that ends later than this before the end lasted to it
LITTLE_SPEECH = 10 * SAMPLE_RATE_HERTZ  # of the customer: no wonder that nothing is known
MOST_STATES = 3  # that are told one by one
LOPSIDED = 0.75  # share of all speech from which it is told
MUCH_SPEECH = 30 * SAMPLE_RATE_HERTZ  # of all legs, from which shares mean something


@dataclass(frozen=True, slots=True)
class Waits:
    """How often something was waited for, and the longest wait in samples."""

    count: int = 0
    longest: int = 0

    def __add__(self, other: Waits) -> Waits:
        return Waits(self.count + other.count, max(self.longest, other.longest))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a leg did in the course of the call; `manners`: URGENT and CURT, if they occurred."""

    party: Party
    speech: int  # samples
    not_scored: NotScored | None
    chapters: tuple[Chapter, ...] = ()
    manners: tuple[CueKind, ...] = ()
    broke_in: int = 0
    slow_replies: Waits = Waits()


@dataclass(frozen=True, slots=True)
class Outline:
    """A call of `duration` samples so far; `end_reason` is None while it goes on."""

    duration: int
    end_reason: EndReason | None
    legs: tuple[Heard, ...]
    silences: Waits = Waits()

    @property
    def customer(self) -> Heard | None:
        """The first one who has spoken, or else the first; for tests, a leg that mixes parties
        counts as one."""
        scored = [leg for leg in self.legs if leg.party in (Party.CUSTOMER, Party.MIXED)]
        return min(scored, key=lambda leg: (leg.party is Party.MIXED, not leg.speech), default=None)

    @property
    def others(self) -> list[Heard]:
        return [leg for leg in self.legs if leg is not self.customer]


def hand_over(outline: Outline) -> Text:
    """The call in words; see Text."""
    return Text(_told(outline, ENGLISH), _told(outline, GERMAN))


def _told(outline: Outline, words: Language) -> str:
    sentences = [_mood(outline, words), _turns(outline, words), _frame(outline, words)]
    text = _written(sentences)
    for more in (_interrupting(outline, words), _silence(outline, words), _share(outline, words)):
        longer = [*sentences[:-1], f"{sentences[-1]}; {more}"]
        if more and len(_written(longer)) <= LONGEST:
            sentences, text = longer, _written(longer)
    return text


def _written(sentences: Sequence[str]) -> str:
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in sentences if text)


# --- how the customer sounded -----------------------------------------------------------------


def _mood(outline: Outline, words: Language) -> str:
    customer = outline.customer
    if customer is None:
        return words.not_scored[NotScored.NOT_A_CUSTOMER]
    if customer.not_scored is not None:
        return words.not_scored[customer.not_scored]
    sounded = [*_states(outline, customer.chapters, words), *_manners(customer, words)]
    if sounded:
        return words.sounded.format(", ".join(sounded))
    if not customer.speech:
        return words.mute
    why = words.little_speech if customer.speech < LITTLE_SPEECH else words.nothing_clear
    return (words.nothing_yet if outline.end_reason is None else words.nothing_known).format(why)


def _states(outline: Outline, chapters: Sequence[Chapter], words: Language) -> list[str]:
    """One by one if they are few; a calm beginning that something follows goes without saying."""
    calm_first = len(chapters) > 1 and chapters[0].kind is CueKind.NEUTRAL
    told = chapters[1:] if calm_first else chapters
    if len(told) > MOST_STATES:
        return _varied(outline, chapters, words)
    later = [_change(outline, before, after, words) for before, after in pairwise(told)]
    return [_first(told[0], calm_first, bool(later), words), *later] if told else []


def _first(chapter: Chapter, calm_before: bool, changes: bool, words: Language) -> str:
    state = words.states[chapter.kind]
    if calm_before or (chapter.start >= AT_ONCE and chapter.kind is not CueKind.NEUTRAL):
        return words.since.format(when=_when(chapter.start, words), state=state)
    return words.at_first.format(state) if changes else state


def _change(outline: Outline, before: Chapter, after: Chapter, words: Language) -> str:
    ends = outline.customer is not None and after is outline.customer.chapters[-1]
    when = (
        _ending(outline, words)
        if ends and _is_ending(outline, after)
        else _when(after.start, words)
    )
    return words.since.format(when=when, state=_state(before, after, words))


def _varied(outline: Outline, chapters: Sequence[Chapter], words: Language) -> list[str]:
    """The states it was in for longest, and how it ended."""
    held: Counter[CueKind] = Counter()
    for chapter in chapters:
        held[chapter.kind] += chapter.held
    (most, longest), *others = held.most_common(MOST_STATES)
    mostly = 2 * longest >= held.total()
    lengths = [
        words.in_all.format(state=words.states[kind], length=words.roughly(length))
        for kind, length in (others if mostly else [(most, longest), *others])
    ]
    template, first = (words.mostly, words.states[most]) if mostly else (words.varied, "")
    said = [template.format(state=first, lengths=words.all_of(lengths))]
    if _is_ending(outline, chapters[-1]):
        said.append(_change(outline, chapters[-2], chapters[-1], words))
    return said


def _state(before: Chapter, after: Chapter, words: Language) -> str:
    if (before.kind, after.kind) == (CueKind.AGITATED, CueKind.NEUTRAL):
        return words.calmer
    return words.states[after.kind]


def _when(at: int, words: Language) -> str:
    """To ten seconds, from the first minute on to the minute."""
    whole = at // SAMPLE_RATE_HERTZ
    if whole < 55:
        return words.after_seconds.format(max(10, (whole + 5) // 10 * 10))
    return words.from_minute.format((whole + 30) // 60)


def _is_ending(outline: Outline, chapter: Chapter) -> bool:
    """It lasted to the end, and began in the second half."""
    lasted = chapter.end >= outline.duration - AT_THE_END
    return lasted and 2 * chapter.start >= outline.duration


def _ending(outline: Outline, words: Language) -> str:
    return words.lately if outline.end_reason is None else words.in_the_end


def _manners(customer: Heard, words: Language) -> list[str]:
    if not customer.manners:
        return []
    return [words.at_times.format(words.all_of([words.manners[kind] for kind in customer.manners]))]


# --- who did what to whom, and for how long ---------------------------------------------------


def _turns(outline: Outline, words: Language) -> str:
    customer, others = outline.customer, outline.others
    if customer is None or not others:
        return ""
    done: list[str] = []
    if len(others) == 1:
        other = words.parties.get(others[0].party, words.other_side)
        if others[0].broke_in:
            times = words.times(others[0].broke_in)
            done.append(words.was_interrupted.format(times=times, by=other.by))
        if customer.broke_in and others[0].party is not Party.BOT:
            done.append(words.broke_in.format(times=words.times(customer.broke_in), on=other.on))
    elif customer.broke_in:
        done.append(words.broke_in.format(times=words.times(customer.broke_in), on=words.others))
    waits = others[0].slow_replies
    if len(others) == 1 and waits.count:  # of more, nobody knows whom they let wait
        done.append(_counted(waits, words.waited_once, words.waited, words))
    return words.customer.format(words.all_of(done)) if done else ""


def _frame(outline: Outline, words: Language) -> str:
    """How long it was, and how it ended."""
    lasted = words.so_far if outline.end_reason is None else words.call
    text = lasted.format(words.duration(outline.duration))
    if outline.end_reason in words.ended:
        return f"{text}, {words.ended[outline.end_reason]}"
    return text


def _interrupting(outline: Outline, words: Language) -> str:
    """With three legs nobody knows whom."""
    broke_in = [leg for leg in outline.others if leg.broke_in]
    if len(outline.others) < 2 or not broke_in:
        return ""
    most = max(broke_in, key=lambda leg: leg.broke_in)
    who = _who(most, outline, words)
    done = words.broke_in.format(times=words.times(most.broke_in), on=words.others)
    return f"{who} {done}"


def _silence(outline: Outline, words: Language) -> str:
    if not outline.silences.count:
        return ""
    return _counted(outline.silences, words.silence, words.silences, words)


def _share(outline: Outline, words: Language) -> str:
    everyone = sum(leg.speech for leg in outline.legs)
    if len(outline.legs) < 2 or everyone < MUCH_SPEECH:
        return ""
    most = max(outline.legs, key=lambda leg: leg.speech)
    share = most.speech / everyone
    if share < LOPSIDED or most.party is Party.MIXED:  # of whom of those on it, nobody knows
        return ""
    who = _who(most, outline, words)
    return words.share.format(who=who, percent=round(100 * share))


def _who(leg: Heard, outline: Outline, words: Language) -> str:
    if leg is outline.customer:
        return words.the_customer
    return words.parties.get(leg.party, words.other_side).who


def _counted(waits: Waits, one: str, several: str, words: Language) -> str:
    longest = words.duration(waits.longest)
    template = one if waits.count == 1 else several
    return template.format(times=words.times(waits.count), longest=longest)
