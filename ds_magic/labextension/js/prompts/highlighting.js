// Classes for what Markdown means in a prompt; the colours of code between fences are the page's.

/** The extension that gives the tokens of a prompt our classes. */
export function highlighting({ syntaxHighlighting }, { tagHighlighter, tags }) {
  const classes = tagHighlighter([
    { tag: tags.processingInstruction, class: "ds-mark" },
    { tag: tags.contentSeparator, class: "ds-mark" },
    { tag: tags.labelName, class: "ds-mark" },
    { tag: tags.monospace, class: "ds-mono" },
    { tag: tags.emphasis, class: "ds-em" },
    { tag: tags.strong, class: "ds-strong" },
    { tag: tags.heading, class: "ds-heading" },
    { tag: tags.strikethrough, class: "ds-struck" },
    { tag: tags.url, class: "ds-mono" },
  ], { scope: (type) => type.name === "Document" });
  return syntaxHighlighting(classes);
}
