/** <emotion-panel call-id="…" lang="de|en" server="https://…">: what an agent sees of one call.
 *
 * `server` is the panel server's address; left out, it is the one that this file came from. The
 * language is that of the nearest `lang`, else the browser's. Colours: see tokens.css. */

import { Call } from "./call.js";
import { make, mark, say } from "./element.js";
import { Feed } from "./feed.js";
import { Headline } from "./headline.js";
import { moodOf } from "./mood.js";
import { AdviceCard } from "./panel-advice.js";
import { Beside } from "./panel-beside.js";
import { TrendCard, TurnsCard } from "./panel-course.js";
import { about, Objection } from "./panel-rights.js";
import { StateCard } from "./panel-state.js";
import { StoryCard } from "./panel-story.js";
import { stylesheet } from "./stylesheet.js";
import { textsFor } from "./texts.js";
import { clock } from "./time.js";

const SHEETS = await Promise.all(
  ["tokens.css", "panel.css", "panel-parts.css", "panel-notes.css"].map(stylesheet),
);
const CHANGES = new Set(["call", "cue", "trend"]);
const STORY_MS = 1000; // after a change, the hand-over text is asked for
const ANSWER_MS = 12_000; // an answer takes: six open streams leave a browser no connection for it

export class EmotionPanel extends HTMLElement {
  static observedAttributes = ["call-id", "lang", "server"];

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = SHEETS;
  }

  connectedCallback() {
    this._restart();
    this._ticker = setInterval(() => this._tick(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this._ticker);
    this._stop();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this._call || before === after) return; // not before connectedCallback
    if (name === "lang") this._speak();
    else this._restart();
  }

  /** Says everything anew in the language that is wanted now. */
  _speak() {
    this._texts = textsFor(this.closest("[lang]")?.lang || navigator.language);
    this._build();
    if (this._headline?.shown) this._card.show(this._headline.shown, this._call);
    this._show();
    this._showLink();
  }

  _restart() {
    this._stop();
    const id = this.getAttribute("call-id") ?? "";
    this._base = new URL(this.getAttribute("server") ?? new URL("..", import.meta.url));
    if (!this._base.pathname.endsWith("/")) this._base.pathname += "/";
    this._known = false; // whether the service has ever said anything of the call,
    this._listed = false; // and did so since the last snapshot began
    this._link = "connecting";
    this._asked = this._answered = 0;
    this._begin(id);
    if (!id) return;
    this._feed = new Feed(this._base, { call_id: id }, {
      onEvent: (kind, message) => this._take(kind, message),
      onShow: () => this._show(),
      onLink: (up) => this._linked(up),
    });
  }

  /** A call of which nothing is known yet: also one that begins anew under its id. */
  _begin(id) {
    this._headline?.stop();
    this._call = new Call(id);
    this._headline = new Headline((mood) => this._card.show(mood, this._call));
    this._speak();
  }

  _stop() {
    this._feed?.close();
    this._headline?.stop();
    clearTimeout(this._asking);
    this._asking = 0;
  }

  // --- what comes in ---

  _take(kind, message) {
    if (kind === "snapshot") this._listed = false;
    if (kind === "call") this._heard(message);
    if (kind === "complete") return this._ask();
    this._call.take(kind, message);
    if (CHANGES.has(kind)) this._asking ||= setTimeout(() => this._ask(), STORY_MS);
    return undefined;
  }

  /** After a snapshot, or an end, it is another call, or one of which much was missed. */
  _heard({ live }) {
    if (live && (!this._call.live || (this._known && !this._listed))) this._begin(this._call.id);
    this._known = this._listed = true;
    this._answered = this._asked += 1; // answers that are on their way are of before
  }

  /** The call as it stands: its hand-over text, and a call that ended before this panel came. */
  async _ask() {
    clearTimeout(this._asking);
    this._asking = 0;
    const call = this._call;
    const asked = (this._asked += 1);
    const answer = await this._fetch("");
    if (!answer || call !== this._call) return;
    if (asked < this._answered) {
      this._asking ||= setTimeout(() => this._ask(), STORY_MS);
      return;
    }
    this._answered = asked;
    if (answer.status === 404 && this._known && !this._listed) call.live = false; // it broke off
    else if (answer.said) this._update(call, answer.said.call);
    this._show();
  }

  _update(call, state) {
    if (this._known && state.live) {
      if (!call.live) return; // it ended while the answer was on its way: the summary knows more
      call.handOver = state.hand_over ?? null;
      call.earlier = state.earlier;
    } else if (!state.live && !call.summary) {
      call.take("call", state);
    }
  }

  _linked(up) {
    if (up) this._link = "live";
    else if (this._link !== "lost") {
      this._lostAt = new Date();
      this._link = this._link === "connecting" ? "connecting" : "lost";
    }
    this._showLink();
  }

  // --- what goes out ---

  /** The status of the answer, and what it says if it says something; null: there was none. */
  async _fetch(what, body) {
    const path = `api/calls/${encodeURIComponent(this._call.id)}${what}`;
    const sent = body && {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    };
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(new URL(path, this._base), { ...sent, signal });
      const said = answer.status === 200 ? await answer.json() : null; // it may stand still here, too
      return { status: answer.status, ok: answer.ok, said };
    } catch {
      return null; // nobody answers: the link says so
    }
  }

  async _verdict(sequence, verdict) {
    const body = { cue_sequence: sequence, verdict: `VERDICT_${verdict}` };
    return Boolean((await this._fetch("/feedback", body))?.ok);
  }

  async _object() {
    const call = this._call;
    const answer = await this._fetch("/objection", {});
    if (!answer?.ok) return false;
    call.forgetMoods(); // of a live call the service's own word follows, of an ended one none
    if (call === this._call) {
      this._answered = this._asked += 1; // answers that are on their way are of before
      this._show();
    }
    return true;
  }

  // --- what is shown ---

  _build() {
    const texts = this._texts;
    this._card = new StateCard(texts, (sequence, verdict) => this._verdict(sequence, verdict));
    this._objection = new Objection(texts, () => this._object());
    this._cards = [
      new Beside(texts), new AdviceCard(texts), new StoryCard(texts), new TrendCard(texts),
      new TurnsCard(texts),
    ];
    this._at = make("span.at");
    this._linkText = make("span.link", { role: "status" });
    const panel = make(
      "section.panel",
      { "aria-label": texts.panel(this._call.id), lang: texts.lang },
      make("div.top", {}, this._linkText, this._at),
      this._card.node,
      ...this._cards.map((card) => card.node),
      make("div.rights", {}, this._objection.node, about(texts)),
    );
    this.shadowRoot.replaceChildren(panel);
  }

  _show() {
    const call = this._call;
    this._headline.offer(moodOf(call));
    for (const card of [...this._cards, this._objection]) card.show(call);
    this._tick();
    if (!call.live) this._showLink();
  }

  _tick() {
    say(this._at, clock(this._call.now));
    if (this._headline.shown) this._card.tick(this._call);
    this._cards[1].show(this._call);
  }

  _showLink() {
    const { link } = this._texts;
    const name = this._call.live ? this._link : "ended";
    mark(this._linkText, "data-link", name);
    const time = this._lostAt?.toLocaleTimeString(this._texts.lang, { timeStyle: "short" });
    say(this._linkText, name === "lost" ? link.lost(time) : link[name]);
  }
}

customElements.define("emotion-panel", EmotionPanel);
