/** The server-sent events of a panel server, taken in slices so that no frame is missed. */

import { listen } from "./source.js";

const SLICE_EVENTS = 25; // at most so many a slice,
const SLICE_MS = 6; // for at most so long
const HIDDEN_MS = 500; // between slices while the page is hidden: there are no frames then

/** Follows the calls that `query` asks the panel server at `server` (a URL) for.
 *
 * `onEvent(kind, message)` gets the events of calls, and "snapshot" and "complete" around a snapshot
 * of all live calls, which replaces what was known. `onSlice(began)` is called after each slice, and
 * once more on the next frame whenever it returns true. `onLink(up)`: the service is heard, or not.
 * `source`: listen or listenAside of source.js. */
export class Feed {
  constructor(server, query, { onEvent, onSlice, onLink, source = listen }) {
    const url = new URL("events", server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    this._onEvent = onEvent;
    this._onSlice = onSlice;
    this._onLink = onLink;
    this._queue = [];
    this._read = 0; // so many of them have been taken
    this._snapshot = false;
    this._cancel = null; // of the slice to come
    this._closed = false;
    this._end = source(url.href, (kind, data) => this._push(kind, data));
  }

  close() {
    this._closed = true;
    this._end();
    this._cancel?.();
  }

  /** There will be a slice. */
  wake() {
    if (this._cancel || this._closed) return;
    if (document.hidden) {
      const timer = setTimeout(() => this._slice(), HIDDEN_MS);
      this._cancel = () => clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(() => this._slice());
      this._cancel = () => cancelAnimationFrame(frame);
    }
  }

  /** Cheap, for a chunk of the stream may bring hundreds at once. */
  _push(kind, data) {
    this._queue.push([kind, data]);
    this.wake();
  }

  _slice() {
    this._cancel = null;
    const began = performance.now();
    const last = document.hidden ? Infinity : this._read + SLICE_EVENTS;
    while (this._read < Math.min(last, this._queue.length)) {
      const [kind, data] = this._queue[this._read++];
      this._take(kind, JSON.parse(data));
      if (performance.now() - began > SLICE_MS && !document.hidden) break;
    }
    const left = this._read < this._queue.length;
    if (!left) {
      this._queue = [];
      this._read = 0;
    }
    if (this._onSlice(began) || left) this.wake();
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
