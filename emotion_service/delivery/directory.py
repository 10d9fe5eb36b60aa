"""The calls of a process, live and recently ended, and what is remembered of their contacts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from emotion_service.delivery.contacts import Contact, Contacts
from emotion_service.delivery.forgetting import without_moods
from emotion_service.delivery.notice import Address, CallState, HandOver
from emotion_service.errors import BadInput
from emotion_service.types import NO_TEXT, CallSummary, Cue, CueKind, CuePhase, Feedback, Text

ENDED_CALLS = 1_000
CALL_FEEDBACK = 32  # the latest, kept of a call


@dataclass(slots=True)
class LiveCall:
    """A call that is being streamed: where it is now, how to ask for its state, how to tell it
    that its customer objects, and how to ask for its hand-over. That takes a while to write, so it
    is no part of the state, of which a snapshot asks hundreds."""

    address: Address
    contact_id: str
    budget_ms: int
    describe: Callable[[], CallState]
    object: Callable[[], None]
    hand_over: Callable[[], Text] = lambda: NO_TEXT
    feedback: deque[Feedback] = field(default_factory=lambda: deque(maxlen=CALL_FEEDBACK))
    _sequences: dict[tuple[str, CueKind], int] = field(default_factory=dict)  # of the latest cues

    @property
    def contact(self) -> Contact:
        return self.address.tenant, self.contact_id

    def note(self, cue: Cue) -> None:
        """What was said of a cue is said of its update too: a snapshot has only the latest."""
        key = cue.leg, cue.kind
        before = self._sequences.get(key)
        self._sequences[key] = cue.sequence
        if cue.phase is CuePhase.UPDATE:
            for place, given in enumerate(self.feedback):
                if given.cue_sequence == before:
                    self.feedback[place] = replace(given, cue_sequence=cue.sequence)


class Directory:
    """Finds calls, and knows what their customers have said about being scored."""

    def __init__(self) -> None:
        self._live: dict[str, LiveCall] = {}
        self._ended: dict[str, CallState] = {}
        self._contacts = Contacts()

    def __len__(self) -> int:
        """How many are live."""
        return len(self._live)

    # --- how they come and go ---

    def open(self, call: LiveCall) -> None:
        """A call begins.

        Raises:
            BadInput: CALL_ID_IN_USE.
        """
        call_id = call.address.call_id
        if call_id in self._live:
            raise BadInput(
                "CALL_ID_IN_USE",
                "a call with this call_id is live: end its stream first, or choose another call_id",
            )
        self._ended.pop(call_id, None)
        self._live[call_id] = call

    def end(self, call_id: str, summary: CallSummary) -> LiveCall:
        """It is over; its state and summary stay a while, its hand-over with the contact."""
        call = self._live.pop(call_id)
        self._ended[call_id] = replace(
            self.state(call), live=False, summary=summary, hand_over=summary.hand_over
        )
        if len(self._ended) > ENDED_CALLS:
            del self._ended[next(iter(self._ended))]
        self._contacts.ended(call.contact, HandOver(call_id, summary.hand_over))
        return call

    def drop(self, call_id: str) -> LiveCall:
        """It broke off, and nothing of it is kept."""
        return self._live.pop(call_id)

    # --- who asks ---

    def live(self, call_id: str) -> LiveCall:
        """A call that is being streamed.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        if call_id not in self._live:
            raise _unknown("live")
        return self._live[call_id]

    def call(self, call_id: str) -> CallState:
        """A live or recently ended call, as it stands or ended.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        if call_id in self._live:
            call = self._live[call_id]
            return replace(self.state(call), hand_over=call.hand_over())
        if call_id in self._ended:
            return self._ended[call_id]
        raise _unknown(f"live or among the last {ENDED_CALLS} that ended")

    def state(self, call: LiveCall) -> CallState:
        """A call as it stands, with what others have said of it and of its contact."""
        earlier = self._contacts.earlier(call.contact)
        return replace(call.describe(), earlier=earlier, feedback=tuple(call.feedback))

    def matching(self, wanted: Address) -> list[LiveCall]:
        """The live calls that a filter admits."""
        return [call for call in self._live.values() if wanted.admits(call.address)]

    def of(self, contact: Contact) -> list[LiveCall]:
        """The live calls of a contact."""
        return [call for call in self._live.values() if call.contact == contact]

    # --- who objects ---

    def object(self, call_id: str) -> bool:
        """The customer of a live or recently ended call objects, for all calls of this contact:
        those that are live are told, of ended ones the moods are forgotten. Whether it is new.

        Raises:
            BadInput: CALL_UNKNOWN.
        """
        state = self.call(call_id)
        contact = state.address.tenant, state.contact_id
        if self._contacts.objects(contact):
            return False
        self._contacts.object(contact)
        for call in self.of(contact):
            call.object()
        for ended in self._ended.values():
            if (ended.address.tenant, ended.contact_id) == contact:
                self._ended[ended.address.call_id] = without_moods(ended)
        return True

    def objects(self, contact: Contact) -> bool:
        """Whether the contact has objected, on whatever call."""
        return self._contacts.objects(contact)


def _unknown(expected: str) -> BadInput:
    return BadInput(
        "CALL_UNKNOWN",
        f"no call with this call_id is {expected}: check the call_id, and that its stream goes to "
        "this server",
    )
