/** A line of an index over time: the shape of a call at a glance. */

import { makeSvg, mark } from "./element.js";

const JOINED_SECONDS = 12; // points further apart are not joined: in between nothing was known

/** The line through `points` (the index `name` of each, `at` some second) of the last `span` seconds
 * up to `now`, in a box of `width` × `height`: 0 is at the bottom, 1 at the top. Empty while nothing
 * is known. */
export function path(points, name, now, span, { width, height }) {
  let line = "";
  let before = -Infinity;
  for (const { at, [name]: index } of points) {
    if (index === null || at < now - span) continue;
    const x = (width * (at - now + span)) / span;
    const y = 1 + (height - 2) * (1 - index);
    const joined = at - before <= JOINED_SECONDS;
    // A point alone is a short dash, lest it be invisible.
    line += joined ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${(x - 1).toFixed(1)} ${y.toFixed(1)}h1`;
    before = at;
  }
  return line;
}

/** An SVG that shows such a line; `shown(svg, d)` puts another one in. */
export function sparkline({ width, height }) {
  const box = { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  const middle = makeSvg("path.middle", { d: `M0 ${height / 2}H${width}` });
  return makeSvg("svg.sparkline", box, middle, makeSvg("path.line"));
}

export function draw(svg, line) {
  mark(svg.lastElementChild, "d", line);
}
