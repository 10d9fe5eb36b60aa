/** Building and changing elements; nothing is touched that does not change. */

const SVG = "http://www.w3.org/2000/svg";

/** An element of `spec`, "p" or "p.muted.small", with attributes and children (nodes or text). */
export function make(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  return finish(document.createElement(tag), classes, attributes, children);
}

/** The same of SVG. */
export function makeSvg(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  return finish(document.createElementNS(SVG, tag), classes, attributes, children);
}

/** A button that does `act`. */
export function button(spec, text, act) {
  const made = make(`button${spec}`, { type: "button" }, text);
  made.addEventListener("click", act);
  return made;
}

/** Sets the text of an element, if it differs. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute, or takes it away where `value` is null, if it differs. */
export function mark(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/** Makes `list` show one item a key: `make(item)` for those that are new, `show(node, item)` for
 * all. Nodes of items that stay are kept, in the order of `items`. */
export function list(parent, items, keyOf, makeItem, show = () => {}) {
  const kept = new Map(); // key → nodes, for a key may come twice
  for (const node of parent.children) {
    kept.set(node.dataset.key, [...(kept.get(node.dataset.key) ?? []), node]);
  }
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    const node = kept.get(key)?.shift() ?? makeItem(item);
    node.dataset.key = key;
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
    show(node, item);
  });
  for (const node of [...kept.values()].flat()) node.remove();
}

function finish(element, classes, attributes, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
