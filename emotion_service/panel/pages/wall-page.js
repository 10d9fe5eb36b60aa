/** The page around the wall: title, counts, the choice of a queue, and a call's panel at the side. */

import "./emotion-panel.js";
import { button, list, make, mark, say } from "./element.js";
import { icon } from "./icons.js";
import { ALL_MOODS } from "./mood.js";
import { pageSettings } from "./page.js";
import { Wall } from "./wall.js";

const aside = document.querySelector("aside");
const title = make("h1");
const total = make("span.total");
const link = make("span.link", { role: "status", "data-link": "connecting" });
const queueName = make("span");
const queue = make("select");
const counts = make("ul.counts", { role: "list" });
const none = make("p.none");
const rows = make("ul.rows", { role: "list" });
const more = button(".more", "", () => wall.extend());
const atTheEnd = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && wall.extend());
const settings = make("div.settings");
const seen = new Set([""]);
const ROOM = { all: 68, some: 42, little: 0 }; // from how many rem on a row has so much room
let texts;
let lostAt = null;
let count = null;
let further = 0; // calls that the wall does not reach
let opened = null; // the row whose panel is at the side
let wall = null;

settings.append(...pageSettings(speak));
document.querySelector("header").append(
  make("div.name", {}, title, total), link, make("label.filter", {}, queueName, queue), settings,
);
document.querySelector("main").append(counts, none, rows, more);
new ResizeObserver(([{ contentRect }]) => {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const room = Object.keys(ROOM).find((name) => contentRect.width >= ROOM[name] * rem);
  mark(rows, "data-room", room);
}).observe(document.querySelector("main"));
queue.addEventListener("change", () => choose(queue.value));
aside.addEventListener("keydown", ({ key }) => key === "Escape" && close());
wall = new Wall(new URL("..", import.meta.url), rows, {
  onCounts: showCounts, onMore: showMore, onLink: linked, onOpen: open,
});
wall.speak(texts);
choose(new URLSearchParams(location.search).get("queue") ?? "");

function speak(spoken) {
  texts = spoken;
  document.title = texts.wall.title;
  say(title, texts.wall.title);
  say(queueName, texts.wall.queue);
  mark(queue, "aria-label", texts.wall.queue);
  mark(counts, "aria-label", texts.wall.counts);
  mark(rows, "aria-label", texts.wall.list);
  mark(aside, "aria-label", texts.wall.panel);
  showQueues();
  showLink();
  if (count) showCounts(count, seen);
  showMore(further);
  if (opened) open(opened);
  wall?.speak(texts);
}

function showCounts(found, queues) {
  count = found;
  const known = seen.size;
  for (const name of queues) seen.add(name);
  if (seen.size > known) showQueues();
  const shown = ALL_MOODS.filter((name) => name !== "ended" && found[name] > 0);
  list(counts, shown, (name) => `${name} ${texts.lang}`, (name) =>
    make(`li.${name}`, {}, icon(name), make("strong"), ` ${texts.counted[name]}`),
  (node, name) => say(node.querySelector("strong"), String(found[name])));
  const all = shown.reduce((sum, name) => sum + found[name], 0);
  say(total, String(all));
  const empty = link.dataset.link === "live" && all === 0;
  say(none, empty ? texts.wall[queue.value ? "noneHere" : "none"] : "");
}

/** Whoever scrolls to the end need not press the button. */
function showMore(found) {
  further = found;
  if (!further && document.activeElement === more) rows.lastElementChild?.firstElementChild.focus();
  more.hidden = further === 0;
  say(more, texts.wall.more(further));
  atTheEnd.unobserve(more);
  if (further) atTheEnd.observe(more);
}

// --- the queue, which stands in the address too ---

function showQueues() {
  const chosen = queue.value;
  const names = [...seen].sort();
  list(queue, names, (name) => name, (name) => make("option", { value: name }), (node, name) => {
    say(node, name || texts.wall.all);
  });
  queue.value = chosen;
}

function choose(name) {
  seen.add(name);
  showQueues();
  queue.value = name;
  const address = new URL(location.href);
  if (name) address.searchParams.set("queue", name);
  else address.searchParams.delete("queue");
  history.replaceState(null, "", address);
  wall.filter(name);
}

// --- the connection ---

function linked(up) {
  const before = link.dataset.link;
  if (!up && before === "live") lostAt = new Date();
  link.dataset.link = up ? "live" : lostAt ? "lost" : "connecting";
  showLink();
}

function showLink() {
  const name = link.dataset.link;
  const time = lostAt?.toLocaleTimeString(texts.lang, { timeStyle: "short" });
  say(link, name === "lost" ? texts.link.lost(time) : texts.link[name]);
}

// --- a call at the side ---

function open(row) {
  if (opened) mark(opened.link, "aria-current", null);
  const again = opened === row;
  opened = row;
  mark(row.link, "aria-current", "true");
  const id = row.call.id;
  const shut = button(".quiet", texts.wall.close, close);
  const own = make("a", { href: row.link.getAttribute("href"), target: "_blank" }, texts.wall.ownWindow);
  const bar = make("div.bar", {}, make("h2", {}, texts.panel(id)), own, shut);
  const panel = again ? aside.querySelector("emotion-panel") : make("emotion-panel", { "call-id": id });
  panel.setAttribute("lang", texts.lang);
  if (again) aside.querySelector(".bar").replaceWith(bar); // a panel that is moved starts anew
  else aside.replaceChildren(bar, panel);
  aside.hidden = false;
  if (!again) shut.focus();
}

function close() {
  const { link: back } = opened;
  mark(back, "aria-current", null);
  opened = null;
  aside.replaceChildren();
  aside.hidden = true;
  (back.isConnected ? back : queue).focus();
}
