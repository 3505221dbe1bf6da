// Whether there is anything to draw: all that a page without our magics loads of their drawing.

/** Whether a text may have one of our magics. */
export function mentionsMagic(text) {
  return text.includes("%deepseek") || text.includes("%ds_");
}
