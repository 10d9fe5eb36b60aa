/** What is known of one call, folded from the service's messages. */

import { seconds } from "./time.js";

const STATES = new Set(["HAPPY", "AGITATED", "DISTRESSED", "NEUTRAL", "INSUFFICIENT_EVIDENCE"]);
const TREND_POINTS = 120; // one each 5 s: ten minutes
const SILENT_SECONDS = 10; // without a word of the call its clock stands still

/** "CUE_KIND_TALK_OVER" → "TALK_OVER": the API's enums without their prefix. */
export function bare(name, prefix) {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

export class Call {
  constructor(id) {
    this.id = id;
    this.contact = this.queue = this.agent = "";
    this.live = true;
    this.legs = new Map(); // name → { party, notScored, cue, further: Map of kind → cue }
    this.trend = []; // { at, arousal, slope, URGENT, CURT }, null while unknown
    this.shares = []; // { leg, share }
    this.advice = new Map(); // by rule and action
    this.counts = new Map(); // "leg KIND" → onsets since `since`
    this.since = null;
    this.handOver = null;
    this.earlier = [];
    this._states = new Map(); // sequence of a cue → the state that it told of (see stateKey)
    this._verdicts = new Map(); // state, or sequence of another cue → verdict
    this.summary = null;
    this._at = 0; // how far into the call the last message reached
    this._heard = performance.now();
  }

  /** Seconds into the call by now: a live call goes on while nothing is said of it. */
  get now() {
    const passed = (performance.now() - this._heard) / 1000;
    return this._at + (this.live ? Math.min(passed, SILENT_SECONDS) : 0);
  }

  /** The leg that is scored, or would be. */
  get customer() {
    const legs = [...this.legs.values()];
    return (
      legs.find((leg) => leg.party === "CUSTOMER") ??
      legs.find((leg) => leg.cue || leg.party === "MIXED")
    );
  }

  /** Folds in one event of the stream: its kind and its message. */
  take(kind, message) {
    FOLDS[kind]?.(this, message);
  }

  /** A state's cue was told, its beginning or an update. */
  told(cue) {
    this._states.set(String(cue.sequence), stateKey(cue));
  }

  /** Feedback on any cue of a state, its beginning or an update, is feedback on the state. */
  judged(sequence, verdict) {
    this._verdicts.set(this._states.get(String(sequence)) ?? String(sequence), verdict);
  }

  verdictOn(cue) {
    return this._verdicts.get(stateKey(cue)) ?? null;
  }

  reached(position) {
    const at = seconds(position);
    if (at >= this._at) {
      this._at = at;
      this._heard = performance.now();
    }
  }

  count(leg, kind) {
    return this.counts.get(`${leg} ${kind}`) ?? 0;
  }
}

function state(call, message) {
  call.contact = message.contact_id;
  call.queue = message.queue;
  call.agent = message.agent_id;
  call.live = message.live;
  call.reached(message.elapsed);
  call.since ??= seconds(message.elapsed);
  call.legs = new Map(message.legs.map((leg) => [leg.leg, legOf(leg)]));
  for (const leg of call.legs.values()) if (leg.cue) call.told(leg.cue);
  call.advice = new Map(message.advice.map((advice) => [adviceKey(advice), advice]));
  call.handOver = message.hand_over ?? call.handOver;
  call.earlier = message.earlier;
  for (const given of message.feedback) feedback(call, given);
  if (message.trend) trend(call, message.trend);
  if (message.summary) summary(call, message.summary);
}

function legOf(leg) {
  const reason = bare(leg.not_scored_reason, "NOT_SCORED_REASON_");
  return {
    leg: leg.leg,
    party: bare(leg.party, "PARTY_"),
    notScored: reason === "UNSPECIFIED" ? null : reason,
    cue: leg.cue ? cueOf(leg.cue) : null,
    further: new Map((leg.further ?? []).map(cueOf).map((cue) => [cue.kind, cue])),
  };
}

function cueOf(cue) {
  return {
    ...cue,
    kind: bare(cue.kind, "CUE_KIND_"),
    phase: bare(cue.phase, "CUE_PHASE_"),
    abstain: bare(cue.abstain_reason, "ABSTAIN_REASON_"),
    start: seconds(cue.start_offset),
  };
}

function cue(call, message) {
  const told = cueOf(message);
  const leg = call.legs.get(told.leg);
  call.reached(message.decided_offset ?? message.end_offset);
  if (!leg) return;
  // A state's end is told just before the next state's beginning: until then it stands.
  if (STATES.has(told.kind)) {
    if (told.phase === "OFFSET") return;
    leg.cue = told;
    call.told(told);
    return;
  }
  if (told.phase === "OFFSET") leg.further.delete(told.kind);
  else leg.further.set(told.kind, told);
  if (told.phase === "ONSET") {
    call.counts.set(`${told.leg} ${told.kind}`, call.count(told.leg, told.kind) + 1);
  }
}

function stateKey(cue) {
  return `${cue.kind} since ${cue.start}`;
}

function trend(call, message) {
  const at = seconds(message.offset);
  call.reached(message.offset);
  call.shares = message.legs.map((leg) => ({ leg: leg.leg, share: leg.talk_share }));
  if (call.trend.length && at <= call.trend[call.trend.length - 1].at) return;
  const scored = message.legs.find((leg) => leg.leg === call.customer?.leg);
  call.trend.push({
    at,
    arousal: scored?.arousal ?? null,
    slope: scored?.arousal_slope ?? null,
    URGENT: scored?.urgency ?? null,
    CURT: scored?.curtness ?? null,
  });
  if (call.trend.length > TREND_POINTS) call.trend.shift();
}

function advice(call, message) {
  call.reached(message.offset);
  if (message.phase === "ADVICE_PHASE_ENDED") call.advice.delete(adviceKey(message));
  else call.advice.set(adviceKey(message), message);
}

function adviceKey(message) {
  return `${message.rule} ${message.action}`;
}

function feedback(call, message) {
  call.judged(message.cue_sequence, bare(message.verdict, "VERDICT_"));
}

function summary(call, message) {
  call.reached(message.duration);
  call.summary = message;
  call.live = false;
  call.advice.clear();
  call.handOver = message.hand_over ?? call.handOver;
  for (const leg of message.legs) if (call.legs.has(leg.leg)) call.legs.get(leg.leg).further.clear();
  call.shares = message.legs.map((leg) => ({ leg: leg.leg, share: leg.talk_share }));
  for (const turn of message.turns) {
    call.counts.set(`${turn.leg} ${bare(turn.kind, "CUE_KIND_")}`, turn.episodes);
  }
  call.since = 0;
}

const FOLDS = { call: state, cue, trend, advice, feedback, summary };
