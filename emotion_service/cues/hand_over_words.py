"""The hand-over's wording: one table a language, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotion_service.types import CueKind, EndReason, NotScored, Party, seconds

IN_SECONDS = 100  # below this a duration is told in seconds


@dataclass(frozen=True, slots=True)
class Named:
    """A party as the one who does it, by whom it is done, and to whom."""

    who: str
    by: str
    on: str


@dataclass(frozen=True, slots=True)
class Language:
    """Words and sentences; what stands in braces is put in."""

    states: Mapping[CueKind, str]
    calmer: str  # calm after having been agitated
    manners: Mapping[CueKind, str]
    sounded: str
    at_first: str
    since: str
    varied: str
    mostly: str
    in_all: str
    after_seconds: str
    from_minute: str
    in_the_end: str
    lately: str
    at_times: str
    not_scored: Mapping[NotScored, str]
    mute: str
    nothing_known: str
    nothing_yet: str
    little_speech: str
    nothing_clear: str
    customer: str
    the_customer: str
    was_interrupted: str
    broke_in: str
    others: str
    waited_once: str
    waited: str
    parties: Mapping[Party, Named]
    other_side: Named
    call: str
    so_far: str
    ended: Mapping[EndReason | None, str]
    silence: str
    silences: str
    share: str
    conjunction: str
    frequencies: tuple[str, ...]  # once, twice …
    many_times: str
    units: tuple[tuple[str, str], ...]  # second, minute, hour: one, several

    def times(self, count: int) -> str:
        """Such as "twice"."""
        known = count <= len(self.frequencies)
        return self.frequencies[count - 1] if known else self.many_times.format(count)

    def all_of(self, parts: Sequence[str]) -> str:
        """Such as "this, that and more"."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self.conjunction} {parts[-1]}"

    def duration(self, samples: int) -> str:
        """To the second, from 100 s on to the minute; never nothing."""
        whole = max(1, round(seconds(samples)))
        return self._amount(whole, 0) if whole < IN_SECONDS else self._minutes(whole)

    def roughly(self, samples: int) -> str:
        """To ten seconds, from the first minute on to the minute."""
        whole = round(seconds(samples))
        tens = max(10, (whole + 5) // 10 * 10)
        return self._amount(tens, 0) if tens < 60 else self._minutes(whole)

    def _minutes(self, whole: int) -> str:
        hours, minutes = divmod((whole + 30) // 60, 60)
        amounts = [self._amount(hours, 2)] if hours else []
        return " ".join([*amounts, self._amount(minutes, 1)] if minutes else amounts)

    def _amount(self, count: int, unit: int) -> str:
        one, several = self.units[unit]
        return f"{count} {one if count == 1 else several}"


ENGLISH = Language(
    states={
        CueKind.NEUTRAL: "calm",
        CueKind.HAPPY: "cheerful",
        CueKind.AGITATED: "annoyed",
        CueKind.DISTRESSED: "downcast",
    },
    calmer="calmer",
    manners={CueKind.URGENT: "in a hurry", CueKind.CURT: "curt"},
    sounded="the customer sounded {}",
    at_first="{} at first",
    since="{state} {when}",
    varied="changeable ({lengths})",
    mostly="mostly {state} ({lengths})",
    in_all="{state} for {length}",
    after_seconds="after {} seconds",
    from_minute="from minute {}",
    in_the_end="at the end",
    lately="most recently",
    at_times="{} at times",
    not_scored={
        NotScored.NOT_A_CUSTOMER: "no leg is the customer's, so nothing is said of a mood",
        NotScored.NOT_DISCLOSED: "nothing is said of the mood: the customer had not been told "
        "that it is assessed",
        NotScored.CONSENT_PENDING: "nothing is said of the mood: the customer has not agreed to "
        "that",
        NotScored.CONSENT_REFUSED: "nothing is said of the mood: the customer did not agree to "
        "that",
        NotScored.CONSENT_WITHDRAWN: "the customer objected to having their mood assessed, "
        "so nothing is said of it",
        NotScored.PARTIES_MIXED: "nothing is said of the mood: the customer shares a leg with "
        "others",
    },
    mute="the customer did not speak",
    nothing_known="nothing can be said of the customer's mood: {}",
    nothing_yet="nothing can be said of the customer's mood yet: {}",
    little_speech="they spoke too little",
    nothing_clear="nothing stood out",
    customer="they {}",
    the_customer="the customer",
    was_interrupted="were interrupted {times} by {by}",
    broke_in="interrupted {on} {times}",
    others="others",
    waited_once="waited {longest} for an answer",
    waited="waited {times} for an answer (up to {longest})",
    parties={
        Party.AGENT: Named("the agent", "the agent", "the agent"),
        Party.BOT: Named("the bot", "the bot", "the bot"),
        Party.SUPERVISOR: Named("the supervisor", "the supervisor", "the supervisor"),
        Party.CUSTOMER: Named("another customer", "the other customer", "the other customer"),
    },
    other_side=Named("the other side", "the other side", "the other side"),
    call="the call lasted {}",
    so_far="the call has lasted {} so far",
    ended={
        EndReason.TRANSFERRED: "then it was transferred",
        EndReason.ABANDONED: "then the customer hung up",
        EndReason.FAILED: "then the line failed",
    },
    silence="it fell silent for {longest}",
    silences="it fell silent {times} (for up to {longest})",
    share="{who} did {percent} % of the talking",
    conjunction="and",
    frequencies=(
        "once",
        "twice",
        "three times",
        "four times",
        "five times",
        "six times",
        "seven times",
        "eight times",
        "nine times",
        "ten times",
    ),
    many_times="{} times",
    units=(("second", "seconds"), ("minute", "minutes"), ("hour", "hours")),
)

GERMAN = Language(
    states={
        CueKind.NEUTRAL: "ruhig",
        CueKind.HAPPY: "gut gelaunt",
        CueKind.AGITATED: "verärgert",
        CueKind.DISTRESSED: "bedrückt",
    },
    calmer="ruhiger",
    manners={CueKind.URGENT: "in Eile", CueKind.CURT: "kurz angebunden"},
    sounded="der Kunde klang {}",
    at_first="zunächst {}",
    since="{when} {state}",
    varied="wechselhaft ({lengths})",
    mostly="meist {state} ({lengths})",
    in_all="{length} {state}",
    after_seconds="nach {} Sekunden",
    from_minute="ab Minute {}",
    in_the_end="zum Schluss",
    lately="zuletzt",
    at_times="zeitweise {}",
    not_scored={
        NotScored.NOT_A_CUSTOMER: "kein Kunde war angemeldet, darum steht hier nichts zur Stimmung",
        NotScored.NOT_DISCLOSED: "zur Stimmung steht hier nichts: der Kunde war über die "
        "Auswertung nicht informiert",
        NotScored.CONSENT_PENDING: "zur Stimmung steht hier nichts: der Kunde hat dem nicht "
        "zugestimmt",
        NotScored.CONSENT_REFUSED: "zur Stimmung steht hier nichts: der Kunde hat das abgelehnt",
        NotScored.CONSENT_WITHDRAWN: "der Kunde hat der Auswertung seiner Stimmung widersprochen, "
        "darum steht hier nichts dazu",
        NotScored.PARTIES_MIXED: "zur Stimmung steht hier nichts: der Kunde teilt sich eine "
        "Leitung mit anderen",
    },
    mute="der Kunde hat nicht gesprochen",
    nothing_known="zur Stimmung des Kunden lässt sich nichts sagen: {}",
    nothing_yet="zur Stimmung des Kunden lässt sich noch nichts sagen: {}",
    little_speech="er sprach zu wenig",
    nothing_clear="nichts trat hervor",
    customer="er {}",
    the_customer="der Kunde",
    was_interrupted="wurde {by} {times} unterbrochen",
    broke_in="fiel {on} {times} ins Wort",
    others="anderen",
    waited_once="wartete {longest} auf eine Antwort",
    waited="wartete {times} auf eine Antwort (bis zu {longest})",
    parties={
        Party.AGENT: Named("der Agent", "vom Agenten", "dem Agenten"),
        Party.BOT: Named("der Bot", "vom Bot", "dem Bot"),
        Party.SUPERVISOR: Named("der Supervisor", "vom Supervisor", "dem Supervisor"),
        Party.CUSTOMER: Named("ein anderer Kunde", "vom anderen Kunden", "dem anderen Kunden"),
    },
    other_side=Named("die Gegenseite", "von der Gegenseite", "der Gegenseite"),
    call="das Gespräch dauerte {}",
    so_far="das Gespräch dauert bisher {}",
    ended={
        EndReason.TRANSFERRED: "dann wurde es weiterverbunden",
        EndReason.ABANDONED: "dann legte der Kunde auf",
        EndReason.FAILED: "dann brach die Leitung ab",
    },
    silence="es war {longest} still",
    silences="es war {times} lange still (bis zu {longest})",
    share="{who} sprach {percent} % der Redezeit",
    conjunction="und",
    frequencies=(
        "einmal",
        "zweimal",
        "dreimal",
        "viermal",
        "fünfmal",
        "sechsmal",
        "siebenmal",
        "achtmal",
        "neunmal",
        "zehnmal",
    ),
    many_times="{}-mal",
    units=(("Sekunde", "Sekunden"), ("Minute", "Minuten"), ("Stunde", "Stunden")),
)
