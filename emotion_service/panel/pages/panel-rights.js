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
    this.node.addEventListener("keydown", (event) => {
      // An Escape for the question is for nothing around it: the wall would close the panel.
      if (event.key === "Escape" && this._leave()) event.stopPropagation();
    });
  }

  show(call) {
    const { step } = this.node.dataset;
    if (step === "done") return;
    if (call.customer?.notScored === "CONSENT_WITHDRAWN") this._turnTo("done", this._texts.objected);
    // Just after the end it may still be said, unless nothing is kept of the call.
    else if (!call.live && !call.summary) this._turnTo("none", "");
    else if (step === "none") this._turnTo("ask", "");
  }

  _confirm() {
    this._turnTo("sure", "");
    this._yes.focus();
  }

  /** Whether there was a question to leave. */
  _leave() {
    if (this.node.dataset.step !== "sure") return false;
    this._turnTo("ask", "");
    this._ask.focus();
    return true;
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
