/** What both pages share: the language and the theme, and where a choice is kept. */

import { button, say } from "./element.js";
import { textsFor } from "./texts.js";

/** Two buttons, one for the language and one for the theme; `onTexts(texts)` is called now and at
 * each change of the language. */
export function pageSettings(onTexts) {
  const asked = new URLSearchParams(location.search).get("lang");
  let texts = textsFor(asked ?? recall("lang") ?? navigator.language);
  const language = button(".quiet.language", "", () => {
    texts = textsFor(texts.lang === "de" ? "en" : "de");
    keep("lang", texts.lang);
    speak();
  });
  const theme = button(".quiet.theme", "", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    keep("theme", document.documentElement.dataset.theme);
    name();
  });
  const name = () => say(theme, isDark() ? texts.toLight : texts.toDark);
  const speak = () => {
    document.documentElement.lang = texts.lang;
    say(language, texts.otherLanguage);
    language.lang = texts.lang === "de" ? "en" : "de";
    name();
    onTexts(texts);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  speak();
  return [language, theme];
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it lasts as long as the page
  }
}

function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
