// Lines that begin a message of a role, `@user name=ada` alone on a line, as `magics/prompt.py` reads them.

import { ROLES } from "./options.js";
import { ENDS, LETTERS, matchAt } from "./python.js";
import { plainRole } from "./typeset.js";

const VALUE = `(?:"[^"\\n]*"|'[^'\\n]*'|\\{\\{[^{}\\n]*\\}\\}|[^\\s"']+)`;
const ROLE = new RegExp(
  `^(\\\\+)?@(${Object.keys(ROLES).join("|")})((?:[ \\t]+(?:prefix|[${LETTERS}]+=${VALUE}))*)[ \\t]*$`, "u");
const ATTRIBUTE = new RegExp(`[ \\t]+(?:(prefix)${ENDS}|([${LETTERS}]+)=(${VALUE})${ENDS})`, "yu");

/**
 * What a line begins: `{role, to, attributes}`, where `to` is the end of the role's name; null where it is text.
 * An escaped one, which is text but for its first backslash, is `{escaped: true}`. Attributes: `{from, nameTo, to, name, wrong}`.
 */
export function roleOf(line) {
  if (line[0] !== "@" && line[0] !== "\\") return null;
  const plain = plainRole(line);
  const match = ROLE.exec(plain);
  if (!match) return null;
  if (match[1]) return { escaped: true };
  const role = match[2], attributes = [];
  let at = 1 + role.length;
  const found = { role, to: at, attributes };
  for (let each; (each = matchAt(ATTRIBUTE, plain, at)); ) {
    const name = each[1] ?? each[2];
    const to = at + each[0].length;
    const from = to - each[0].trimStart().length;
    const wrong = known(role).includes(name) ? null : noAttribute(role, name);
    attributes.push({ from, nameTo: from + name.length, to, name, wrong });
    at = to;
  }
  return found;
}

function known(role) {
  return role === "assistant" ? [...ROLES[role], "prefix"] : ROLES[role];
}

function noAttribute(role, name) {
  const has = known(role).map((each) => `\`${each}\``).join(", ");
  return `\`@${role}\` has no attribute \`${name}\`; it has ${has}.`;
}
