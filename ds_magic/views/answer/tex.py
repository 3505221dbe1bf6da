r"""TeX in Markdown: found, escaped, and left for the page to typeset.

`\(…\)` and `\[…\]`, `$…$` without blanks inside or digits next to the dollars, `$$…$$`. The plugins there
are take a digit at the end of a paragraph for one before its first dollar, or scan in quadratic time.
"""

from __future__ import annotations

import re
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

# The answer stands in a block that the page must not typeset, so that "$5 and $10" stays text;
# these classes (MathJax 3 and 4, MathJax 2) switch it on again for a formula.
IGNORE = "mathjax_ignore tex2jax_ignore"
PROCESS = "mathjax_process tex2jax_process"

LONGEST_FORMULA = 2_000
MOST_LINES = 100

# Commands that reach beyond their formula: links and attributes in the page, definitions that stay
# in force for the formulas of other cells, other extensions.
_REACHES_OUT = re.compile(
    r"\\(?:href|url|require|unicode|class|cssId|style|data|html\w*|includegraphics|bbox|mmlToken|toggle|"
    r"[egx]?def|let|futurelet|newcommand|renewcommand|providecommand|newenvironment|renewenvironment|"
    r"DeclareMathOperator|label|tag|ref|eqref|texttip|mathtip|begingroup|endgroup|csname)(?![A-Za-z])"
    r"|\\[(\[)\]]|\$"
)
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}


def tex_plugin(md: MarkdownIt) -> None:
    """Add the rules for formulas to a Markdown parser."""
    md.inline.ruler.before("escape", "tex", _inline)
    md.block.ruler.before("fence", "tex_block", _block, {"alt": ["paragraph", "blockquote", "list"]})
    md.add_render_rule("tex", lambda self, tokens, at, options, env: formula(tokens[at].content, tokens[at].markup))
    md.add_render_rule(
        "tex_block",
        lambda self, tokens, at, options, env: f"<p>{formula(tokens[at].content, tokens[at].markup)}</p>\n",
    )


def formula(content: str, opening: str) -> str:
    """HTML that the page typesets, or the source as code where it is too long or reaches beyond itself."""
    closing = _CLOSING[opening]
    if len(content) > LONGEST_FORMULA or _REACHES_OUT.search(content):
        return f"<code>{escape(opening + content + closing)}</code>"
    if opening in ("$", "$$"):
        opening, closing = ("\\(", "\\)") if opening == "$" else ("\\[", "\\]")
    return f'<span class="{PROCESS}">{escape(opening + content + closing)}</span>'


def _inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    opening = source[start : start + 2]
    if opening not in _CLOSING:
        opening = source[start : start + 1]
        if opening != "$":
            return False
    elif opening == "$$" and source[start + 2 : start + 3] == "$":
        return False
    closing = _CLOSING[opening]
    begin = start + len(opening)
    end = _find(state, closing, begin)
    if end < 0 or not source[begin:end].strip():
        return False
    if opening == "$" and not _is_formula(source, start, end):
        return False
    if not silent:
        token = state.push("tex", "", 0)
        token.content, token.markup = source[begin:end], opening
    state.pos = end + len(closing)
    return True


def _is_formula(source: str, start: int, end: int) -> bool:
    around = source[start - 1 : start] + source[end + 1 : end + 2]
    inside = source[start + 1] + source[end - 1]
    if any(map(str.isalnum, around)) or any(map(str.isspace, inside)) or source[end - 1] == "\\":
        return False
    return "`" not in source[start:end]


def _find(state: StateInline, closing: str, begin: int) -> int:
    """Where `closing` stands at or after `begin`, or -1; a search that failed is not made again."""
    # From where on there is none, by text and closing.
    failed: dict[tuple[str, str], int] = state.env.setdefault("tex_without", {})
    key = (state.src, closing)
    if key in failed and begin >= failed[key]:
        return -1
    end = state.src.find(closing, begin)
    if end < 0:
        failed[key] = begin
    return end


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """`$$` or `\\[` at the start of a line, up to the line that ends with its closing; no blank line inside."""
    if state.is_code_block(start_line):
        return False
    start = state.bMarks[start_line] + state.tShift[start_line]
    opening = state.src[start : start + 2]
    if opening not in ("$$", "\\["):
        return False
    closing = _CLOSING[opening]
    lines: list[str] = []
    for line in range(start_line, min(end_line, start_line + MOST_LINES)):
        begin = state.bMarks[line] + state.tShift[line]
        if line > start_line and (state.sCount[line] < state.blkIndent or state.isEmpty(line)):
            return False
        text = state.src[begin + 2 * (line == start_line) : state.eMarks[line]].rstrip()
        where = text.find(closing)
        lines.append(text)
        if where < 0:
            continue
        if where != len(text) - 2 or not "".join(lines)[:-2].strip():
            return False
        if not silent:
            token = state.push("tex_block", "", 0)
            token.content, token.markup, token.map = "\n".join(lines)[:-2], opening, [start_line, line + 1]
            state.line = line + 1
        return True
    return False
