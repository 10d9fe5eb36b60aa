/** What the rules advise now, why, and for how long. */

import { bare } from "./call.js";
import { list, make, mark, say } from "./element.js";
import { skillName, span } from "./figures.js";
import { icon } from "./icons.js";
import { seconds } from "./time.js";

/** An advice as a sentence. */
export function adviceText(advice, texts) {
  const action = bare(advice.action, "ADVICE_ACTION_");
  return texts.actions[action]?.(skillName(advice.skill, texts)) ?? action;
}

/** Its reason in the language of `texts`. */
export function reasonText(text, texts) {
  return (texts.lang === "de" ? text?.german : text?.english) ?? "";
}

export class AdviceCard {
  constructor(texts) {
    this._texts = texts;
    this._list = make("ul", { role: "list" });
    this._none = make("p.none");
    this.node = make("section.advice", {}, make("h3", {}, texts.headings.advice), this._none, this._list);
  }

  show(call) {
    const given = [...call.advice.values()];
    mark(this.node, "data-shown", call.live ? "yes" : "no");
    say(this._none, given.length ? "" : this._texts.noAdvice);
    list(this._list, given, keyOf, () => item(), (node, advice) => this._fill(node, advice, call));
  }

  _fill(node, advice, call) {
    const texts = this._texts;
    say(node.querySelector(".action"), adviceText(advice, texts));
    say(node.querySelector(".because"), reasonText(advice.reason, texts));
    const left = seconds(advice.expires_offset) - call.now;
    say(node.querySelector(".expires"), left > 0 ? texts.expires(span(left, texts)) : "");
  }
}

function keyOf(advice) {
  return `${advice.rule} ${advice.action}`;
}

function item() {
  const line = make("p.line", {}, icon("advice"), make("strong.action"), make("span.expires"));
  return make("li", {}, line, make("p.because"));
}
