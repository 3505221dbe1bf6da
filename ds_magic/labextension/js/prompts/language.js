// The language of a prompt: the Markdown of the page, with our lines between its blocks.

import { parse } from "./line.js";
import { roleOf } from "./roles.js";

/** Characters of a line or paragraph that is looked at for its marks: one is parsed anew with each letter in it. */
const LONGEST = 8000;
const MAGIC = /^[ \t]*%%deepseek(?=\s|$)/;

/** What prompts do not mean: a rule below a line makes no heading, a blank before it no code, and tags are text. */
const REMOVED = ["SetextHeading", "IndentedCode", "HTMLBlock", "HTMLTag"];

const BETWEEN_BLOCKS = {
  defineNodes: [{ name: "PromptLine", block: true }],
  parseBlock: [{
    name: "PromptLine",
    before: "LinkReference",
    parse(context, line) {
      if (!isOurs(line) && line.text.length <= LONGEST) return false;
      const from = context.lineStart, said = line.text.length <= LONGEST ? saidFrom(line.text) : -1;
      const children = said < 0 ? [] : context.parser.parseInline(line.text.slice(said), from + said);
      context.addElement(context.elt("PromptLine", from, from + line.text.length, children));
      context.nextLine();
      return true;
    },
    endLeaf: (_, line, leaf) => isOurs(line) || leaf.content.length + line.text.length > LONGEST,
  }],
};

/** The language, once the page has loaded its Markdown. */
export async function promptLanguage({ Language, defineLanguageFacet, languageDataProp }, languages) {
  const { support } = await languages.getLanguage("ipythongfm");
  // An apostrophe is no bracket, and no line is a comment.
  const data = defineLanguageFacet({ closeBrackets: { brackets: ["(", "[", "{"] } });
  const parser = support.language.parser.configure([
    { remove: REMOVED },
    BETWEEN_BLOCKS,
    { props: [languageDataProp.add({ Document: data })] },
  ]);
  return new Language(data, parser, [], "dsp-prompt");
}

function isOurs(line) {
  return MAGIC.test(line.text) || (line.basePos === 0 && Boolean(roleOf(line.text)?.role));
}

/** Where the prompt begins that stands behind the options; -1 where none does. */
function saidFrom(text) {
  const magic = MAGIC.exec(text);
  if (!magic) return -1;
  const at = magic[0].length + parse(text.slice(magic[0].length)).promptFrom;
  return at < text.length ? at : -1;
}
