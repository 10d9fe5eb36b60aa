"""Nothing but an informed, consenting customer's leg ever gets a score, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from random import Random

import pytest

from emotion_service.audio.codecs import encode_pcmu
from emotion_service.audio.features import CONTEXT
from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.errors import ScoringForbidden
from emotion_service.scoring.request import ScoringRequest
from emotion_service.scoring.speaker import Speaker
from emotion_service.types import (
    AttributeChange,
    CallConfig,
    CallEvent,
    CallUpdate,
    Consent,
    ConsentChange,
    DisclosureChange,
    DtmfDigit,
    EmotionScore,
    EncodedAudio,
    EndReason,
    EndReasonChange,
    FloatArray,
    LegConfig,
    LineChange,
    LineState,
    NotScored,
    Pacing,
    Party,
    PartyChange,
    Permit,
    ScoringStatus,
)

NAMES = ("a", "b", "c")
CUSTOMER_OR_NOT = (*[Party.CUSTOMER] * 4, *Party)
GRANTED_OR_NOT = (*[Consent.GRANTED] * 3, *Consent)
CONSENT_REASONS = {
    Consent.PENDING: NotScored.CONSENT_PENDING,
    Consent.REFUSED: NotScored.CONSENT_REFUSED,
    Consent.WITHDRAWN: NotScored.CONSENT_WITHDRAWN,
}


@dataclass
class Truth:
    """What the test knows of a call: who speaks, who was asked, what was answered."""

    parties: dict[str, Party]
    disclosed: bool
    consent: Consent
    mixed_allowed: bool

    def may_score(self, leg: str) -> bool:
        """The rule, said once more and differently from the code under test."""
        whose = {Party.CUSTOMER, Party.MIXED} if self.mixed_allowed else {Party.CUSTOMER}
        return (self.parties[leg] in whose, self.disclosed, self.consent) == (
            True,
            True,
            Consent.GRANTED,
        )

    def reason(self, leg: str) -> NotScored | None:
        if self.may_score(leg):
            return None
        party = self.parties[leg]
        if party is Party.MIXED and not self.mixed_allowed:
            return NotScored.PARTIES_MIXED
        if party not in (Party.CUSTOMER, Party.MIXED):
            return NotScored.NOT_A_CUSTOMER
        return CONSENT_REASONS[self.consent] if self.disclosed else NotScored.NOT_DISCLOSED

    def learn(self, change: CallUpdate) -> None:
        match change:
            case ConsentChange(consent):
                self.consent = consent
            case DisclosureChange(given):
                self.disclosed = given
            case PartyChange(leg, party):
                self.parties[leg] = party


def drawn(random: Random) -> tuple[CallConfig, Truth]:
    """A set-up: about every other call has a leg that may be scored from the start."""
    names = NAMES[: random.randint(1, 3)]
    likely = random.random() < 0.6
    parties = {name: random.choice(CUSTOMER_OR_NOT) for name in names}
    truth = Truth(
        parties,
        disclosed=likely or random.random() < 0.5,
        consent=Consent.GRANTED if likely else random.choice(list(Consent)),
        mixed_allowed=random.random() < 0.3,
    )
    config = CallConfig(
        call_id="c",
        legs=tuple(LegConfig(name, parties[name], "audio/PCMU", 8000) for name in names),
        pacing=random.choice(list(Pacing)),
        disclosure_given=truth.disclosed,
        consent=truth.consent,
        allow_mixed_for_testing=truth.mixed_allowed,
    )
    return config, truth


CHANGES: tuple[Callable[[Random, str], CallUpdate], ...] = (
    *[lambda random, leg: ConsentChange(random.choice(GRANTED_OR_NOT))] * 3,
    *[lambda random, leg: PartyChange(leg, random.choice(CUSTOMER_OR_NOT))] * 3,
    *[lambda random, leg: DisclosureChange(random.random() < 0.8)] * 2,
    lambda random, leg: LineChange(leg, random.choice(list(LineState))),
    lambda random, leg: EndReasonChange(EndReason.COMPLETED),
    lambda random, leg: AttributeChange("queue", "x"),
    lambda random, leg: DtmfDigit(),
)


def change(random: Random, truth: Truth) -> CallUpdate:
    return random.choice(CHANGES)(random, random.choice(list(truth.parties)))


@pytest.mark.parametrize(
    ("party", "disclosed", "consent", "mixed"),
    list(product(Party, (False, True), Consent, (False, True))),
)
def test_no_other_permit_can_be_made(
    party: Party, disclosed: bool, consent: Consent, mixed: bool
) -> None:
    if Truth({"a": party}, disclosed, consent, mixed).may_score("a"):
        assert Permit("a", party, disclosed, consent, mixed).leg == "a"
    else:
        with pytest.raises(ScoringForbidden):
            Permit("a", party, disclosed, consent, mixed)


class Counting:
    """A stand-in that counts for how many speakers a memory was made."""

    model_version = "counting-1"

    def __init__(self) -> None:
        self.speakers = 0

    def new_speaker(self) -> Speaker:
        self.speakers += 1
        return Speaker({})


def test_tens_of_thousands_of_set_ups_and_updates() -> None:
    random = Random(12)
    granted = 0
    for _ in range(2000):
        config, truth = drawn(random)
        scorer = Counting()
        call = Call(config, scorer)  # type: ignore[arg-type]
        said = {event.leg: event for event in call.start() if isinstance(event, ScoringStatus)}
        assert said == {leg: ScoringStatus(leg, truth.reason(leg)) for leg in truth.parties}
        memories = sum(map(truth.may_score, truth.parties))
        for _ in range(19):
            before = {leg: truth.may_score(leg) for leg in truth.parties}
            update = change(random, truth)
            parties = dict(truth.parties)
            truth.learn(update)
            for event in call.update(update):
                assert event == ScoringStatus(event.leg, truth.reason(event.leg))  # type: ignore[union-attr]
            for state in call.leg_states():
                assert state.not_scored == truth.reason(state.leg)
                renewed = parties[state.leg] is not truth.parties[state.leg]
                memories += truth.may_score(state.leg) and (renewed or not before[state.leg])
        assert scorer.speakers == memories
        granted += memories
    assert granted > 4000


# --- with audio -------------------------------------------------------------------------------


class Heard:
    """A call under way; scores come back late, and everything is checked as it happens."""

    def __init__(self, random: Random, scorer: Scorer, voice: bytes) -> None:
        self._random, self._scorer, self._voice = random, scorer, voice
        config, self._truth = drawn(random)
        self._call = Call(config, scorer)
        self._at = 0
        self._since = dict.fromkeys(self._truth.parties, 0)  # the leg may be scored since
        self._waiting: list[ScoringRequest] = []
        self.scores = self.dropped = 0
        self._check(self._call.start())

    def go_on(self) -> None:
        for leg in self._truth.parties:
            piece = self._voice[self._at : self._at + 4000]
            self._check(self._call.push(EncodedAudio(leg, piece)))
        self._at += 4000
        self._take()
        if self._random.random() < 0.7:
            self._change()
        self._resolve(self._random.randint(0, len(self._waiting)))

    def end(self) -> None:
        self._check(self._call.finish())
        self._take()
        self._resolve(len(self._waiting))
        self._check(self._call.close())

    def _change(self) -> None:
        update = change(self._random, self._truth)
        before = dict(self._truth.parties)
        may = {leg: self._truth.may_score(leg) for leg in before}
        self._truth.learn(update)
        for leg, party in self._truth.parties.items():
            if party is not before[leg] or not may[leg]:
                self._since[leg] = self._at
        self._check(self._call.update(update))

    def _take(self) -> None:
        for request in self._call.take_requests():
            self._check_request(request)
            self._waiting.append(request)

    def _check_request(self, request: ScoringRequest) -> None:
        truth, audio, since = self._truth, request.audio, self._since[request.leg]
        assert truth.may_score(request.leg)
        assert request.permit.party is truth.parties[request.leg]
        assert audio.start + CONTEXT >= since
        assert not audio.samples[: max(0, since - audio.start)].any()

    def _resolve(self, count: int) -> None:
        for _ in range(count):
            request = self._waiting.pop(self._random.randrange(len(self._waiting)))
            (score,) = self._scorer.score([request]).scores
            events = self._call.resolve(score)
            self.dropped += not events
            self._check(events)

    def _check(self, events: list[CallEvent]) -> None:
        for event in events:
            if isinstance(event, EmotionScore):
                assert self._truth.may_score(event.leg)
                assert event.permit.party is self._truth.parties[event.leg]
                assert event.end > self._since[event.leg]
                self.scores += 1


def test_hundreds_of_calls_with_audio(
    scripted: Callable[..., Scorer], speech: Callable[[float, int], FloatArray]
) -> None:
    random = Random(34)
    voice = encode_pcmu(speech(2.0, 0))
    scores = dropped = 0
    for _ in range(200):
        call = Heard(random, scripted(), voice)
        for _ in range(random.randint(2, 4)):
            call.go_on()
        call.end()
        scores, dropped = scores + call.scores, dropped + call.dropped
    assert scores > 200
    assert dropped > 20
