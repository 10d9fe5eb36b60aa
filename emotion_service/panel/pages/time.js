/** Positions in a call, as the API writes them and as people read them. */

/** Seconds of a proto-JSON Duration, "3.500s" → 3.5; 0 where it is unset. */
export function seconds(duration) {
  return duration ? Number.parseFloat(duration) : 0;
}

/** A position or length as a call timer shows it: 65.3 → "1:05". */
export function clock(position) {
  const whole = Math.max(0, Math.floor(position));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
