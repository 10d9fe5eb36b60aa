/** How a call stands, in one word: what the headline says and the wall sorts by. */

const MOODS = {
  HAPPY: "happy",
  AGITATED: "agitated",
  DISTRESSED: "distressed",
  NEUTRAL: "neutral",
  INSUFFICIENT_EVIDENCE: "insufficient",
};

/** Every mood there is, the most pressing first. */
export const ALL_MOODS = [
  "agitated", "distressed", "neutral", "happy", "insufficient", "waiting", "not_scored", "ended",
];

export const SURE = 0.75; // confidence from which a state is drawn solid
export const FAIRLY_SURE = 0.6;

/** { name, cue, reason, atOnce }: `cue` where there is a state, `reason` why there is none (or no
 * clear one), `atOnce` for what a person did or what is final. */
export function moodOf(call) {
  if (!call.live) return mood("ended", { atOnce: true });
  const leg = call.customer;
  if (!leg && call.legs.size) return mood("not_scored", { reason: "NOT_A_CUSTOMER" });
  if (!leg) return mood("waiting");
  if (leg.notScored) {
    const atOnce = leg.notScored === "CONSENT_WITHDRAWN";
    return mood("not_scored", { reason: leg.notScored, atOnce });
  }
  if (!leg.cue) return mood("waiting");
  const reason = leg.cue.abstain === "UNSPECIFIED" ? null : leg.cue.abstain;
  return mood(MOODS[leg.cue.kind], { cue: leg.cue, reason });
}

function mood(name, { cue = null, reason = null, atOnce = false } = {}) {
  return { name, cue, reason, atOnce };
}

/** How sure the model is, as a word: sure, fairly, unsure. */
export function certainty(confidence) {
  if (confidence >= SURE) return "sure";
  return confidence >= FAIRLY_SURE ? "fairly" : "unsure";
}
