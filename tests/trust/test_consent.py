"""Nothing but an informed, consenting customer's leg gets a permit."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from itertools import product
from random import Random

import pytest

from emotion_service.errors import ScoringForbidden
from emotion_service.trust.consent import decide
from emotion_service.types import Consent, NotScored, Party, Permit

SETUPS = list(product(Party, (False, True), Consent, (False, True)))
PERMIT = Permit("customer", Party.CUSTOMER, True, Consent.GRANTED)


def may_be_scored(party: Party, informed: bool, consent: Consent, testing: bool) -> bool:
    """The law, once more and in other words."""
    if party is not Party.CUSTOMER and not (party is Party.MIXED and testing):
        return False
    return informed and consent is Consent.GRANTED


@pytest.mark.parametrize(
    ("party", "informed", "consent", "testing", "answer"),
    [
        (Party.CUSTOMER, True, Consent.PENDING, False, NotScored.CONSENT_PENDING),
        (Party.CUSTOMER, True, Consent.REFUSED, False, NotScored.CONSENT_REFUSED),
        (Party.CUSTOMER, True, Consent.WITHDRAWN, False, NotScored.CONSENT_WITHDRAWN),
        (Party.CUSTOMER, False, Consent.GRANTED, False, NotScored.NOT_DISCLOSED),
        # The first reason counts: who it is, then what he was told, then what he said.
        (Party.CUSTOMER, False, Consent.REFUSED, False, NotScored.NOT_DISCLOSED),
        (Party.AGENT, False, Consent.REFUSED, False, NotScored.NOT_A_CUSTOMER),
        (Party.AGENT, True, Consent.GRANTED, False, NotScored.NOT_A_CUSTOMER),
        (Party.AGENT, True, Consent.GRANTED, True, NotScored.NOT_A_CUSTOMER),
        (Party.BOT, True, Consent.GRANTED, True, NotScored.NOT_A_CUSTOMER),
        (Party.SUPERVISOR, True, Consent.GRANTED, True, NotScored.NOT_A_CUSTOMER),
        (Party.UNSPECIFIED, True, Consent.GRANTED, True, NotScored.NOT_A_CUSTOMER),
        (Party.MIXED, True, Consent.GRANTED, False, NotScored.PARTIES_MIXED),
        (Party.MIXED, False, Consent.REFUSED, False, NotScored.PARTIES_MIXED),
        (Party.MIXED, False, Consent.GRANTED, True, NotScored.NOT_DISCLOSED),
        (Party.MIXED, True, Consent.REFUSED, True, NotScored.CONSENT_REFUSED),
    ],
)
def test_the_first_reason_against_it(
    party: Party, informed: bool, consent: Consent, testing: bool, answer: NotScored
) -> None:
    assert decide("leg", party, informed, consent, testing) is answer


@pytest.mark.parametrize(("party", "testing"), [(Party.CUSTOMER, False), (Party.MIXED, True)])
def test_a_permit_says_what_it_rests_on(party: Party, testing: bool) -> None:
    permit = decide("leg", party, True, Consent.GRANTED, testing)
    assert permit == Permit("leg", party, True, Consent.GRANTED, testing)


def test_mixed_legs_need_the_flag_said_aloud() -> None:
    assert decide("leg", Party.MIXED, True, Consent.GRANTED) is NotScored.PARTIES_MIXED


@pytest.mark.parametrize(("party", "informed", "consent", "testing"), SETUPS)
def test_the_whole_table(party: Party, informed: bool, consent: Consent, testing: bool) -> None:
    answer = decide("leg", party, informed, consent, testing)
    lawful = may_be_scored(party, informed, consent, testing)
    assert isinstance(answer, Permit if lawful else NotScored)


@pytest.mark.parametrize(("party", "informed", "consent", "testing"), SETUPS)
def test_no_permit_can_be_made_by_hand_either(
    party: Party, informed: bool, consent: Consent, testing: bool
) -> None:
    if may_be_scored(party, informed, consent, testing):
        assert Permit("leg", party, informed, consent, testing).leg == "leg"
    else:
        with pytest.raises(ScoringForbidden):
            Permit("leg", party, informed, consent, testing)


def test_a_hundred_thousand_set_ups() -> None:
    random = Random(0)
    parties, consents, flags = list(Party), list(Consent), (False, True)
    permits = 0
    for number in range(100_000):
        party, consent = random.choice(parties), random.choice(consents)
        informed, testing = random.choice(flags), random.choice(flags)
        answer = decide(str(number), party, informed, consent, testing)
        assert isinstance(answer, Permit) == may_be_scored(party, informed, consent, testing)
        if isinstance(answer, Permit):
            assert (answer.leg, answer.party) == (str(number), party)
            assert answer.disclosure_given is True
            assert answer.consent is Consent.GRANTED
            permits += 1
    # One in 16 is a lawful customer, half as many are mixed legs under test.
    assert permits == pytest.approx(100_000 / 6 / 2 / 4 * 1.5, rel=0.05)


def test_a_permit_is_not_changed_into_another() -> None:
    for change in ({"party": Party.AGENT}, {"consent": Consent.WITHDRAWN}, {"party": Party.MIXED}):
        with pytest.raises(ScoringForbidden):
            replace(PERMIT, **change)
    with pytest.raises(ScoringForbidden):
        replace(PERMIT, disclosure_given=False)
    with pytest.raises(FrozenInstanceError):
        PERMIT.party = Party.AGENT  # type: ignore[misc]


def test_copies_of_a_permit_are_the_same_permit() -> None:
    assert copy.deepcopy(PERMIT) == pickle.loads(pickle.dumps(PERMIT)) == PERMIT
