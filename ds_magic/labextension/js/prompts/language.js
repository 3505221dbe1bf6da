// The language of a prompt: the Markdown of the page, with our lines between its blocks.

import { dollars } from "./dollars.js";
import { parse } from "./line.js";
import { roleOf } from "./roles.js";

/** Characters of a line or paragraph that is looked at for its marks: one is parsed anew with each letter in it. */
const LONGEST = 8000;
const MAGIC = /^[ \t]*%%deepseek(?=\s|$)/;

/** What prompts do not mean: a rule below a line makes no heading, a blank before it no code; tags and entities are text. */
const REMOVED = ["SetextHeading", "IndentedCode", "HTMLBlock", "HTMLTag", "Entity"];

/** A message goes on to the next line of a role, which ends whatever is open: fences, lists and quotes. */
const messages = () => {
  const begun = new WeakMap();
  return {
    defineNodes: [
      { name: "Message", block: true, composite: (_, line) => !isOurs(line) },
      { name: "PromptLine", block: true },
    ],
    parseBlock: [{
      name: "PromptLine",
      before: "LinkReference",
      parse(context, line) {
        const from = context.lineStart, isLong = line.text.length > LONGEST;
        if (isOurs(line) && begun.get(context) !== from) {
          begun.set(context, from);
          context.startComposite("Message", 0);
          return null; // the same line comes again, within its message
        }
        if (!isOurs(line) && !isLong) return false;
        const said = isLong ? -1 : saidFrom(line.text);
        const children = said < 0 ? [] : context.parser.parseInline(line.text.slice(said), from + said);
        context.addElement(context.elt("PromptLine", from, from + line.text.length, children));
        context.nextLine();
        return true;
      },
      endLeaf: (_, line, leaf) => isOurs(line) || leaf.content.length + line.text.length > LONGEST,
    }],
  };
};

/** The language, once the page has loaded its Markdown. */
export async function promptLanguage({ Language, defineLanguageFacet, languageDataProp }, languages) {
  const { support } = await languages.getLanguage("ipythongfm");
  // An apostrophe is no bracket, and no line is a comment.
  const data = defineLanguageFacet({ closeBrackets: { brackets: ["(", "[", "{"] } });
  const { parser: pages } = support.language;
  const parser = pages.configure([
    { remove: REMOVED },
    dollars(pages),
    messages(),
    { props: [languageDataProp.add({ Document: data })] },
  ]);
  return new Language(data, parser, [], "dsp-prompt");
}

function isOurs(line) {
  return MAGIC.test(line.text) || Boolean(roleOf(line.text)?.role);
}

/** Where the prompt begins that stands behind the options; -1 where none does. */
function saidFrom(text) {
  const magic = MAGIC.exec(text);
  if (!magic) return -1;
  const at = magic[0].length + parse(text.slice(magic[0].length)).promptFrom;
  return at < text.length ? at : -1;
}
