/** How the call goes: the customer's arousal over time, and who speaks how much. */

import { list, make, mark, say } from "./element.js";
import { decimal, fill, percent } from "./figures.js";
import { icon } from "./icons.js";
import { draw, path, sparkline } from "./sparkline.js";
import { clock } from "./time.js";

const SPANS = [60, 120, 300]; // seconds: a young call fills the picture too
const BOX = { width: 300, height: 56 };
const STEADY = 0.1; // change a minute that is none
const LASTING = ["TALK_OVER", "DEAD_AIR", "SLOW_REPLY", "MONOLOGUE", "FAST_PACE"];
const ABOUT_A_LEG = new Set(["TALK_OVER", "SLOW_REPLY", "MONOLOGUE", "FAST_PACE"]);

export class TrendCard {
  constructor(texts) {
    const { headings, trend } = texts;
    this._texts = texts;
    this._svg = sparkline(BOX);
    this._none = make("p.none");
    this._now = make("span.figure");
    this._ago = make("span");
    this._chart = make("div.chart", { role: "img" }, this._svg);
    this.node = make(
      "section.trend",
      {},
      make("h3", {}, headings.trend, this._now),
      make(
        "div.plot",
        {},
        make("div.axis", { "aria-hidden": "true" }, make("span", {}, trend.high), make("span", {}, trend.low)),
        this._chart,
        this._none,
      ),
      make("div.times", { "aria-hidden": "true" }, this._ago, make("span", {}, trend.now)),
    );
  }

  show(call) {
    const { trend: words } = this._texts;
    // Whoever objects, or never agreed, has no course here, not even that of before.
    const points = call.customer?.notScored ? [] : call.trend;
    const last = points.findLast(({ arousal }) => arousal !== null);
    // Points come every 5 s: the line moves with them, and not in between.
    const now = points.at(-1)?.at ?? 0;
    const length = now - (points[0]?.at ?? 0);
    const span = SPANS.find((each) => each >= length) ?? SPANS.at(-1);
    draw(this._svg, path(points, "arousal", now, span, BOX));
    say(this._ago, words.ago(span / 60));
    const none = call.customer?.notScored ? this._texts.unmeasured : words.none;
    say(this._none, last ? "" : none);
    const way = last ? wayOf(last.slope, words) : "";
    const value = last ? decimal(last.arousal, this._texts) : "";
    say(this._now, last ? `${this._texts.index(value)}, ${way}` : "");
    mark(this._chart, "aria-label", last ? words.label(value, way) : none);
  }
}

function wayOf(slope, words) {
  if (slope === null || Math.abs(slope) < STEADY) return words.steady;
  return slope > 0 ? words.rising : words.falling;
}

export class TurnsCard {
  constructor(texts) {
    this._texts = texts;
    this._bar = make("div.shares", { "aria-hidden": "true" });
    this._legend = make("ul.legend", { role: "list" });
    this._none = make("p.none");
    this._lasting = make("ul.lasting", { role: "list" });
    this._talkOvers = make("dd");
    this._deadAir = make("dd");
    this._since = make("p.counted");
    this.node = make(
      "section.turns",
      {},
      make("h3", {}, texts.headings.turns, this._since),
      this._bar,
      make("div.under", {}, this._legend, this._none),
      make(
        "dl.counts",
        {},
        make("div", {}, make("dt", {}, texts.talkOvers), this._talkOvers),
        make("div", {}, make("dt", {}, texts.deadAir), this._deadAir),
      ),
      this._lasting,
    );
  }

  show(call) {
    const legs = [...call.legs.values()];
    this._showShares(call.shares.filter(({ leg }) => call.legs.has(leg)), call);
    const overs = legs.map((leg) => `${this._name(leg)} ${call.count(leg.leg, "TALK_OVER")}`);
    say(this._talkOvers, overs.join(" · "));
    say(this._deadAir, String(legs.reduce((sum, leg) => sum + call.count(leg.leg, "DEAD_AIR"), 0)));
    say(this._since, call.since > 1 ? this._texts.countedSince(clock(call.since)) : "");
    this._showLasting(legs);
  }

  _showShares(shares, call) {
    const spoken = shares.some(({ share }) => share > 0);
    const shown = spoken ? shares : [];
    const party = ({ leg }) => call.legs.get(leg).party.toLowerCase();
    list(this._bar, shown, (each) => each.leg, (each) => make(`span.${party(each)}`), (node, { share }) => {
      fill(node, share);
    });
    list(this._legend, shown, (each) => each.leg, (each) => make(`li.${party(each)}`), (node, each) => {
      say(node, this._texts.share(this._name(call.legs.get(each.leg)), percent(each.share)));
    });
    say(this._none, spoken ? "" : this._texts.noShare);
  }

  _showLasting(legs) {
    const cues = legs.flatMap((leg) =>
      LASTING.filter((kind) => leg.further.has(kind)).map((kind) => ({ leg, kind })),
    );
    list(this._lasting, cues, ({ leg, kind }) => `${leg.leg} ${kind}`, ({ leg, kind }) => {
      const about = this._texts.beside[kind];
      const text = ABOUT_A_LEG.has(kind) ? `${this._name(leg)}: ${about}` : about;
      return make("li", {}, icon(kind.toLowerCase()), text);
    });
  }

  _name(leg) {
    return this._texts.parties[leg.party];
  }
}
