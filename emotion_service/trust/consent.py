"""Whether a leg may be scored: the one place that decides, fail-closed."""

from __future__ import annotations

from emotion_service.types import Consent, NotScored, Party, Permit

CONSENT_REFUSALS = {
    Consent.PENDING: NotScored.CONSENT_PENDING,
    Consent.REFUSED: NotScored.CONSENT_REFUSED,
    Consent.WITHDRAWN: NotScored.CONSENT_WITHDRAWN,
}


def decide(
    leg: str,
    party: Party,
    disclosure_given: bool,
    consent: Consent,
    mixed_for_testing: bool = False,
) -> Permit | NotScored:
    """A permit for the leg, or the first reason against one."""
    if party is Party.MIXED and not mixed_for_testing:
        return NotScored.PARTIES_MIXED
    if party not in (Party.CUSTOMER, Party.MIXED):
        return NotScored.NOT_A_CUSTOMER
    if not disclosure_given:
        return NotScored.NOT_DISCLOSED
    if consent is not Consent.GRANTED:
        return CONSENT_REFUSALS[consent]
    return Permit(leg, party, disclosure_given, consent, mixed_for_testing)
