// Small elements that all parts of the explorer are made of.

/** An element; `children` are nodes or text, which never becomes markup. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A sentence of ours: what stands in backticks is code. */
export function prose(text) {
  return make("div", "", ...text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? make("code", "", part) : part)));
}

/** A button with a text; `label` is what it does, where the text alone does not say it. */
export function button(className, text, label, action) {
  const element = make("button", className, text);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  if (label) element.title = label;
  element.addEventListener("click", action);
  return element;
}

/** A token's label, apart from the direction of what stands around. */
export function token(text) {
  return make("bdi", "dsx-label", text);
}

/** What scrolls an element up and down: the page, or a part of it. */
export function scrollerOf(element) {
  for (let above = element.parentElement; above; above = above.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(above).overflowY);
    if (scrolls && above.scrollHeight > above.clientHeight) return above;
  }
  return document.scrollingElement;
}

/**
 * Arrow keys among `elements()`, round the ends; true where the key was one of them. Only one has the tab stop, so
 * that a whole list is one step for the Tab key.
 */
export function arrows(event, elements, [back, forth]) {
  const move = { [back]: -1, [forth]: 1 }[event.key];
  if (!move) return false;
  const all = elements();
  const at = all.indexOf(document.activeElement);
  if (!all.length) return false;
  event.preventDefault();
  all[(at + move + all.length) % all.length].focus();
  return true;
}
