// The style sheets of the explorer, in the page once.

const SHEETS = ["colours.css", "style.css"];
let loading = null;

/** A promise that they are there. */
export function styles() {
  loading ??= Promise.all(SHEETS.map((name) => new Promise((resolve) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL(`../../../views/tokens/explorer/js/${name}`, import.meta.url);
    sheet.onload = sheet.onerror = resolve;
    document.head.append(sheet);
  })));
  return loading;
}
