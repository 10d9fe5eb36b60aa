/** Which language is spoken. */

import { ENGLISH } from "./english.js";
import { GERMAN } from "./german.js";

/** The words in the language of `tag` ("de-AT" is German); English where there are none. */
export function textsFor(tag) {
  return tag?.toLowerCase().startsWith("de") ? GERMAN : ENGLISH;
}
