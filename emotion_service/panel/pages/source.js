/** The panel server's stream of events: in this thread, or in one of its own. */

const KINDS = ["call", "cue", "summary", "heartbeat", "trend", "advice", "feedback", "server"];
const RETRY_MS = 3000; // after the server refused; a dropped connection the browser reopens itself
const STILL_MS = 20_000; // without even a heartbeat, of which one comes each 5 s: the line is dead
const LOST = '{"connected": false}';

/** Listens at `url` (a string) and calls `push(kind, data)` for each event; a lost connection is an
 * event of the kind "server" too, and so is one that stands still, which no browser notices:
 * another is opened that goes on where it stopped. Returns a function that ends it. */
export function listen(url, push) {
  const address = new URL(url);
  let source = null;
  let timer = 0; // of opening another one
  const reopenIn = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(reopen, ms);
  };
  const heard = (kind, { data, lastEventId }) => {
    // Not all have an id, and an EventSource knows only those that it heard itself.
    if (lastEventId) address.searchParams.set("last_event_id", lastEventId);
    reopenIn(STILL_MS);
    push(kind, data);
  };
  const lost = () => {
    push("server", LOST);
    if (source.readyState === EventSource.CLOSED) reopenIn(RETRY_MS);
  };
  const open = () => {
    source = new EventSource(address);
    for (const kind of KINDS) source.addEventListener(kind, (event) => heard(kind, event));
    source.addEventListener("error", lost);
    reopenIn(STILL_MS);
  };
  const reopen = () => {
    source.close();
    push("server", LOST);
    open();
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** The same in a thread of its own: however many events come at once, this thread gets them a few
 * at a time. For pages of the panel server only: a worker must come from its page's own origin. */
export function listenAside(url, push) {
  const worker = new Worker(new URL("source-worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => data.forEach(([kind, each]) => push(kind, each)));
  worker.postMessage(url);
  return () => worker.terminate();
}
