/** Which calls come first: those that need somebody, the longest-lasting before the others. */

import { moodOf } from "./mood.js";

const BESIDE = { CURT: 3, URGENT: 2 };
const MOODS = { agitated: 4, distressed: 1 };

/** { rank, began }: the most pressing thing about a call, and when it began, in seconds of the
 * page's clock. Rank 0: nothing presses. */
export function need(call, now = performance.now() / 1000) {
  const mood = moodOf(call);
  const pressing = [{ rank: MOODS[mood.name] ?? 0, start: mood.cue?.start ?? 0 }];
  if (call.live) {
    for (const [kind, cue] of call.customer?.further ?? []) {
      pressing.push({ rank: BESIDE[kind] ?? 0, start: cue.start });
    }
  }
  const { rank, start } = pressing.reduce((most, next) => (next.rank > most.rank ? next : most));
  return { rank, began: rank ? Math.round(now - (call.now - start)) : 0 };
}

/** The ids of `calls` by need. What needs nothing keeps its place: the order of arrival. */
export function byNeed(calls) {
  const now = performance.now() / 1000;
  return calls
    .map((call) => ({ id: call.id, ...need(call, now) }))
    .sort((a, b) => b.rank - a.rank || a.began - b.began)
    .map(({ id }) => id);
}

/** The fewest moves that turn the order `current` into `wanted`, which has all its ids and maybe
 * more: pairs of an id and the one to put it behind (null: the beginning), to be done in this order.
 */
export function moves(current, wanted) {
  const place = new Map(current.map((id, index) => [id, index]));
  const stays = longestRise(wanted.map((id) => place.get(id)));
  return wanted.flatMap((id, i) => (stays.has(i) ? [] : [[id, wanted[i - 1] ?? null]]));
}

/** The positions of a longest rising subsequence of distinct numbers; undefined is in none. */
function longestRise(numbers) {
  const last = []; // last[n]: position where the best rise of length n + 1 ends
  const before = [];
  numbers.forEach((number, i) => {
    if (number === undefined) return;
    let low = 0;
    let high = last.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[last[middle]] < number) low = middle + 1;
      else high = middle;
    }
    before[i] = low ? last[low - 1] : -1;
    last[low] = i;
  });
  const rise = new Set();
  for (let i = last.at(-1) ?? -1; i >= 0; i = before[i]) rise.add(i);
  return rise;
}
