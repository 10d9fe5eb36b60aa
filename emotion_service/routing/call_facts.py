"""One call as conditions see it: what has been told of it, up to a time.

The figures of the customer are of one leg: the first declared of those that are scored.
"""

from __future__ import annotations

from collections import Counter

from emotion_service.types import (
    INFERRED_CUES,
    STATES,
    CallConfig,
    Cue,
    CueKind,
    CuePhase,
    LegTrend,
    Party,
    Trend,
)


class CallFacts:
    """One call as far as it has been told, in the order of its time. Times are in samples."""

    def __init__(self, config: CallConfig) -> None:
        self.tenant, self.queue, self.agent_id = config.tenant, config.queue, config.agent_id
        self.ivr_step = ""
        self.attributes = dict(config.attributes)
        self.counts: Counter[tuple[CueKind, Party]] = Counter()
        self.talk_overs_on_bot = 0  # by the customer
        self.scored = False
        self.customer: str | None = None  # the leg that stands for the customer, if one is scored
        self._parties = {leg.leg: leg.party for leg in config.legs}
        self._permitted: set[str] = set()
        self._lasting: dict[tuple[str, CueKind], Cue] = {}
        self._states: dict[str, Cue] = {}
        self._trends: dict[str, LegTrend] = {}
        self._in_queue = bool(config.queue) and Party.BOT not in self._parties.values()
        self._agent_speaks = False
        self._waited = 0
        self._alone_since: int | None = None if self.agent_id else 0

    # --- what is told ---

    def note(self, event: Cue | Trend) -> None:
        """An event, told in its turn."""
        if isinstance(event, Trend):
            self._trends = {leg.leg: leg for leg in event.legs}
        elif event.kind in STATES:
            self._note_state(event)
        else:
            self._note_lasting(event)

    def allow(self, leg: str) -> None:
        """From now on the leg is scored."""
        self._permitted.add(leg)
        self._choose()

    def forget(self, leg: str) -> None:
        """The leg is no longer scored: nothing that was inferred from it is known any more."""
        self._permitted.discard(leg)
        self._choose()
        self._states.pop(leg, None)
        for kind in INFERRED_CUES:
            self._lasting.pop((leg, kind), None)
        if leg in self._trends:
            self._trends[leg] = LegTrend(leg, self._trends[leg].talk_share)

    def recount(self) -> None:
        """Whether anybody is scored, once the time has come to say so."""
        self.scored = bool(self._permitted)

    def change(self, at: int, name: str, value: str) -> None:
        """`name` is agent_id, queue or ivr_step."""
        if name == "agent_id":
            self.agent_id, self._agent_speaks = value, False
            self._attend(at)
        elif name == "queue":
            self.queue, self._in_queue = value, bool(value)
        else:
            self.ivr_step, self._in_queue = value, self._in_queue and not value

    def meet(self, at: int) -> None:
        """An agent begins to speak."""
        self._agent_speaks = True
        self._attend(at)

    def become(self, leg: str, party: Party) -> None:
        """From now on somebody else speaks on the leg."""
        self._parties[leg] = party

    def _choose(self) -> None:
        self.customer = next((leg for leg in self._parties if leg in self._permitted), None)

    def _attend(self, at: int) -> None:
        if self.agent_there and self._alone_since is not None:
            self._waited += at - self._alone_since
            self._alone_since = None
        elif not self.agent_there and self._alone_since is None:
            self._alone_since = at

    def _note_state(self, cue: Cue) -> None:
        if cue.phase is CuePhase.OFFSET:
            self._states.pop(cue.leg, None)
        else:
            self._states[cue.leg] = cue

    def _note_lasting(self, cue: Cue) -> None:
        if cue.phase is CuePhase.ONSET:
            party = self._parties.get(cue.leg, Party.UNSPECIFIED)
            self.counts[cue.kind, party] += 1
            if (cue.kind, party, self.phase) == (CueKind.TALK_OVER, Party.CUSTOMER, "ivr"):
                self.talk_overs_on_bot += 1
        if cue.phase is CuePhase.OFFSET:
            self._lasting.pop((cue.leg, cue.kind), None)
        else:
            self._lasting[cue.leg, cue.kind] = cue

    # --- what is asked ---

    @property
    def agent_there(self) -> bool:
        return bool(self.agent_id) or self._agent_speaks

    @property
    def phase(self) -> str:
        if self.agent_there:
            return "agent"
        if self._in_queue:
            return "queue"
        return "ivr" if self.ivr_step or Party.BOT in self._parties.values() else ""

    @property
    def state(self) -> Cue | None:
        return self._states.get(self.customer or "")

    @property
    def trend(self) -> LegTrend:
        return self._trends.get(self.customer or "", LegTrend("", 0.0))

    def waited(self, at: int) -> int:
        """Samples without an agent."""
        return self._waited + (0 if self._alone_since is None else at - self._alone_since)

    def customers(self, kind: CueKind) -> Cue | None:
        """A cue that lasts on the customer's leg."""
        return self._lasting.get((self.customer or "", kind))

    def lasting(self, kind: CueKind, party: Party | None = None) -> Cue | None:
        """The earliest cue of this kind that lasts on a leg of the party, or on any."""
        cues = [
            cue
            for (leg, of), cue in self._lasting.items()
            if of is kind and party in (None, self._parties.get(leg))
        ]
        return min(cues, key=lambda cue: cue.start, default=None)

    def talk_share(self, party: Party) -> float:
        """Of all speech up to the latest trend."""
        legs = self._trends.values()
        return sum((leg.talk_share for leg in legs if self._parties.get(leg.leg) is party), 0.0)
