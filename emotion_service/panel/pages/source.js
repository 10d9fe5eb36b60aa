/** The panel server's stream of events: in this thread, or in one of its own. */

const KINDS = ["call", "cue", "summary", "heartbeat", "trend", "advice", "feedback", "server"];
const RETRY_MS = 3000; // after the server refused; a dropped connection the browser reopens itself
const LOST = '{"connected": false}';

/** Listens at `url` (a string) and calls `push(kind, data)` for each event; a lost connection is an
 * event of the kind "server" too. Returns a function that ends it. */
export function listen(url, push) {
  let source = null;
  let retry = 0;
  const lost = () => {
    push("server", LOST);
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
  };
  const open = () => {
    source = new EventSource(url);
    for (const kind of KINDS) source.addEventListener(kind, ({ data }) => push(kind, data));
    source.addEventListener("error", lost);
  };
  open();
  return () => {
    clearTimeout(retry);
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
