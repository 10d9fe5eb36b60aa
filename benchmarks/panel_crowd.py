"""Many made-up calls at once, for the wall: who sounds how, and what changes each second."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import panel_calls
from benchmarks.panel_stage import Stage, Told
from emotion_service.v1 import emotion_service_pb2 as pb

QUEUES = ("billing", "contracts", "faults", "sales")
STATES = ("NEUTRAL", "HAPPY", "INSUFFICIENT_EVIDENCE", "DISTRESSED", "AGITATED")
SHARES = (0.55, 0.17, 0.13, 0.06, 0.09)  # how often each is what comes next
AROUSAL = {"NEUTRAL": 0.35, "HAPPY": 0.6, "DISTRESSED": 0.2, "AGITATED": 0.85}
REASONS = {"AGITATED": ("pitch", "pace", "brightness"), "DISTRESSED": ("reply_delay",)}
TREND_SECONDS = 5
CHANGES = 0.05  # share of the calls whose state changes in a second
UPDATES = 0.3  # and of those that hear more of the state they are in


class Crowd:
    """`count` calls on the stage, the same for the same seed; `second()` is one second of all."""

    def __init__(self, stage: Stage, count: int, seed: int = 0) -> None:
        self._stage = stage
        self._random = np.random.default_rng(seed)
        self._calls = [
            MadeUpCall(f"c-{1000 + i}", QUEUES[i % 4], f"a-{i % 97:02d}", self._random)
            for i in range(count)
        ]

    def open(self, history: int = 300) -> None:
        """All calls begin, with `history` seconds behind them: their states first."""
        for call in self._calls:
            self._stage.open(call.state())
        for ago in range(history, -1, -TREND_SECONDS):
            self._stage.tell(*(call.trend(ago) for call in self._calls))

    def second(self) -> int:
        """What the calls tell in a second; how many events that is."""
        told = [event for call in self._calls for event in call.second()]
        self._stage.tell(*told)
        return len(told)


class MadeUpCall:
    """One call of the crowd."""

    def __init__(
        self, call_id: str, queue: str, agent_id: str, random: np.random.Generator
    ) -> None:
        self.id = call_id
        self._queue, self._agent = queue, agent_id
        self._random = random
        self._now = float(random.integers(60, 900))
        self._scored = bool(random.random() < 0.94)
        self._sequence = 0
        self._mood = "NEUTRAL"
        self._since = self._now
        self._arousal = 0.4
        self._kind = str(random.choice(("URGENT", "CURT")))
        self._stands_out = False
        self._share = float(random.uniform(0.3, 0.7))

    def state(self) -> pb.CallState:
        """As a snapshot tells it."""
        reason = "" if self._scored else "CONSENT_REFUSED"
        state = panel_calls.live(self.id, self._now, self._queue, self._agent, reason)
        if self._scored:
            state.legs[0].cue.CopyFrom(self._turn())
            self._since = self._now * float(self._random.uniform(0.4, 0.98))
            state.legs[0].cue.start_offset.CopyFrom(panel_calls.at(self._since))
            if self._mood == "AGITATED":
                state.advice.append(panel_calls.advice(self.id, self._now, self._now + 3600))
            if self._random.random() < 0.1:
                state.legs[0].further.append(self._manner("ONSET"))
        return state

    def second(self) -> Iterator[Told]:
        """A second passes."""
        self._now += 1.0
        if int(self._now) % TREND_SECONDS == 0:
            yield self.trend(0)
        if not self._scored:
            return
        chance = self._random.random()
        if chance < CHANGES:
            yield self._turn()
        elif chance < CHANGES + UPDATES:
            yield self._cue("UPDATE")
        if self._random.random() < 0.02:
            yield self._manner("OFFSET" if self._stands_out else "ONSET")

    def trend(self, ago: int) -> pb.Trend:
        """As it was so many seconds ago."""
        drift = 0.3 * (AROUSAL.get(self._mood, 0.4) - self._arousal) + self._random.normal(0, 0.06)
        self._arousal = float(np.clip(self._arousal + drift, 0.05, 0.95))
        known = self._scored and self._mood != "INSUFFICIENT_EVIDENCE"
        return panel_calls.trend(
            self.id, max(0.0, self._now - ago), self._arousal if known else None, self._share
        )

    def _turn(self) -> pb.Cue:
        """To some state, perhaps the same."""
        self._mood = str(self._random.choice(STATES, p=SHARES))
        self._since = self._now
        return self._cue("ONSET")

    def _cue(self, phase: str) -> pb.Cue:
        self._sequence += 1
        unknown = self._mood == "INSUFFICIENT_EVIDENCE"
        return panel_calls.cue(
            self.id,
            self._mood,
            self._now,
            start=self._since,
            sequence=self._sequence,
            phase=phase,
            confidence=0.0 if unknown else float(self._random.uniform(0.5, 0.95)),
            abstain="AMBIGUOUS" if unknown else "UNSPECIFIED",
            reasons=REASONS.get(self._mood, ()),
        )

    def _manner(self, phase: str) -> pb.Cue:
        self._stands_out = phase == "ONSET"
        self._sequence += 1
        return panel_calls.cue(
            self.id,
            self._kind,
            self._now,
            sequence=self._sequence,
            phase=phase,
            index=0.7,
            reasons=("pace", "reply_delay"),
        )
