// Style sheets, in the page once.

const loading = new Map();

/** A promise that the style sheets at these addresses are there. */
export function styles(addresses) {
  return Promise.all(addresses.map((address) => {
    if (!loading.has(address.href)) loading.set(address.href, loaded(address.href));
    return loading.get(address.href);
  }));
}

function loaded(href) {
  return new Promise((resolve) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = href;
    sheet.onload = sheet.onerror = resolve;
    document.head.append(sheet);
  });
}

/** Those of the explorer, of whose elements other outputs are made as well. */
export const EXPLORER = [
  new URL("../../../views/tokens/explorer/js/colours.css", import.meta.url),
  new URL("../../../views/tokens/explorer/js/style.css", import.meta.url),
];
