r"""TeX in Markdown: found, escaped, and left for the page to typeset.

`\(…\)` and `\[…\]`, `$…$` without blanks inside or digits next to the dollars, `$$…$$`, and environments that
stand bare (`\begin{align}…\end{align}`), which the page's typesetter takes too. The plugins there are take a digit
at the end of a paragraph for one before its first dollar, or scan in quadratic time.
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
    r"|\\[()\]]|(?<!\\)\\\[|\\\[(?!-?[\d.]+ ?(?:pt|em|ex|mu|mm|cm|in|px)\])|\$"  # but `\\[4pt]` is a gap
)
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}

_DISPLAYS = r"(?:equation|align|alignat|flalign|gather|multline|eqnarray)\*?"
# These stand within a display, and may hold one of their own name.
_PARTS = r"(?:(?:p|b|B|v|V|small)?matrix|array|subarray|cases|aligned|alignedat|gathered|split)"
ENVIRONMENT = rf"\\begin\{{(?:{_DISPLAYS}|{_PARTS})\}}"
_BEGIN = re.compile(ENVIRONMENT)
_IS_PART = re.compile(rf"\\begin\{{{_PARTS}\}}")
_BEGIN_OR_END = re.compile(rf"\\(?:(begin|end)\{{({_DISPLAYS}|{_PARTS})\}}|.)", re.DOTALL)


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
    closing = _closing(opening)
    if len(content) > LONGEST_FORMULA or _REACHES_OUT.search(content):
        return f"<code>{escape(opening + content + closing)}</code>"
    if opening in ("$", "$$"):
        opening, closing = ("\\(", "\\)") if opening == "$" else ("\\[", "\\]")
    elif _IS_PART.fullmatch(opening):
        opening, closing = f"\\[{opening}", f"{closing}\\]"
    return f'<span class="{PROCESS}">{escape(opening + content + closing)}</span>'


def _closing(opening: str) -> str:
    return _CLOSING.get(opening) or opening.replace("begin", "end", 1)


def environments(text: str) -> dict[int, int]:
    """Where each environment begins, and where it ends, which has an end; those of one name are nested."""
    found: dict[int, int] = {}
    begun: dict[str, list[int]] = {}
    for match in _BEGIN_OR_END.finditer(text):
        if match[1] == "begin":
            begun.setdefault(match[2], []).append(match.start())
        elif match[1] and begun.get(match[2]):
            found[begun[match[2]].pop()] = match.end()
    return found


def _end_of_environment(state: StateInline | StateBlock, start: int) -> int:
    """Where the environment ends that begins at `start`, or -1; the text is read once for all of them."""
    known: dict[str, dict[int, int]] = state.env.setdefault("tex_environments", {})
    if state.src not in known:
        known[state.src] = environments(state.src)
    return known[state.src].get(start, -1)


def _inline(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if (environment := _BEGIN.match(source, start)) is not None:
        return _inline_environment(state, environment[0], silent)
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


def _inline_environment(state: StateInline, opening: str, silent: bool) -> bool:
    end = _end_of_environment(state, state.pos)
    content = state.src[state.pos + len(opening) : end - len(_closing(opening))]
    if end < 0 or "`" in content or not content.strip():
        return False
    if not silent:
        token = state.push("tex", "", 0)
        token.content, token.markup = content, opening
    state.pos = end
    return True


def _is_formula(source: str, start: int, end: int) -> bool:
    around = source[start - 1 : start] + source[end + 1 : end + 2]
    inside = source[start + 1] + source[end - 1]
    if any(map(str.isalnum, around)) or any(map(str.isspace, inside)) or source[end - 1] == "\\":
        return False
    return "`" not in source[start:end]


def _find(state: StateInline | StateBlock, closing: str, begin: int) -> int:
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
    """A display that begins a line, up to the line that ends with its closing; no blank line inside."""
    if state.is_code_block(start_line):
        return False
    start = state.bMarks[start_line] + state.tShift[start_line]
    environment = _BEGIN.match(state.src, start)
    opening = state.src[start : start + 2] if environment is None else environment[0]
    if environment is None and opening not in ("$$", "\\["):
        return False
    closing = _closing(opening)
    last_line = min(end_line, start_line + MOST_LINES) - 1
    end = _find(state, closing, start + 2) if environment is None else _end_of_environment(state, start)
    if not 0 <= end <= state.eMarks[last_line]:
        return False
    if environment is not None and silent and _is_within(state, start_line):
        return False
    lines: list[str] = []
    for line in range(start_line, last_line + 1):
        begin = state.bMarks[line] + state.tShift[line]
        if line > start_line and (state.sCount[line] < state.blkIndent or state.isEmpty(line)):
            return False
        begin += len(opening) if line == start_line else 0
        text = state.src[begin : state.eMarks[line]].rstrip()
        lines.append(text)
        where = text.find(closing) if environment is None else end - len(closing) - begin
        if where < 0 or where >= len(text):
            continue
        content = "\n".join(lines)[: -len(closing)]
        if where != len(text) - len(closing) or not content.strip():
            return False
        if not silent:
            token = state.push("tex_block", "", 0)
            token.content, token.markup, token.map = content, opening, [start_line, line + 1]
            state.line = line + 1
        return True
    return False


def _is_within(state: StateBlock, line: int) -> bool:
    """Whether the lines of the paragraph before this one leave a formula or a code span open."""
    first = max(state.line, line - MOST_LINES)
    before = state.src[state.bMarks[first] : state.bMarks[line]]
    is_open = any(before.rfind(opening) > before.rfind(_CLOSING[opening]) for opening in ("\\(", "\\["))
    return is_open or before.count("$$") % 2 == 1 or before.count("`") % 2 == 1
