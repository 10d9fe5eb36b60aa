"""What is remembered across calls, for how long, and what an objection does to it."""

from __future__ import annotations

import pytest

from emotion_service.delivery import contacts as contacts_module
from emotion_service.delivery.contacts import Contacts
from emotion_service.delivery.notice import HandOver
from emotion_service.types import NO_TEXT, Text

ANN, BOB, CAT = ("acme", "ann"), ("acme", "bob"), ("acme", "cat")


def hand_over(call_id: str) -> HandOver:
    return HandOver(call_id, Text(f"of {call_id}", f"von {call_id}"))


def test_the_last_eight_hand_overs_of_a_contact_stay_the_latest_last() -> None:
    contacts = Contacts()
    for number in range(10):
        contacts.ended(ANN, hand_over(str(number)))
    contacts.ended(BOB, hand_over("b"))
    assert [earlier.call_id for earlier in contacts.earlier(ANN)] == [*"23456789"]
    assert contacts.earlier(BOB) == (hand_over("b"),)
    assert contacts.earlier(CAT) == ()


def test_a_call_without_a_text_leaves_nothing() -> None:
    contacts = Contacts()
    contacts.ended(ANN, HandOver("silent", NO_TEXT))
    assert contacts.earlier(ANN) == ()


def test_the_same_contact_id_of_another_tenant_is_somebody_else() -> None:
    contacts = Contacts()
    contacts.ended(ANN, hand_over("one"))
    contacts.object(("other", "ann"))
    assert contacts.earlier(("other", "ann")) == ()
    assert contacts.earlier(ANN) == (hand_over("one"),)
    assert not contacts.objects(ANN)


def test_an_objection_wipes_what_there_is_and_keeps_out_what_comes() -> None:
    contacts = Contacts()
    contacts.ended(ANN, hand_over("one"))
    contacts.ended(BOB, hand_over("two"))
    for _ in range(2):
        contacts.object(ANN)
        contacts.ended(ANN, hand_over("three"))
        assert (contacts.objects(ANN), contacts.earlier(ANN)) == (True, ())
    assert (contacts.objects(BOB), contacts.earlier(BOB)) == (False, (hand_over("two"),))


def test_of_too_many_contacts_the_longest_untouched_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts_module, "CONTACTS", 2)
    contacts = Contacts()
    for contact in (ANN, BOB, ANN, CAT):
        contacts.ended(contact, hand_over(contact[1]))
    kept = [contact for contact in (ANN, BOB, CAT) if contacts.earlier(contact)]
    assert kept == [ANN, CAT]


def test_hand_overs_never_drive_an_objection_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts_module, "CONTACTS", 1)
    monkeypatch.setattr(contacts_module, "OBJECTORS", 2)
    contacts = Contacts()
    contacts.object(ANN)
    contacts.object(BOB)
    for contact in (("acme", str(number)) for number in range(5)):
        contacts.ended(contact, hand_over("x"))
    assert contacts.objects(ANN) and contacts.objects(BOB)
    contacts.object(ANN)  # said again: BOB's is the oldest now
    contacts.object(CAT)
    assert [contacts.objects(contact) for contact in (ANN, BOB, CAT)] == [True, False, True]
