/** Style sheets for shadow trees, fetched once: nothing is inline, so a strict CSP is no obstacle. */

/** The sheet `name` beside this file, ready to be adopted. */
export async function stylesheet(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: the panel server answered ${answer.status}`);
  return new CSSStyleSheet().replace(await answer.text());
}
