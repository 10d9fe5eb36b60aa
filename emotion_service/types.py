"""The path of a frame, type by type: read this file from top to bottom and you have the tour.

Time is an integer count of 8 kHz samples since the call began, everywhere. Frames sit on an
absolute grid of 80 samples (10 ms), blocks (voice activity) on one of 160 (20 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from emotion_service.errors import ScoringForbidden

FloatArray: TypeAlias = npt.NDArray[np.float32]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

SAMPLE_RATE_HERTZ = 8000  # what telephones deliver; everything else is resampled at the door
HOP = 80  # samples a feature frame
BLOCK = 160  # samples a decision of level, voice activity and sound gate


def seconds(samples: int) -> float:
    """Samples of the core's clock in seconds."""
    return samples / SAMPLE_RATE_HERTZ


# --- what a call declares ---------------------------------------------------------------------


class Party(Enum):
    """Who speaks on a leg. Only the customer is ever scored."""

    UNSPECIFIED = auto()
    CUSTOMER = auto()
    AGENT = auto()
    BOT = auto()
    SUPERVISOR = auto()
    MIXED = auto()


class Consent(Enum):
    """The customer's answer to being asked."""

    PENDING = auto()
    GRANTED = auto()
    REFUSED = auto()
    WITHDRAWN = auto()


class Pacing(Enum):
    """LIVE audio is always read and may skip windows; RECORDED is held back and skips nothing."""

    LIVE = auto()
    RECORDED = auto()


class NotScored(Enum):
    """Why a leg never reaches the emotion model."""

    NOT_A_CUSTOMER = auto()
    NOT_DISCLOSED = auto()
    CONSENT_PENDING = auto()
    CONSENT_REFUSED = auto()
    CONSENT_WITHDRAWN = auto()
    PARTIES_MIXED = auto()


class LineState(Enum):
    """On hold or muted, a leg's audio keeps its place in time but is not analysed."""

    OPEN = auto()
    ON_HOLD = auto()
    MUTED = auto()


class EndReason(Enum):
    UNSPECIFIED = auto()
    COMPLETED = auto()
    TRANSFERRED = auto()
    ABANDONED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class LegConfig:
    """One leg as declared. `encoding` is a media type of `audio.codecs.DECODERS`."""

    leg: str
    party: Party
    encoding: str
    sample_rate_hertz: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class CallConfig:
    """One call as declared by its first message."""

    call_id: str
    legs: tuple[LegConfig, ...]
    contact_id: str = ""
    tenant: str = ""
    queue: str = ""
    agent_id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    latency_budget_ms: int = 300
    pacing: Pacing = Pacing.LIVE
    disclosure_given: bool = False
    consent: Consent = Consent.PENDING
    allow_mixed_for_testing: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """The only key to the emotion model: a leg of an informed customer who has agreed.

    Raises:
        ScoringForbidden: for every other leg; there is no other way to construct one.
    """

    leg: str
    party: Party
    disclosure_given: bool
    consent: Consent
    mixed_for_testing: bool = False

    def __post_init__(self) -> None:
        mixed = self.party is Party.MIXED and self.mixed_for_testing
        if not (self.party is Party.CUSTOMER or mixed):
            raise ScoringForbidden(NotScored.NOT_A_CUSTOMER.name)
        if not self.disclosure_given or self.consent is not Consent.GRANTED:
            raise ScoringForbidden(NotScored.CONSENT_PENDING.name)


# --- hop 1: any protocol to samples -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """A platform's message: bytes of one leg (or of all, interleaved, when `leg` is empty).

    `offset_seconds` places its first sample; without it `sequence` does; without both it
    follows on.
    """

    leg: str
    data: bytes
    offset_seconds: float | None = None
    sequence: int | None = None


# --- hop 2: samples to voice ------------------------------------------------------------------


class Sound(Enum):
    """What a leg carries; noise counts as silence."""

    SILENCE = auto()
    SPEECH = auto()
    MUSIC = auto()
    TONE = auto()


@dataclass(frozen=True, slots=True)
class VoicedAudio:
    """Audio with a voice mask.

    `samples` is float32 (n,), the first at `start` (a multiple of HOP). `voice` is bool, one
    entry per whole frame that ends at `start + n`; samples before those frames are context.
    """

    leg: str
    start: int
    samples: FloatArray
    voice: BoolArray

    @property
    def end(self) -> int:
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class SpeechActivity:
    """From `start` on the leg carries `sound`; the audio that settled it ends at `decided`."""

    leg: str
    sequence: int
    sound: Sound
    start: int
    decided: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Syllable nuclei heard on a leg in [start, end), of which `speech` samples were speech. From
    the level alone: turn-taking, for all legs."""

    leg: str
    start: int
    end: int
    syllables: int
    speech: int


# --- hop 3: voice to features -----------------------------------------------------------------

FEATURE_VERSION = "2"  # a change of any feature's value changes this; models are made for one
MEL_BANDS = 40
FEATURE_NAMES = (
    *(f"log_mel_{i:02d}" for i in range(MEL_BANDS)),
    "energy_db",
    "log_f0",
    "harmonicity",
    "tilt_db_octave",
    "log_centroid",
    "flux",
    "jitter",
    "shimmer_db",
)
ENERGY, LOG_F0, HARMONICITY, TILT, CENTROID, FLUX, JITTER, SHIMMER = range(
    MEL_BANDS, len(FEATURE_NAMES)
)


@dataclass(frozen=True, slots=True)
class FeatureFrames:
    """`values` is float32 (t, len(FEATURE_NAMES)), zeros where there is no voice; `voice` is bool
    (t,). Frame i starts at `start + i * HOP`."""

    start: int
    values: FloatArray
    voice: BoolArray

    @property
    def end(self) -> int:
        return self.start + len(self.voice) * HOP


@dataclass(frozen=True, slots=True)
class Prosody:
    """What a listener would say of a window: means over its voiced frames.

    `speech` is in samples; the others are unset (None) where nothing was voiced.
    """

    speech: int
    pitch: float | None  # ln Hz
    pitch_range: float | None  # semitones, standard deviation
    pace: float  # syllables a second of speech
    tilt: float | None  # dB an octave, 300-3400 Hz; nearer 0 is brighter, harsher
    roughness: float | None  # mean |change of ln F0| from frame to frame, per cent


# --- hop 4: features to scores ----------------------------------------------------------------


class Abstain(Enum):
    """Why a score or cue claims nothing."""

    TOO_LITTLE_SPEECH = auto()
    OVERLOADED = auto()
    AUDIO_LOST = auto()
    AMBIGUOUS = auto()
    NON_SPEECH = auto()


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Of each emotion, given that what is heard is speech: calibrated, summing to 1."""

    anger: float
    happiness: float
    sadness: float
    neutral: float


@dataclass(frozen=True, slots=True)
class Indices:
    """Weighted sums of the probabilities in 0..1, weights in model.json: no labels behind them."""

    arousal: float
    valence: float


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature of a window against the speaker's own baseline.

    `shift` is (value - baseline) in standard deviations of the training speech. `own_baseline`
    is false while the baseline is mostly a typical speaker's.
    """

    feature: str
    value: float
    baseline: float
    unit: str
    shift: float
    own_baseline: bool
    text: str


@dataclass(frozen=True, slots=True)
class Quality:
    """What the window's audio was like; fractions of the window in 0..1."""

    lost_fraction: float = 0.0
    clipped_fraction: float = 0.0
    skipped_windows: int = 0


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The model's opinion of [start, end) of a permitted leg; none when `abstain` is set.

    `non_speech` is the probability that what is heard is no speech; None when the model was not
    asked. Where it is the largest of all, the score abstains. `reasons` has the quantities that are
    notably off the speaker's own baseline; `shifts`, which only cues are shown, has all of them.
    """

    permit: Permit
    sequence: int
    start: int
    end: int
    evidence: int  # samples of speech in the window
    quality: Quality
    model_version: str
    probabilities: Probabilities | None
    indices: Indices | None
    provisional: bool
    abstain: Abstain | None
    reasons: tuple[Reason, ...]
    non_speech: float | None = None
    shifts: tuple[Reason, ...] = ()

    @property
    def leg(self) -> str:
        return self.permit.leg

    @property
    def confidence(self) -> float:
        p = self.probabilities
        return 0.0 if p is None else max(p.anger, p.happiness, p.sadness, p.neutral)


# --- hop 5: scores to cues --------------------------------------------------------------------


class CueKind(Enum):
    HAPPY = auto()
    AGITATED = auto()
    DISTRESSED = auto()
    NEUTRAL = auto()
    INSUFFICIENT_EVIDENCE = auto()
    TALK_OVER = auto()
    URGENT = auto()
    CURT = auto()
    DEAD_AIR = auto()
    SLOW_REPLY = auto()
    MONOLOGUE = auto()
    FAST_PACE = auto()


STATES = (
    CueKind.HAPPY,
    CueKind.AGITATED,
    CueKind.DISTRESSED,
    CueKind.NEUTRAL,
    CueKind.INSUFFICIENT_EVIDENCE,
)  # of which a scored leg has exactly one at any time; all other cues may last beside it
MANNERS = (CueKind.URGENT, CueKind.CURT)
INFERRED_CUES = (*STATES, *MANNERS)  # from the customer's voice; all others rest on who speaks when


class CuePhase(Enum):
    ONSET = auto()
    UPDATE = auto()
    OFFSET = auto()


@dataclass(frozen=True, slots=True)
class Cue:
    """Something to act on. `start`: where the state began; `end`: up to where it is known, or
    where it ended; the audio that settled it ends at `decided`.

    URGENT and CURT have an `index` in 0..1, which is no probability; `reasons` are its components.
    """

    leg: str
    sequence: int
    kind: CueKind
    phase: CuePhase
    start: int
    end: int
    decided: int
    confidence: float
    evidence: int  # samples of speech it rests on
    abstain: Abstain | None = None
    reasons: tuple[Reason, ...] = ()
    quality: Quality = Quality()
    model_version: str = ""
    index: float | None = None


@dataclass(frozen=True, slots=True)
class LegTrend:
    """A leg at some time: its share of all legs' speech so far; of a scored one, of late, also
    indices in 0..1 and the change of arousal a minute. None while nothing is known."""

    leg: str
    talk_share: float
    arousal: float | None = None
    valence: float | None = None
    arousal_slope: float | None = None
    urgency: float | None = None
    curtness: float | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """Where the call stands at `at`."""

    at: int
    legs: tuple[LegTrend, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    english: str
    german: str


NO_TEXT = Text("", "")


# --- hop 6: cues to advice --------------------------------------------------------------------


class AdviceAction(Enum):
    """What a rule can advise: nothing that would put a customer at a disadvantage."""

    RAISE_PRIORITY = auto()
    REQUIRE_SKILL = auto()
    PREFER_SKILL = auto()
    OFFER_CALLBACK = auto()
    ALERT_SUPERVISOR = auto()
    HAND_OVER_TO_PERSON = auto()


class AdvicePhase(Enum):
    GIVEN = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Advice:
    """What a rule advises from `at` on, until `expires` unless it is given again.

    `skill` is empty but for REQUIRE_SKILL and PREFER_SKILL.
    """

    sequence: int
    rule: str
    phase: AdvicePhase
    action: AdviceAction
    skill: str
    at: int
    expires: int
    reason: Text
    rules_sha256: str


# --- beside the path: what a call says of itself ----------------------------------------------


@dataclass(frozen=True, slots=True)
class Placement:
    """What happened to a leg's audio on its way here; lengths in samples, the rest counts."""

    received: int = 0
    gaps: int = 0
    lost: int = 0
    overlaps: int = 0
    duplicates: int = 0
    reordered: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class ScoringStatus:
    """Said once at the start and at each change: whether and why not a leg is scored."""

    leg: str
    reason: NotScored | None


@dataclass(frozen=True, slots=True)
class StateTime:
    leg: str
    kind: CueKind
    episodes: int
    total: int  # samples


@dataclass(frozen=True, slots=True)
class LegSummary:
    leg: str
    party: Party
    speech: int  # samples
    talk_share: float
    scores: int
    abstained: int
    skipped_windows: int
    not_scored: NotScored | None
    placement: Placement


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """Where a scored leg went from one state to another for good."""

    leg: str
    at: int
    before: CueKind
    after: CueKind


@dataclass(frozen=True, slots=True)
class CallSummary:
    """`states` of the scored legs; `turns`: every other kind of cue."""

    duration: int  # samples
    end_reason: EndReason
    legs: tuple[LegSummary, ...]
    states: tuple[StateTime, ...]
    talk_overs: int
    model_version: str
    turns: tuple[StateTime, ...] = ()
    turning_points: tuple[TurningPoint, ...] = ()
    hand_over: Text = NO_TEXT


CallEvent: TypeAlias = (
    ScoringStatus | SpeechActivity | EmotionScore | Cue | Trend | Advice | CallSummary
)


class Verdict(Enum):
    """What a person thinks of a cue."""

    DISMISSED = auto()
    WRONG = auto()
    RIGHT = auto()


@dataclass(frozen=True, slots=True)
class Feedback:
    """On the cue of that number among the call's."""

    cue_sequence: int
    verdict: Verdict


# --- what may change during a call ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsentChange:
    consent: Consent


@dataclass(frozen=True, slots=True)
class DisclosureChange:
    disclosure_given: bool


@dataclass(frozen=True, slots=True)
class PartyChange:
    leg: str
    party: Party


@dataclass(frozen=True, slots=True)
class LineChange:
    leg: str
    state: LineState


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """`name` is agent_id, queue or ivr_step."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DtmfDigit:
    """A key was pressed. The digit itself is never stored."""


@dataclass(frozen=True, slots=True)
class EndReasonChange:
    end_reason: EndReason


CallUpdate: TypeAlias = (
    ConsentChange
    | DisclosureChange
    | PartyChange
    | LineChange
    | AttributeChange
    | DtmfDigit
    | EndReasonChange
)
