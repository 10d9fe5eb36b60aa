/** The server-sent events of a panel server, read a few at a time and shown on frames. */

import { listen } from "./source.js";

const READ_EVENTS = 25; // at a time, at most,
const READ_MS = 6; // for at most so long
const HIDDEN_MS = 500; // between showings while the page is hidden: there are no frames then

/** Follows the calls that `query` asks the panel server at `server` (a URL) for.
 *
 * `onEvent(kind, message)` gets the events of calls, and "snapshot" and "complete" around a snapshot
 * of all live calls, which replaces what was known. `onShow()` is called on a frame after something
 * came, and on another one as long as it returns true; `restMs` lie between two. `onLink(up)`: the
 * service is heard, or not. `source`: listen or listenAside of source.js. */
export class Feed {
  constructor(server, query, { onEvent, onShow, onLink, restMs = 0, source = listen }) {
    const url = new URL("events", server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    this._onEvent = onEvent;
    this._onShow = onShow;
    this._onLink = onLink;
    this._restMs = restMs;
    this._queue = [];
    this._at = 0; // so many of them have been read
    this._reading = 0;
    this._snapshot = false;
    this._cancel = null; // of the showing to come
    this._rested = 0; // from when on there may be one
    this._closed = false;
    this._end = source(url.href, (kind, data) => this._push(kind, data));
  }

  close() {
    this._closed = true;
    this._end();
    clearTimeout(this._reading);
    this._cancel?.();
  }

  /** There will be a showing. */
  wake() {
    if (this._cancel || this._closed) return;
    const onFrame = () => {
      const frame = requestAnimationFrame(() => this._show());
      this._cancel = () => cancelAnimationFrame(frame);
    };
    const wait = document.hidden ? HIDDEN_MS : this._rested - performance.now();
    if (wait > 0) {
      const timer = setTimeout(document.hidden ? () => this._show() : onFrame, wait);
      this._cancel = () => clearTimeout(timer);
    } else onFrame();
  }

  /** Cheap, for a chunk of the stream may bring hundreds at once. */
  _push(kind, data) {
    this._queue.push([kind, data]);
    this._reading ||= setTimeout(() => this._read());
  }

  _read() {
    const began = performance.now();
    const last = document.hidden ? Infinity : this._at + READ_EVENTS;
    while (this._at < Math.min(last, this._queue.length)) {
      const [kind, data] = this._queue[this._at++];
      this._take(kind, JSON.parse(data));
      if (performance.now() - began > READ_MS && !document.hidden) break;
    }
    const left = this._at < this._queue.length;
    this._reading = left ? setTimeout(() => this._read()) : 0;
    if (!left) {
      this._queue = [];
      this._at = 0;
    }
    this.wake();
  }

  _show() {
    this._cancel = null;
    const more = this._onShow();
    this._rested = performance.now() + this._restMs;
    if (more) this.wake();
  }

  _take(kind, message) {
    if (kind === "server") this._link(message);
    else if (kind !== "heartbeat") this._onEvent(kind, message[kind]);
    else if (this._snapshot) {
      this._snapshot = false;
      this._onEvent("complete", null);
    }
  }

  _link({ connected, resumed }) {
    this._onLink(connected);
    if (!connected || resumed) return;
    this._snapshot = true;
    this._onEvent("snapshot", null);
  }
}
