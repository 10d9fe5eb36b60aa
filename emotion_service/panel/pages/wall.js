/** The supervisor wall: rows of live calls, kept up to date a few at a time.
 *
 * Rows are made of those calls only that the wall reaches down to: what nobody has scrolled to
 * costs no more than its numbers. */

import { Call } from "./call.js";
import { Feed } from "./feed.js";
import { ALL_MOODS, moodOf } from "./mood.js";
import { listenAside } from "./source.js";
import { byNeed, moves } from "./wall-order.js";
import { Row } from "./wall-row.js";

const REST_MS = 80; // between two frames: a glance needs no more, and each costs
const FRAME_MS = 10; // that a frame may take
const FRAME_ROWS = 15; // shown a frame, at most
const BEYOND_MS = 250; // between frames that show rows out of sight
const FRAME_MOVES = 5; // rows put on the wall or elsewhere on it a frame
const REACH = 40; // rows at first, and so many more each time somebody wants to see further
const ORDER_MS = 4000; // between one order and the next,
const POINTING_MS = 1500; // and never right under a moving pointer
const TICK_MS = 5000; // how often what has only grown older is shown anew
const COUNT_MS = 1000;
const ENDED_MS = 8000; // a call that ended stays so long

/** `list` gets the rows, `onCounts(counts, queues)` how many calls of the chosen queue there are of
 * each mood and all queues, `onMore(count)` how many of them the wall does not reach, `onLink(up)`
 * as in Feed, `onOpen(row)` when somebody opens a call. */
export class Wall {
  constructor(server, node, { onCounts, onMore, onLink, onOpen }) {
    this._node = node;
    this._onCounts = onCounts;
    this._onMore = onMore;
    this._onOpen = onOpen;
    this._rows = new Map(); // by call_id, in the order of arrival
    this._dirty = new Set(); // rows that do not show how their calls stand
    this._moves = []; // that make the wall what it was last found to be
    this._reach = REACH;
    this._further = null; // calls that it does not reach, once they are known and all has moved
    this._listed = null; // while a snapshot comes: the calls in it
    this._queue = "";
    this._ended = new Map(); // call_id → when
    this._pointed = -Infinity;
    this._due = { order: 0, tick: 0, count: 0, beyond: 0 };
    this._listen();
    this._feed = new Feed(server, {}, {
      onEvent: (kind, message) => this._take(kind, message),
      onShow: () => this._frame(),
      onLink,
      restMs: REST_MS,
      source: listenAside,
    });
    setInterval(() => this._feed.wake(), COUNT_MS);
  }

  speak(texts) {
    this._texts = texts;
    for (const row of this._rows.values()) this._dirty.add(row);
    this._feed?.wake();
  }

  /** Only the calls of this queue; "" for all. */
  filter(queue) {
    this._queue = queue;
    this._reach = REACH;
    for (const row of this._rows.values()) if (!this._matches(row.call)) this._takeOff(row);
    this._due.order = this._due.count = 0;
    this._feed.wake();
  }

  /** Further down, but not while rows are on their way: `onMore` will be told again after them. */
  extend() {
    if (this._moves.length || this._further !== null) return;
    this._reach = Math.max(this._reach, this._node.childElementCount + REACH);
    this._due.order = 0;
    this._feed.wake();
  }

  // --- what comes in ---

  _take(kind, message) {
    if (kind === "snapshot") this._listed = new Set();
    else if (kind === "complete") this._complete();
    else this._fold(kind, message);
  }

  _fold(kind, message) {
    const id = message.call_id;
    const isListed = kind === "call" && this._listed && !this._listed.has(id);
    if (isListed) this._listed.add(id);
    let row = this._rows.get(id);
    if (!row || (kind === "call" && message.live && !row.call.live)) {
      if (kind !== "call" || !message.live) return;
      row = this._arrive(id);
    }
    if (isListed) row.call = new Call(id); // what was known is out of date
    row.call.take(kind, message);
    if (kind === "call") this._regard(row);
    if (!row.call.live && !this._ended.has(id)) this._ended.set(id, performance.now());
    this._dirty.add(row);
  }

  /** A call that is new, or has begun anew. */
  _arrive(id) {
    this._leave(id);
    const row = new Row(new Call(id), () => this._feed.wake());
    this._rows.set(id, row);
    return row;
  }

  /** Its queue may be another one; and where there is room for it, it need not wait for its turn. */
  _regard(row) {
    if (!this._matches(row.call)) this._takeOff(row);
    else if (!row.isOnWall && this._node.childElementCount < this._reach) this._due.order = 0;
  }

  _complete() {
    for (const id of this._rows.keys()) if (!this._listed.has(id)) this._leave(id);
    this._listed = null;
    this._due.order = this._due.count = 0;
  }

  _leave(id) {
    const row = this._rows.get(id);
    if (!row) return;
    this._takeOff(row);
    this._rows.delete(id);
    this._ended.delete(id);
    this._dirty.delete(row);
  }

  _takeOff(row) {
    if (this._moves.some((move) => move.includes(row.call.id))) {
      this._moves = [];
      this._due.order = 0;
    }
    if (!row.isOnWall) return;
    this._passFocus(row);
    row.node.remove();
    row.inSight = true; // until the browser says otherwise, once it is back
  }

  // --- a frame ---

  /** Shows a few rows and moves a few; true while there are more. */
  _frame() {
    const now = performance.now();
    const late = () => performance.now() - now > FRAME_MS && !document.hidden;
    this._age(now);
    const rows = this._wanted(now);
    let shown = 0;
    while (shown < Math.min(FRAME_ROWS, rows.length) && (shown === 0 || !late())) {
      this._show(rows[shown]);
      shown += 1;
    }
    let moved = 0;
    while (this._moves.length && moved < FRAME_MOVES && (moved === 0 || !late())) {
      this._move();
      moved += 1;
    }
    if (this._further !== null && !this._moves.length) {
      this._onMore(this._further);
      this._further = null;
    }
    return shown < rows.length || this._moves.length > 0;
  }

  /** The rows to show now: those in sight and, now and then, a few of the others. */
  _wanted(now) {
    const rows = [...this._dirty].filter((row) => row.isOnWall);
    const near = rows.filter((row) => row.inSight);
    if (near.length >= FRAME_ROWS || !this._isDue("beyond", now, BEYOND_MS)) return near;
    return [...near, ...rows.filter((row) => !row.inSight)].slice(0, FRAME_ROWS);
  }

  _show(row) {
    this._dirty.delete(row);
    row.show(this._texts);
  }

  _age(now) {
    if (this._isDue("count", now, COUNT_MS)) this._count();
    if (this._isDue("tick", now, TICK_MS)) for (const row of this._rows.values()) this._dirty.add(row);
    const mayMove = now - this._pointed > POINTING_MS;
    const due = !this._listed && this._isDue("order", now, mayMove ? ORDER_MS : POINTING_MS);
    if (due) this._order(now, mayMove);
  }

  _isDue(what, now, every) {
    if (now < this._due[what]) return false;
    this._due[what] = now + every;
    return true;
  }

  /** Finds what the wall should be, and the moves to it. Where it may not move, what is new comes
   * at the end, if there is room. */
  _order(now, mayMove) {
    if (mayMove) for (const [id, at] of [...this._ended]) if (now - at > ENDED_MS) this._leave(id);
    const rows = [...this._rows.values()].filter((row) => this._matches(row.call));
    const ids = new Map(rows.filter((row) => row.isOnWall).map((row) => [row.node, row.call.id]));
    const current = [...this._node.children].map((node) => ids.get(node));
    const order = byNeed(rows.map((row) => row.call));
    const wanted = (mayMove ? order : [...new Set([...current, ...order])]).filter(
      (id, place) => place < this._reach || this._stays(this._rows.get(id)),
    );
    const stay = new Set(wanted);
    for (const id of current) if (!stay.has(id)) this._takeOff(this._rows.get(id));
    this._moves = moves(current.filter((id) => stay.has(id)), wanted);
    this._further = rows.length - wanted.length;
  }

  /** Whether somebody would miss it, though the wall does not reach that far. */
  _stays(row) {
    if (!row.isOnWall) return false;
    const { link, call } = row;
    return link === document.activeElement || link.hasAttribute("aria-current") || this._ended.has(call.id);
  }

  /** The focused row keeps its focus wherever it goes. */
  _move() {
    const [id, behind] = this._moves.shift();
    const row = this._rows.get(id);
    const next = behind === null ? this._node.firstChild : this._rows.get(behind).node.nextSibling;
    if (row.isOnWall && this._node.moveBefore) {
      this._node.moveBefore(row.node, next);
      return;
    }
    const focused = row.isOnWall && row.node.contains(document.activeElement);
    this._show(row);
    this._node.insertBefore(row.node, next);
    if (focused) row.link.focus({ preventScroll: true });
  }

  _count() {
    const counts = Object.fromEntries(ALL_MOODS.map((name) => [name, 0]));
    const queues = new Set();
    for (const { call } of this._rows.values()) {
      queues.add(call.queue);
      if (this._matches(call)) counts[moodOf(call).name] += 1;
    }
    this._onCounts(counts, queues);
  }

  _matches(call) {
    return !this._queue || call.queue === this._queue;
  }

  // --- keyboard and pointer ---

  _listen() {
    this._node.addEventListener("pointermove", () => (this._pointed = performance.now()));
    this._node.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && this._step(event.target.closest("li"), step)) event.preventDefault();
    });
    this._node.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser's own ways
      const node = event.target.closest("li");
      const row = [...this._rows.values()].find((each) => each.isOnWall && each.node === node);
      if (!row) return;
      event.preventDefault();
      this._onOpen(row);
    });
  }

  _passFocus({ node }) {
    if (node.contains(document.activeElement)) this._step(node, 1) || this._step(node, -1);
  }

  /** Focuses the next row that is shown, in either direction. */
  _step(node, step) {
    const next = step > 0 ? node.nextElementSibling : node.previousElementSibling;
    next?.firstElementChild.focus();
    return Boolean(next);
  }
}
