/** One call on the wall: a line of how it stands, that opens its panel. */

import { list, make, mark, say } from "./element.js";
import { span } from "./figures.js";
import { icon, turnInto } from "./icons.js";
import { certainty, moodOf } from "./mood.js";
import { adviceText, reasonText } from "./panel-advice.js";
import { draw, path, sparkline } from "./sparkline.js";
import { clock } from "./time.js";

const SPAN = 300; // seconds of the sparkline
const BOX = { width: 120, height: 24 };

/** `onSight()` is called when the row comes into sight, or close to it. */
export class Row {
  constructor(call, onSight) {
    this.call = call;
    this.inSight = true; // unless the browser says that it need not lay the row out
    this.node = null; // until it is first shown
    this._onSight = onSight;
  }

  get isOnWall() {
    return Boolean(this.node?.parentNode);
  }

  _build() {
    this._icon = icon("waiting");
    this._word = make("strong.word");
    this._since = make("span.since");
    this._line = sparkline(BOX);
    this._open = make("span.open");
    this._advice = make("span.advice");
    this._queue = make("span.queue");
    this._who = make("span.who");
    this._clock = make("span.clock");
    const mood = make("span.mood", {}, this._icon, make("span.words", {}, this._word, this._since));
    this.link = make(
      "a",
      { href: `agent?call_id=${encodeURIComponent(this.call.id)}` },
      mood, this._line, this._open, this._advice, this._queue, this._who, this._clock,
    );
    this.node = make("li", {}, this.link);
    this.node.addEventListener("contentvisibilityautostatechange", ({ skipped }) => {
      this.inSight = !skipped;
      if (this.inSight) this._onSight();
    });
  }

  show(texts) {
    if (!this.node) this._build();
    const { call } = this;
    const mood = moodOf(call);
    const clear = mood.cue && mood.name !== "insufficient";
    const sure = clear ? certainty(mood.cue.confidence) : "none";
    mark(this.node, "data-mood", mood.name);
    mark(this.node, "data-sure", sure);
    turnInto(this._icon, mood.name);
    say(this._word, texts.moods[mood.name]);
    const since = mood.cue && call.live ? span(call.now - mood.cue.start, texts) : "";
    say(this._since, sure === "unsure" ? `${since} · ${texts.certainty.unsure}` : since);
    const points = call.customer?.notScored ? [] : call.trend;
    draw(this._line, path(points, "arousal", call.trend.at(-1)?.at ?? 0, SPAN, BOX));
    this._showOpen(texts);
    const [advice] = call.advice.values();
    say(this._advice, advice ? adviceText(advice, texts) : "");
    mark(this._advice, "title", advice ? reasonText(advice.reason, texts) : null);
    say(this._queue, call.queue || texts.wall.noQueue);
    say(this._who, call.agent ? `${texts.wall.agent} ${call.agent}` : call.id);
    mark(this._who, "title", call.id);
    say(this._clock, clock(5 * Math.floor(call.now / 5)));
  }

  _showOpen(texts) {
    const kinds = new Set([...this.call.legs.values()].flatMap((leg) => [...leg.further.keys()]));
    list(this._open, [...kinds], (kind) => `${kind} ${texts.lang}`, (kind) =>
      make(`span.chip.${kind.toLowerCase()}`, {}, icon(kind.toLowerCase()), texts.beside[kind]),
    );
  }
}
