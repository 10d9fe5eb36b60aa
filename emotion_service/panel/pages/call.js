/** What is known of one call, folded from the service's messages. */

import { seconds } from "./time.js";

const STATES = new Set(["HAPPY", "AGITATED", "DISTRESSED", "NEUTRAL", "INSUFFICIENT_EVIDENCE"]);
const PRESSING = { AGITATED: 3, DISTRESSED: 2 }; // any other state 1, none 0
const MOODS_BESIDE = ["URGENT", "CURT"];
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
    this.shares = []; // { leg, share }
    this.advice = new Map(); // by rule and action
    this.counts = new Map(); // "leg KIND" → onsets since `since`
    this.since = null;
    this.handOver = null;
    this.earlier = [];
    this._trends = new Map(); // of each customer's leg: see trend
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

  /** The leg that is scored, or would be: of several customers the one who needs somebody most. */
  get customer() {
    const legs = [...this.legs.values()];
    const customers = legs.filter((leg) => leg.party === "CUSTOMER");
    if (!customers.length) return legs.find(isCustomers);
    return customers.reduce((most, next) => (pressing(next) > pressing(most) ? next : most));
  }

  /** That leg's course: { at, arousal, slope, URGENT, CURT }, null while unknown. */
  get trend() {
    return this._trends.get(this.customer?.leg) ?? [];
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

  /** The customer objected: nothing that was inferred of them stays. */
  forgetMoods() {
    for (const leg of [...this.legs.values()].filter(isCustomers)) {
      leg.notScored = "CONSENT_WITHDRAWN";
      for (const kind of MOODS_BESIDE) leg.further.delete(kind);
    }
    this._trends.clear();
    this.handOver = null;
    this.earlier = [];
  }

  /** Where the leg stands; a point that is known already is none. */
  went(leg, point) {
    const points = this._trends.get(leg) ?? [];
    if (points.length && point.at <= points.at(-1).at) return;
    points.push(point);
    if (points.length > TREND_POINTS) points.shift();
    this._trends.set(leg, points);
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

function isCustomers(leg) {
  return leg.party === "CUSTOMER" || leg.party === "MIXED" || Boolean(leg.cue);
}

function pressing({ notScored, cue }) {
  return notScored || !cue ? 0 : (PRESSING[cue.kind] ?? 1);
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
  return `${cue.leg} ${cue.kind} since ${cue.start}`;
}

function trend(call, message) {
  const at = seconds(message.offset);
  call.reached(message.offset);
  call.shares = message.legs.map((leg) => ({ leg: leg.leg, share: leg.talk_share }));
  for (const each of message.legs) {
    const leg = call.legs.get(each.leg);
    if (!leg || !isCustomers(leg)) continue;
    call.went(each.leg, {
      at,
      arousal: each.arousal ?? null,
      slope: each.arousal_slope ?? null,
      URGENT: each.urgency ?? null,
      CURT: each.curtness ?? null,
    });
  }
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
