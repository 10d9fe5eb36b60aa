/** The thread of `listenAside`: hears the stream, and passes it on a few events at a time. */

import { listen } from "./source.js";

const EVENTS = 50; // passed on at a time
const PAUSE_MS = 10;

const waiting = [];

addEventListener("message", ({ data: url }) => {
  listen(url, (kind, data) => {
    waiting.push([kind, data]);
    if (waiting.length === 1) setTimeout(pass, PAUSE_MS);
  });
});

function pass() {
  postMessage(waiting.splice(0, EVENTS));
  if (waiting.length) setTimeout(pass, PAUSE_MS);
}
