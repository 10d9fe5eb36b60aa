"""The hand-over in both languages, word by word."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion_service.cues.chapters import Chapter
from emotion_service.cues.hand_over import LONGEST, Heard, Outline, Waits, hand_over
from emotion_service.cues.hand_over_words import ENGLISH, GERMAN
from emotion_service.types import CueKind, EndReason, NotScored, Party

SECOND, MINUTE = 8000, 480_000
CALM, CROSS, SAD, GLAD = CueKind.NEUTRAL, CueKind.AGITATED, CueKind.DISTRESSED, CueKind.HAPPY
CUSTOMER = Heard(Party.CUSTOMER, 2 * MINUTE, None)
AGENT = Heard(Party.AGENT, 2 * MINUTE, NotScored.NOT_A_CUSTOMER)
BOT, SUPERVISOR = replace(AGENT, party=Party.BOT), replace(AGENT, party=Party.SUPERVISOR)


def chapters(*begun: tuple[CueKind, float], end: float) -> tuple[Chapter, ...]:
    """Each state with the minute in which it began; one ends where the next begins."""
    starts = [round(minute * MINUTE) for _, minute in begun]
    ends = [*starts[1:], round(end * MINUTE)][: len(starts)]
    return tuple(
        Chapter(kind, start, end, held=end - start)
        for (kind, _), start, end in zip(begun, starts, ends, strict=True)
    )


def sounded(*begun: tuple[CueKind, float], end: float = 6) -> Heard:
    return replace(CUSTOMER, chapters=chapters(*begun, end=end))


def call(*legs: Heard, minutes: float = 6, **changes: object) -> Outline:
    outline = Outline(round(minutes * MINUTE), EndReason.COMPLETED, legs)
    return replace(outline, **changes)  # type: ignore[arg-type]  # the tests' own


class Scenario(NamedTuple):
    outline: Outline
    english: str
    german: str


SIX = "The call lasted 6 minutes."
SECHS = "Das Gespräch dauerte 6 Minuten."
SCENARIOS = {
    "as the brief has it": Scenario(
        call(
            sounded((CALM, 0), (CROSS, 3), (CALM, 5)),
            replace(AGENT, broke_in=2, slow_replies=Waits(1, 40 * SECOND)),
        ),
        "The customer sounded annoyed from minute 3, calmer at the end. They were interrupted "
        "twice by the agent and waited 40 seconds for an answer. " + SIX,
        "Der Kunde klang ab Minute 3 verärgert, zum Schluss ruhiger. Er wurde vom Agenten zweimal "
        "unterbrochen und wartete 40 Sekunden auf eine Antwort. " + SECHS,
    ),
    "calm throughout": Scenario(
        call(sounded((CALM, 0.1)), AGENT),
        "The customer sounded calm. " + SIX,
        "Der Kunde klang ruhig. " + SECHS,
    ),
    "annoyed from the start, and transferred": Scenario(
        call(sounded((CROSS, 0.1)), AGENT, end_reason=EndReason.TRANSFERRED),
        "The customer sounded annoyed. The call lasted 6 minutes, then it was transferred.",
        "Der Kunde klang verärgert. Das Gespräch dauerte 6 Minuten, dann wurde es weiterverbunden.",
    ),
    "annoyed at first, calmer before half of it was over": Scenario(
        call(sounded((CROSS, 0.1), (CALM, 2)), AGENT),
        "The customer sounded annoyed at first, calmer from minute 2. " + SIX,
        "Der Kunde klang zunächst verärgert, ab Minute 2 ruhiger. " + SECHS,
    ),
    "two moods within the last half minute": Scenario(
        call(sounded((CROSS, 0), (SAD, 0.55), (GLAD, 0.8), end=1), AGENT, minutes=1),
        "The customer sounded annoyed at first, downcast after 30 seconds, cheerful at the end. "
        "The call lasted 60 seconds.",
        "Der Kunde klang zunächst verärgert, nach 30 Sekunden bedrückt, zum Schluss gut gelaunt. "
        "Das Gespräch dauerte 60 Sekunden.",
    ),
    "the first customer says nothing, the second everything": Scenario(
        call(
            replace(CUSTOMER, speech=0),
            replace(sounded((CROSS, 0.1)), speech=4 * MINUTE),
            replace(AGENT, speech=SECOND),
        ),
        "The customer sounded annoyed. The call lasted 6 minutes; the customer did 100 % of the "
        "talking.",
        "Der Kunde klang verärgert. Das Gespräch dauerte 6 Minuten; der Kunde sprach 100 % der "
        "Redezeit.",
    ),
    "the other customer talks": Scenario(
        call(
            replace(sounded((CALM, 0)), speech=SECOND),
            replace(CUSTOMER, speech=4 * MINUTE, broke_in=3),
            replace(AGENT, speech=SECOND),
        ),
        "The customer sounded calm. The call lasted 6 minutes; another customer interrupted others "
        "three times; another customer did 99 % of the talking.",
        "Der Kunde klang ruhig. Das Gespräch dauerte 6 Minuten; ein anderer Kunde fiel anderen "
        "dreimal ins Wort; ein anderer Kunde sprach 99 % der Redezeit.",
    ),
    "bot and agent let each other wait": Scenario(
        call(sounded((CALM, 0)), BOT, replace(AGENT, slow_replies=Waits(1, 10 * SECOND))),
        "The customer sounded calm. " + SIX,
        "Der Kunde klang ruhig. " + SECHS,
    ),
    "a leg with several people on it": Scenario(
        call(
            Heard(Party.MIXED, 4 * MINUTE, NotScored.PARTIES_MIXED), replace(AGENT, speech=SECOND)
        ),
        "Nothing is said of the mood: the customer shares a leg with others. " + SIX,
        "Zur Stimmung steht hier nichts: der Kunde teilt sich eine Leitung mit anderen. " + SECHS,
    ),
    "still going on": Scenario(
        call(sounded((CALM, 0), (CROSS, 0.7), (SAD, 4)), AGENT, end_reason=None),
        "The customer sounded annoyed after 40 seconds, downcast most recently. "
        "The call has lasted 6 minutes so far.",
        "Der Kunde klang nach 40 Sekunden verärgert, zuletzt bedrückt. "
        "Das Gespräch dauert bisher 6 Minuten.",
    ),
    "many changes around calm": Scenario(
        call(
            sounded((CALM, 0), (CROSS, 3), (CALM, 3.5), (GLAD, 6), (CALM, 6.3), (CROSS, 9), end=10),
            AGENT,
            minutes=10,
        ),
        "The customer sounded mostly calm (annoyed for 2 minutes and cheerful for 20 seconds), "
        "annoyed at the end. The call lasted 10 minutes.",
        "Der Kunde klang meist ruhig (2 Minuten verärgert und 20 Sekunden gut gelaunt), zum "
        "Schluss verärgert. Das Gespräch dauerte 10 Minuten.",
    ),
    "many changes around nothing": Scenario(
        call(sounded((SAD, 0), (CROSS, 2), (CALM, 3), (CROSS, 4), (SAD, 5), end=5.2), AGENT),
        "The customer sounded changeable (downcast for 2 minutes, annoyed for 2 minutes and calm "
        "for 1 minute). " + SIX,
        "Der Kunde klang wechselhaft (2 Minuten bedrückt, 2 Minuten verärgert und 1 Minute ruhig). "
        + SECHS,
    ),
    "in a hurry and curt": Scenario(
        call(
            replace(
                sounded((CALM, 0)), manners=(CueKind.URGENT, CueKind.CURT), broke_in=12, speech=0
            ),
            AGENT,
        ),
        "The customer sounded calm, in a hurry and curt at times. They interrupted the agent "
        "12 times. The call lasted 6 minutes; the agent did 100 % of the talking.",
        "Der Kunde klang ruhig, zeitweise in Eile und kurz angebunden. Er fiel dem Agenten 12-mal "
        "ins Wort. Das Gespräch dauerte 6 Minuten; der Agent sprach 100 % der Redezeit.",
    ),
    "in a hurry, and no more is known": Scenario(
        call(replace(CUSTOMER, manners=(CueKind.URGENT,)), AGENT),
        "The customer sounded in a hurry at times. " + SIX,
        "Der Kunde klang zeitweise in Eile. " + SECHS,
    ),
    "the customer objected, whatever was inferred before": Scenario(
        call(
            replace(
                sounded((CROSS, 0)),
                not_scored=NotScored.CONSENT_WITHDRAWN,
                manners=(CueKind.CURT,),
                broke_in=1,
            ),
            replace(AGENT, broke_in=1),
        ),
        "The customer objected to having their mood assessed, so nothing is said of it. They were "
        "interrupted once by the agent and interrupted the agent once. " + SIX,
        "Der Kunde hat der Auswertung seiner Stimmung widersprochen, darum steht hier nichts dazu. "
        "Er wurde vom Agenten einmal unterbrochen und fiel dem Agenten einmal ins Wort. " + SECHS,
    ),
    "refused": Scenario(
        call(replace(CUSTOMER, not_scored=NotScored.CONSENT_REFUSED), AGENT),
        "Nothing is said of the mood: the customer did not agree to that. " + SIX,
        "Zur Stimmung steht hier nichts: der Kunde hat das abgelehnt. " + SECHS,
    ),
    "never asked": Scenario(
        call(replace(CUSTOMER, not_scored=NotScored.CONSENT_PENDING), AGENT),
        "Nothing is said of the mood: the customer has not agreed to that. " + SIX,
        "Zur Stimmung steht hier nichts: der Kunde hat dem nicht zugestimmt. " + SECHS,
    ),
    "not told": Scenario(
        call(replace(CUSTOMER, not_scored=NotScored.NOT_DISCLOSED), AGENT),
        "Nothing is said of the mood: the customer had not been told that it is assessed. " + SIX,
        "Zur Stimmung steht hier nichts: der Kunde war über die Auswertung nicht informiert. "
        + SECHS,
    ),
    "on a leg with others": Scenario(
        call(replace(CUSTOMER, party=Party.MIXED, not_scored=NotScored.PARTIES_MIXED)),
        "Nothing is said of the mood: the customer shares a leg with others. " + SIX,
        "Zur Stimmung steht hier nichts: der Kunde teilt sich eine Leitung mit anderen. " + SECHS,
    ),
    "no customer": Scenario(
        call(AGENT, SUPERVISOR),
        "No leg is the customer's, so nothing is said of a mood. " + SIX,
        "Kein Kunde war angemeldet, darum steht hier nichts zur Stimmung. " + SECHS,
    ),
    "hung up in the queue without a word": Scenario(
        call(replace(CUSTOMER, speech=0), minutes=1.5, end_reason=EndReason.ABANDONED),
        "The customer did not speak. The call lasted 90 seconds, then the customer hung up.",
        "Der Kunde hat nicht gesprochen. Das Gespräch dauerte 90 Sekunden, dann legte der Kunde "
        "auf.",
    ),
    "a few words": Scenario(
        call(replace(CUSTOMER, speech=9 * SECOND), minutes=0.5, end_reason=EndReason.FAILED),
        "Nothing can be said of the customer's mood: they spoke too little. The call lasted "
        "30 seconds, then the line failed.",
        "Zur Stimmung des Kunden lässt sich nichts sagen: er sprach zu wenig. Das Gespräch dauerte "
        "30 Sekunden, dann brach die Leitung ab.",
    ),
    "nothing clear yet": Scenario(
        call(CUSTOMER, AGENT, end_reason=None, minutes=1 / 60),
        "Nothing can be said of the customer's mood yet: nothing stood out. The call has lasted "
        "1 second so far.",
        "Zur Stimmung des Kunden lässt sich noch nichts sagen: nichts trat hervor. Das Gespräch "
        "dauert bisher 1 Sekunde.",
    ),
    "silences, and a customer who does the talking": Scenario(
        call(
            replace(sounded((CALM, 0)), speech=40 * MINUTE),
            replace(AGENT, slow_replies=Waits(3, 6 * SECOND)),
            minutes=65,
            silences=Waits(3, 100 * SECOND),
        ),
        "The customer sounded calm. They waited three times for an answer (up to 6 seconds). The "
        "call lasted 1 hour 5 minutes; it fell silent three times (for up to 2 minutes); the "
        "customer did 95 % of the talking.",
        "Der Kunde klang ruhig. Er wartete dreimal auf eine Antwort (bis zu 6 Sekunden). Das "
        "Gespräch dauerte 1 Stunde 5 Minuten; es war dreimal lange still (bis zu 2 Minuten); der "
        "Kunde sprach 95 % der Redezeit.",
    ),
    "a bot may be interrupted": Scenario(
        call(
            replace(sounded((CALM, 0)), broke_in=4),
            replace(BOT, broke_in=1),
            silences=Waits(1, 12 * SECOND),
        ),
        "The customer sounded calm. They were interrupted once by the bot. The call lasted "
        "6 minutes; it fell silent for 12 seconds.",
        "Der Kunde klang ruhig. Er wurde vom Bot einmal unterbrochen. Das Gespräch dauerte 6 "
        "Minuten; es war 12 Sekunden still.",
    ),
    "with three nobody knows who was interrupted": Scenario(
        call(replace(sounded((CALM, 0)), broke_in=2), AGENT, replace(SUPERVISOR, broke_in=1)),
        "The customer sounded calm. They interrupted others twice. The call lasted 6 minutes; the "
        "supervisor interrupted others once.",
        "Der Kunde klang ruhig. Er fiel anderen zweimal ins Wort. Das Gespräch dauerte 6 Minuten; "
        "der Supervisor fiel anderen einmal ins Wort.",
    ),
    "somebody unknown": Scenario(
        call(sounded((GLAD, 0.5)), Heard(Party.UNSPECIFIED, MINUTE, None, broke_in=1), minutes=120),
        "The customer sounded cheerful after 30 seconds. They were interrupted once by the other "
        "side. The call lasted 2 hours.",
        "Der Kunde klang nach 30 Sekunden gut gelaunt. Er wurde von der Gegenseite einmal "
        "unterbrochen. Das Gespräch dauerte 2 Stunden.",
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_scenario(scenario: Scenario) -> None:
    text = hand_over(scenario.outline)
    assert text.english == scenario.english
    assert text.german == scenario.german


def test_what_matters_least_is_left_out_rather_than_be_longer() -> None:
    customer = replace(
        sounded((SAD, 0), (CROSS, 2), (CALM, 3), (CROSS, 4), (SAD, 5)),
        manners=(CueKind.URGENT, CueKind.CURT),
        broke_in=3,
    )
    other = Heard(Party.UNSPECIFIED, 20 * MINUTE, None, broke_in=2, slow_replies=Waits(7, MINUTE))
    text = hand_over(call(customer, other, silences=Waits(2, MINUTE))).german
    assert len(text) <= LONGEST
    assert text.endswith("6 Minuten; es war zweimal lange still (bis zu 60 Sekunden).")


@pytest.mark.parametrize(
    ("second", "english", "german"),
    [
        (20, "after 20 seconds", "nach 20 Sekunden"),
        (54, "after 50 seconds", "nach 50 Sekunden"),
        (55, "from minute 1", "ab Minute 1"),
        (89, "from minute 1", "ab Minute 1"),
        (90, "from minute 2", "ab Minute 2"),
        (3600, "from minute 60", "ab Minute 60"),
    ],
)
def test_times_are_rounded_for_reading(second: int, english: str, german: str) -> None:
    text = hand_over(call(sounded((CROSS, second / 60), end=70), minutes=70))
    assert text.english.startswith(f"The customer sounded annoyed {english}.")
    assert text.german.startswith(f"Der Kunde klang {german} verärgert.")


@pytest.mark.parametrize(
    ("samples", "duration", "roughly"),
    [
        (0, "1 Sekunde", "10 Sekunden"),
        (54 * SECOND, "54 Sekunden", "50 Sekunden"),
        (55 * SECOND, "55 Sekunden", "1 Minute"),
        (99 * SECOND, "99 Sekunden", "2 Minuten"),
        (100 * SECOND, "2 Minuten", "2 Minuten"),
        (60 * MINUTE, "1 Stunde", "1 Stunde"),
        (121 * MINUTE, "2 Stunden 1 Minute", "2 Stunden 1 Minute"),
    ],
)
def test_durations(samples: int, duration: str, roughly: str) -> None:
    assert (GERMAN.duration(samples), GERMAN.roughly(samples)) == (duration, roughly)


def test_lists_and_counts() -> None:
    assert GERMAN.all_of(["dies", "das", "jenes"]) == "dies, das und jenes"
    assert (ENGLISH.times(10), ENGLISH.times(11)) == ("ten times", "11 times")
    assert (GERMAN.times(10), GERMAN.times(11)) == ("zehnmal", "11-mal")


# --- any call ---------------------------------------------------------------------------------

KINDS = (CALM, CROSS, SAD, GLAD)
WAITS = st.builds(Waits, st.integers(0, 30), st.integers(0, 10 * MINUTE))
LEG = st.builds(
    Heard,
    party=st.sampled_from(Party),
    speech=st.integers(0, 60 * MINUTE),
    not_scored=st.none() | st.sampled_from(NotScored),
    chapters=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 20)), max_size=9).map(
        lambda parts: chapters(
            *((kind, sum(m for _, m in parts[:i]) / 3) for i, (kind, _) in enumerate(parts)), end=70
        )
    ),
    manners=st.sampled_from([(), (CueKind.CURT,), (CueKind.URGENT, CueKind.CURT)]),
    broke_in=st.integers(0, 30),
    slow_replies=WAITS,
)
OUTLINE = st.builds(
    Outline,
    duration=st.integers(0, 100 * MINUTE),
    end_reason=st.none() | st.sampled_from(EndReason),
    legs=st.lists(LEG, max_size=4).map(tuple),
    silences=WAITS,
)


@given(OUTLINE)
def test_any_call_is_told_in_one_to_three_sentences(outline: Outline) -> None:
    text = hand_over(outline)
    for said in (text.english, text.german):
        assert len(said) <= LONGEST
        sentences = said.removesuffix(".").split(". ")
        assert 1 <= len(sentences) <= 4
        assert all(sentence[0].isupper() for sentence in sentences)
        assert not {"{", "}", "  "} & {said[i : i + n] for n in (1, 2) for i in range(len(said))}


@given(OUTLINE, st.sampled_from(NotScored))
def test_of_a_customer_who_is_not_scored_no_mood_is_told(
    outline: Outline, reason: NotScored
) -> None:
    silenced = replace(outline, legs=tuple(replace(leg, not_scored=reason) for leg in outline.legs))
    plain = replace(
        silenced, legs=tuple(replace(leg, chapters=(), manners=()) for leg in silenced.legs)
    )
    assert hand_over(silenced) == hand_over(plain)
