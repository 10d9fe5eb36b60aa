"""What a process remembers of the people who call, across calls: hand-overs, and who objected.

In memory only, and bounded: another process, or this one started again, knows nothing of it.
"""

from __future__ import annotations

from typing import TypeAlias

from emotion_service.delivery.notice import HandOver

HAND_OVERS = 8  # of one contact
CONTACTS = 10_000  # with hand-overs
OBJECTORS = 100_000  # kept apart, so that no hand-over drives an objection out

Contact: TypeAlias = tuple[str, str]  # tenant and contact_id: the same id elsewhere is another


class Contacts:
    """By contact; of each kind the one that was longest untouched goes first."""

    def __init__(self) -> None:
        self._hand_overs: dict[Contact, tuple[HandOver, ...]] = {}
        self._objectors: dict[Contact, None] = {}

    def earlier(self, contact: Contact) -> tuple[HandOver, ...]:
        """Of its ended calls, the latest last."""
        return self._hand_overs.get(contact, ())

    def ended(self, contact: Contact, hand_over: HandOver) -> None:
        """A call of the contact has ended; of one that objects no text is kept."""
        if not hand_over.text.english or self.objects(contact):
            return
        others = self._hand_overs.pop(contact, ())
        self._hand_overs[contact] = (*others, hand_over)[-HAND_OVERS:]
        if len(self._hand_overs) > CONTACTS:
            del self._hand_overs[next(iter(self._hand_overs))]

    def objects(self, contact: Contact) -> bool:
        """Whether it has objected."""
        return contact in self._objectors

    def object(self, contact: Contact) -> None:
        """It objects: what is kept of its calls is forgotten too. Idempotent."""
        self._hand_overs.pop(contact, None)
        self._objectors.pop(contact, None)
        self._objectors[contact] = None
        if len(self._objectors) > OBJECTORS:
            del self._objectors[next(iter(self._objectors))]
