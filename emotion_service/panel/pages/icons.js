/** One shape a meaning, so that nothing is told by colour alone. 24 × 24, strokes only. */

import { makeSvg } from "./element.js";

const CIRCLE = "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0";

const STROKES = {
  agitated: ["M12 3.5 21.5 20h-19z", "M12 10v4.5", "M12 17.2v.1"],
  distressed: ["M12 3c4 5 6 7.8 6 11a6 6 0 0 1-12 0c0-3.2 2-6 6-11z"],
  happy: [CIRCLE, "M8 13.5c1.2 3.3 6.8 3.3 8 0", "M9 9.2v.1", "M15 9.2v.1"],
  neutral: [CIRCLE, "M8 12h8"],
  insufficient: [{ d: CIRCLE, "stroke-dasharray": "2.6 3.1" }, "M9.4 9.6a2.7 2.7 0 1 1 3.7 2.5c-.8.3-1.1.8-1.1 1.7", "M12 17v.1"],
  not_scored: [CIRCLE, "M5.8 5.8 18.2 18.2"],
  waiting: ["M6 12v.1", "M12 12v.1", "M18 12v.1"],
  ended: ["M6 6h12v12H6z"],
  urgent: ["M4 13.5a8 8 0 1 0 16 0a8 8 0 1 0-16 0", "M12 9v4.5l3 2", "M9.5 2.5h5"],
  curt: ["M13 3 5.5 13.5H11L10 21l8-10.5h-5.5z"],
  talk_over: [
    "M4 9a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "M10 15a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
  ],
  dead_air: ["M9 6v12", "M15 6v12"],
  slow_reply: ["M7 4h10", "M7 20h10", "M8 4c0 5 8 11 8 16", "M16 4c0 5-8 11-8 16"],
  monologue: ["M4 5h16v11h-9l-4 4v-4H4z", "M8 9h8", "M8 12.3h5"],
  fast_pace: ["M5 6l6 6-6 6", "M12.5 6l6 6-6 6"],
  advice: ["M4 12h15", "M13 6l6 6-6 6"],
};

/** The icon of that name; decoration, the word stands beside it. */
export function icon(name) {
  const svg = makeSvg("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  turnInto(svg, name);
  return svg;
}

/** Changes which one it is. */
export function turnInto(svg, name) {
  if (svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  const strokes = STROKES[name].map((stroke) => (stroke.d ? stroke : { d: stroke }));
  svg.replaceChildren(...strokes.map((stroke) => makeSvg("path", stroke)));
}
