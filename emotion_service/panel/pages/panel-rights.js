/** The customer's right to object, and what is measured and what is not. */

import { button, make, mark, say } from "./element.js";

export class Objection {
  /** `onObjection()` tells the service and says (a promise) whether it arrived. */
  constructor(texts, onObjection) {
    this._texts = texts;
    this._onObjection = onObjection;
    this._ask = button(".quiet", texts.object, () => this._confirm());
    this._yes = button(".firm", texts.objectYes, () => this._object());
    const no = button(".quiet", texts.objectNo, () => this._leave());
    this._sure = make("div.sure", {}, make("p", {}, texts.objectSure), make("div.ask", {}, this._yes, no));
    this._said = make("p.answer", { role: "status", tabindex: "-1" });
    this.node = make("div.objection", { "data-step": "ask" }, this._ask, this._sure, this._said);
    this.node.addEventListener("keydown", ({ key }) => key === "Escape" && this._leave());
  }

  show(call) {
    const { step } = this.node.dataset;
    if (step === "done") return;
    if (call.customer?.notScored === "CONSENT_WITHDRAWN") this._turnTo("done", this._texts.objected);
    else if (!call.live) this._turnTo("none", "");
  }

  _confirm() {
    this._turnTo("sure", "");
    this._yes.focus();
  }

  _leave() {
    if (this.node.dataset.step !== "sure") return;
    this._turnTo("ask", "");
    this._ask.focus();
  }

  async _object() {
    const arrived = await this._onObjection();
    this._turnTo(arrived ? "done" : "sure", arrived ? this._texts.objected : this._texts.failed);
    this._said.focus();
  }

  _turnTo(step, text) {
    mark(this.node, "data-step", step);
    say(this._said, text);
  }
}

/** An expandable note. */
export function about({ about: words }) {
  const items = (texts) => make("ul", {}, ...texts.map((text) => make("li", {}, text)));
  return make(
    "details.about",
    {},
    make("summary", {}, words.title),
    make("h4", {}, words.measuredTitle),
    items(words.measured),
    make("h4", {}, words.notTitle),
    items(words.not),
    make("p", {}, words.figures),
    make("p", {}, words.advisory),
  );
}
