// Classes for what Markdown means in a prompt; the colours of code between fences are the page's.

/** The extension that gives the tokens of a prompt our classes. */
export function highlighting({ syntaxHighlighting }, { tagHighlighter, tags }) {
  const classes = tagHighlighter([
    { tag: tags.processingInstruction, class: "dsp-mark" },
    { tag: tags.contentSeparator, class: "dsp-mark" },
    { tag: tags.labelName, class: "dsp-mark" },
    { tag: tags.atom, class: "dsp-mark" }, // the box of a task
    { tag: [tags.string, tags.character], class: "dsp-text" }, // titles of links, names of emoji
    { tag: tags.monospace, class: "dsp-mono" },
    { tag: tags.emphasis, class: "dsp-em" },
    { tag: tags.strong, class: "dsp-strong" },
    { tag: tags.heading, class: "dsp-heading" },
    { tag: tags.strikethrough, class: "dsp-struck" },
    { tag: tags.quote, class: "dsp-quote" },
    { tag: tags.link, class: "dsp-link" },
    { tag: tags.url, class: "dsp-mono" },
  ], { scope: (type) => type.name === "Document" });
  return syntaxHighlighting(classes);
}
