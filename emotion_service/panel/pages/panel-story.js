/** What the next person should know: this call so far, and the contact's calls before. */

import { list, make, mark, say } from "./element.js";
import { reasonText } from "./panel-advice.js";

export class StoryCard {
  constructor(texts) {
    this._texts = texts;
    this._now = make("p.told");
    this._earlier = make("ol", { role: "list" });
    this._before = make("div.before", {}, make("h4", {}, texts.story.earlier), this._earlier);
    this.node = make(
      "section.story",
      {},
      make("h3", {}, texts.headings.story),
      this._before,
      make("h4", {}, texts.story.now),
      this._now,
    );
  }

  show(call) {
    const texts = this._texts;
    say(this._now, reasonText(call.handOver, texts) || texts.story.none);
    mark(this._before, "data-shown", call.earlier.length ? "yes" : "no");
    list(this._earlier, [...call.earlier].reverse(), (told) => told.call_id, () => make("li.told"),
      (node, told) => say(node, reasonText(told.text, texts)));
  }
}
