// Elements of a live view, and what they do by themselves: copying, and speaking to a screen reader.

export function withCopyButton(pre) {
  const box = make("div", { class: "ds-code" });
  const copy = button("Copy", "Copy the code", () => copyText(pre.textContent, copy));
  box.append(pre, copy);
  return box;
}

export async function copyText(text, control) {
  await navigator.clipboard?.writeText(text).catch(() => {});
  control.textContent = navigator.clipboard ? "Copied" : "Not allowed here";
  setTimeout(() => (control.textContent = "Copy"), 1500);
}

export function announce(text) {
  let region = document.getElementById("ds-magic-announcer");
  if (!region) {
    region = make("div", { id: "ds-magic-announcer", "aria-live": "polite", class: "ds-unseen" });
    document.body.append(region);
  }
  region.textContent = text;
}

export function make(tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

export function button(text, label, onClick) {
  const element = make("button", { type: "button", "aria-label": label, title: label }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** Nodes of HTML that the kernel made; a template's content runs nothing and loads nothing until it is placed. */
export function nodes(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.childNodes];
}

export function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
