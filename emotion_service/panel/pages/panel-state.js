/** The headline: how the customer sounds, how sure that is, on what it rests, and why. */

import { button, list, make, mark, say } from "./element.js";
import { decimal, fill, percent, span } from "./figures.js";
import { icon, turnInto } from "./icons.js";
import { certainty } from "./mood.js";
import { reasonText } from "./panel-advice.js";
import { sentences } from "./reasons.js";

export class StateCard {
  /** `onVerdict(sequence, verdict)` sends feedback and says (a promise) whether it arrived. */
  constructor(texts, onVerdict) {
    this._texts = texts;
    this._onVerdict = onVerdict;
    this._mood = this._call = null;
    this._failed = null; // the cue that feedback was given on in vain
    this._build();
  }

  /** Only the headline calls this: `mood` is what it says now. */
  show(mood, call) {
    const { _texts: texts } = this;
    this._mood = mood;
    this._call = call;
    const sure = mood.cue && mood.name !== "insufficient" ? certainty(mood.cue.confidence) : "none";
    mark(this.node, "data-mood", mood.name);
    mark(this.node, "data-sure", sure);
    turnInto(this._icon, mood.name);
    say(this._word, texts.moods[mood.name]);
    this._showMeasure(mood, sure);
    list(this._reasons, sentences(this._said(mood), texts), (text) => text, (text) => make("li", {}, text));
    say(this._note, noteOn(mood, call, texts));
    this.tick(call);
  }

  /** Time passed, or feedback came. */
  tick(call) {
    const { cue } = this._mood ?? {};
    const since = cue && call.live ? this._texts.since(span(call.now - cue.start, this._texts)) : "";
    say(this._since, since);
    if (this._mood) this._showVerdict();
  }

  _said(mood) {
    return mood.cue && mood.name !== "insufficient" ? mood.cue.reasons : [];
  }

  _showMeasure({ cue }, sure) {
    const texts = this._texts;
    mark(this._measure, "data-shown", sure === "none" ? "no" : "yes");
    if (sure === "none") return;
    fill(this._level, cue.confidence);
    const heard = decimal(cue.evidence_seconds, texts);
    say(this._evidence, texts.evidence(texts.certainty[sure], percent(cue.confidence), heard));
  }

  _showVerdict() {
    const { cue, name } = this._mood;
    const asked = cue && this._call.live && name !== "insufficient";
    const verdict = asked ? this._call.verdictOn(cue) : null;
    const focused = this._ask.matches(":focus-within");
    mark(this.node, "data-verdict", verdict);
    mark(this._ask, "data-shown", asked && !verdict ? "yes" : "no");
    const failed = asked && isSame(this._failed, cue) ? this._texts.failed : "";
    say(this._answer, verdict ? this._texts.verdicts[verdict] : failed);
    // The keyboard stays where the buttons were, or it would begin at the top of the page again.
    if (focused && (!asked || verdict)) this._answer.focus();
  }

  async _give(verdict) {
    const { _call: call, _mood: { cue } } = this;
    const arrived = await this._onVerdict(Number(cue.sequence), verdict);
    this._failed = arrived ? null : cue;
    if (arrived) call.judged(cue.sequence, verdict);
    this._showVerdict();
    if (arrived) this._answer.focus();
  }

  _build() {
    const { _texts: texts } = this;
    this._icon = icon("waiting");
    this._word = make("h2.word", { "aria-live": "polite" });
    this._since = make("p.since");
    this._level = make("span.level");
    this._evidence = make("p.evidence");
    this._measure = make("div.measure", {}, make("div.meter", { "aria-hidden": "true" }, this._level), this._evidence);
    this._note = make("p.note");
    this._reasons = make("ul.reasons", { role: "list" });
    this._ask = make(
      "div.ask",
      {},
      button(".quiet", texts.dismiss, () => this._give("DISMISSED")),
      button(".quiet", texts.wrong, () => this._give("WRONG")),
    );
    this._answer = make("p.answer", { role: "status", tabindex: "-1" });
    this.node = make(
      "section.card.state",
      {},
      make("div.head", {}, this._icon, make("div", {}, this._word, this._since)),
      this._measure,
      make("div.why", {}, this._note, this._reasons),
      make("div.verdict", {}, this._ask, this._answer),
    );
  }
}

/** Whether both are of one state. */
function isSame(one, other) {
  return one?.start === other.start && one.kind === other.kind;
}

/** Why there is no state, or no clear one. */
function noteOn(mood, call, texts) {
  if (mood.name === "ended") {
    if (!call.summary) return texts.noSummary;
    return reasonText(call.handOver, texts) ? texts.ended : "";
  }
  if (mood.name === "waiting") return texts.waiting;
  if (mood.name === "not_scored") return texts.notScored[mood.reason] ?? "";
  return mood.reason ? (texts.abstain[mood.reason] ?? "") : "";
}
