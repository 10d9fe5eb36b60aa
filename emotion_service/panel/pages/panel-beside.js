/** Beside the state: how urgent and how curt the customer is, two indices that are always there, and
 * the components of one that stands out. */

import { make, mark, say } from "./element.js";
import { decimal, fill } from "./figures.js";
import { icon } from "./icons.js";
import { sentences } from "./reasons.js";
import { draw, path, sparkline } from "./sparkline.js";

const KINDS = ["URGENT", "CURT"];
const SPAN = 300; // seconds
const BOX = { width: 120, height: 32 };

export class Beside {
  constructor(texts) {
    this._texts = texts;
    this._tiles = KINDS.map((kind) => tile(kind));
    this.node = make("ul.beside", { role: "list" }, ...this._tiles);
  }

  show(call) {
    mark(this.node, "data-shown", call.live ? "yes" : "no");
    KINDS.forEach((kind, i) => this._fill(this._tiles[i], kind, call));
  }

  _fill(node, kind, call) {
    const texts = this._texts;
    const scored = !call.customer?.notScored;
    const cue = call.customer?.further.get(kind);
    const last = call.trend.at(-1);
    const index = cue?.index ?? (scored ? last?.[kind] : null) ?? null;
    const unknown = scored ? texts.unknown : texts.unmeasured;
    mark(node, "data-stands-out", cue ? "yes" : "no");
    say(node.querySelector(".name"), cue ? texts.beside[kind] : texts.indices[kind]);
    say(node.querySelector(".index"), index === null ? unknown : texts.index(decimal(index, texts)));
    fill(node.querySelector(".level"), index ?? 0);
    const because = cue ? sentences(cue.reasons, texts, 2).join(" · ") : "";
    say(node.querySelector(".components"), because);
    draw(node.querySelector(".sparkline"), scored ? path(call.trend, kind, last?.at ?? 0, SPAN, BOX) : "");
  }
}

function tile(kind) {
  return make(
    `li.${kind.toLowerCase()}`,
    {},
    make("p.line", {}, icon(kind.toLowerCase()), make("span.name")),
    make("p.index"),
    make("span.meter", { "aria-hidden": "true" }, make("span.level")),
    make("p.components"),
    sparkline(BOX),
  );
}
