/** Numbers and spans as people read them. */

/** 0.72 → "72 %". */
export function percent(fraction) {
  return `${Math.round(fraction * 100)} %`;
}

/** Fills a meter. */
export function fill(level, fraction) {
  level.style.inlineSize = `${Math.round(fraction * 100)}%`;
}

/** 6.52 → "6.5", in German "6,5". */
export function decimal(value, texts, digits = 1) {
  return value.toLocaleString(texts.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A length of time in steps of 5 s below a minute: what changes every second draws the eye. */
export function span(seconds, texts) {
  const { span: words } = texts;
  if (seconds < 60) return words.seconds(Math.max(5, 5 * Math.floor(seconds / 5)));
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? words.minutes(minutes) : words.hours(Math.floor(minutes / 60), minutes % 60);
}

/** What a rule names as a skill, "de-escalation" or "de_escalation", as words. */
export function skillName(skill, texts) {
  const key = skill.replaceAll("_", "-");
  // Every object knows a "constructor", and rules name skills as they like.
  return Object.hasOwn(texts.skills, key) ? texts.skills[key] : skill.replaceAll("_", " ");
}
