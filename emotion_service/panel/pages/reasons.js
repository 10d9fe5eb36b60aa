/** Why a state is claimed, in words. The service says it in English; German is said here, from the
 * same figures. */

/** At most so many sentences of a cue's `reasons`, strongest first, in the language of `texts`. */
export function sentences(reasons, texts, atMost = 3) {
  return (reasons ?? []).slice(0, atMost).map((reason) => upper(sentence(reason, texts)));
}

function sentence(reason, texts) {
  const german = texts.lang === "de" && GERMAN[reason.feature];
  return german ? german(reason) : reason.text;
}

function upper(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const usual = (reason) => (reason.own_baseline ? "als sonst" : "als üblich");
const above = (reason) => reason.value > reason.baseline;
const percent = (reason) => `${Math.abs(100 * (reason.value / reason.baseline - 1)).toFixed(0)} %`;
const figure = (value) => value.toFixed(1).replace(".", ",");

function either(higher, lower) {
  return (reason) => `${above(reason) ? higher : lower} ${usual(reason)}`;
}

const GERMAN = {
  pitch: (r) => `Stimme ${percent(r)} ${above(r) ? "höher" : "tiefer"} ${usual(r)}`,
  pace: (r) => `spricht ${percent(r)} ${above(r) ? "schneller" : "langsamer"} ${usual(r)}`,
  pitch_range: either("Tonhöhe schwankt stärker", "Tonhöhe schwankt weniger"),
  brightness: either("Stimme heller und härter", "Stimme weicher"),
  roughness: either("Stimme rauer", "Stimme glatter"),
  arousal: either("klingt erregter", "klingt ruhiger"),
  anger: either("klingt verärgerter", "klingt weniger verärgert"),
  reply_delay: (r) => `antwortet nach ${figure(r.value)} s, vorher nach ${figure(r.baseline)} s`,
  reply_length: (r) => `antwortet ${figure(r.value)} s lang, vorher ${figure(r.baseline)} s`,
  interruptions: (r) =>
    `fiel in der letzten Minute ${r.value.toFixed(0)} × ins Wort, vorher ${figure(r.baseline)} × je Minute`,
};
