"""A completion as script-free HTML, Markdown and plain text: what a notebook keeps.

Inline styles only, of the properties that JupyterLab leaves in an untrusted notebook. GitHub drops
those too, so the elements alone must tell the parts apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape

from ...api.choices import Choice, MessageToolCall
from ...api.clean_text import escaped, for_code, for_terminal, on_one_line
from ...api.errors import DeepSeekError
from ...api.request import ChatRequest
from ...api.response import ChatCompletion
from . import facts
from .code import code_to_html
from .markdown import markdown_to_html, plain_to_html, safe_markdown
from .rounds import earlier_to_html, earlier_to_text
from .tex import IGNORE

ROOT = "max-width:60em;overflow-wrap:break-word"
QUIET = "font-size:.85em;line-height:1.5;opacity:.75"
HEADER = f"{QUIET};margin:2px 0 6px"
BADGE = "display:inline-block;padding:0 8px;margin-right:8px;border-radius:9px;background:rgba(128,128,128,.22)"
REASONING = "margin:0 0 12px"
SUMMARY = f"{QUIET};cursor:pointer"
THOUGHTS = (
    "margin:6px 0 0 4px;padding:0 0 0 12px;border-left:2px solid rgba(128,128,128,.4);"
    "font-size:.93em;line-height:1.5;opacity:.8;white-space:pre-wrap;unicode-bidi:plaintext"
)
PREFIX = "opacity:.7;border-bottom:1px dotted"
CALL = "margin:0 0 12px"
END = "font-size:.85em;line-height:1.5;font-weight:600"
FOOTER = f"{QUIET};margin:4px 0 2px"
SEPARATOR = '<span style="opacity:.6"> · </span>'


def mimebundle(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> dict[str, str]:
    """text/html, text/markdown and text/plain of a completion. `thinking_seconds`: how long it thought."""
    return {
        "text/html": to_html(completion, thinking_seconds=thinking_seconds),
        "text/markdown": to_markdown(completion, thinking_seconds=thinking_seconds),
        "text/plain": to_text(completion, thinking_seconds=thinking_seconds),
    }


def to_html(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> str:
    """The whole answer: badge, reasoning folded, text formatted, tool calls, figures, probabilities."""
    parts = [header_html(completion.backend, completion.model), earlier_to_html(completion)]
    choices = completion.choices or [Choice()]
    for number, choice in enumerate(choices, 1):
        if len(choices) > 1:
            parts.append(f'<div style="{END};margin:8px 0 4px">Choice {number} of {len(choices)}</div>')
        parts.append(_choice_html(completion, choice, thinking_seconds if number == 1 else None))
        if number < len(choices):
            parts.append(_end_html(facts.ending(completion, choice.finish_reason) if choice.finish_reason else None))
    last = choices[-1].finish_reason
    parts.append(footer_html(completion, facts.ending(completion, last)))
    table = completion.logprobs
    if table:
        from ..tokens.tables import to_html as probabilities_html

        parts.append(probabilities_html(table))
    reasoning = completion.reasoning_logprobs
    if reasoning:
        from ..tokens.heatmap import heatmap_html

        parts.append(
            f'<details style="{REASONING}"><summary style="{SUMMARY}">Token probabilities of the reasoning</summary>'
            f"{heatmap_html(reasoning)}</details>"
        )
    return root_html("".join(parts))


_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def unfinished_bundle(backend: str, model: str, reasoning: str, content: str, mark: str) -> dict[str, str]:
    """What is kept of an answer that has not ended, as far as it has come; `mark` is the class of its frame."""
    said = "This answer had not ended when the notebook was saved."
    parts = [header_html(backend, model)]
    if reasoning:
        parts.append(reasoning_html(reasoning, "Reasoning"))
    paragraphs = "".join(f'<p dir="auto">{escaped(each)}</p>' for each in _BLANK_LINES.split(content.strip("\n")))
    parts.append(f'<div style="white-space:pre-wrap">{paragraphs}</div>')
    parts.append(f'<div style="{FOOTER}">{said}</div>')
    texts = [f"Reasoning:\n{reasoning}" if reasoning else "", content, said]
    plain = "\n\n".join(for_terminal(text) for text in texts if text)
    return {"text/html": root_html("".join(parts), mark), "text/plain": plain}


def error_bundle(error: DeepSeekError) -> dict[str, str]:
    """An error that no cell can show, because the cell has ended."""
    said = on_one_line(f"{error} {error.remedy}", 600)
    return {"text/html": root_html(_end_html(said)), "text/plain": said}


def root_html(inner: str, mark: str = "") -> str:
    """The frame of an answer, of the class `mark` too: nothing in it is typeset by the page but its formulas."""
    return f'<div class="{f"{mark} " if mark else ""}{IGNORE}" dir="ltr" style="{ROOT}">{inner}</div>'


def header_html(backend: str | None, model: str | None) -> str:
    """The line above an answer: a badge for where it ran, and the model."""
    badge = f'<span style="{BADGE}">{_isolated(backend)}</span>' if backend else ""
    return f'<div style="{HEADER}">{badge}{_isolated(model) if model else ""}</div>'


def _isolated(name: str) -> str:
    # A name goes to the next line as a whole, although it has hyphens.
    return f'<bdi style="display:inline-block">{escape(on_one_line(name, 80))}</bdi>'


def _choice_html(completion: ChatCompletion, choice: Choice, thinking_seconds: float | None) -> str:
    message = choice.message
    parts = []
    if message.reasoning_content:
        parts.append(reasoning_html(message.reasoning_content, _title(completion, thinking_seconds)))
    if message.content or prefix_of(completion):
        parts.append(content_html(completion, message.content or ""))
    if not (message.content or "").strip() and not message.tool_calls:
        parts.append(f'<p style="font-style:italic;opacity:.75">{facts.nothing(completion)}</p>')
    parts.extend(call_html(call) for call in message.tool_calls or ())
    return "".join(parts)


def _title(completion: ChatCompletion, thinking_seconds: float | None) -> str:
    usage = completion.usage
    return facts.thought(usage.reasoning_tokens if usage is not None else None, thinking_seconds)


def reasoning_html(reasoning: str, title: str) -> str:
    """The reasoning, folded under its title, as plain text."""
    return (
        f'<details style="{REASONING}"><summary style="{SUMMARY}">{escaped(title)}</summary>'
        f'<div dir="auto" style="{THOUGHTS}">{escaped(reasoning.strip())}</div></details>'
    )


def prefix_of(completion: ChatCompletion) -> str:
    """The text that the answer was made to begin with and its content does not have; empty where there is none."""
    if completion.branch is not None:
        return completion.branch.base
    return (completion.request and completion.request.prefix) or ""


def given_of(completion: ChatCompletion) -> str:
    """What of the text shown was given to the model: the prefix, in a branch also what it shares and its token."""
    branch = completion.branch
    if branch is None:
        return prefix_of(completion)
    return branch.base + completion.content[: branch.char + len(branch.instead)]


def is_json(request: ChatRequest | None) -> bool:
    """Whether the answer was asked for as JSON, and so is shown as code."""
    wanted = request.response_format if request is not None else None
    return wanted is not None and wanted.type != "text"


def content_html(completion: ChatCompletion, content: str) -> str:
    """The answer formatted, with the prefix that was given told apart from what the model wrote."""
    prefix = prefix_of(completion)
    if is_json(completion.request):
        return code_to_html(prefix + content, "json", wrap=True)
    html = markdown_to_html(prefix + content)
    given = given_of(completion)
    return mark_prefix(html, visible_length(given, html)) if given else html


_TAG_OR_TEXT = re.compile(r"<[^>]*>|[^<]+")
_CHARACTER = re.compile(r"&[#\w]+;|.", re.DOTALL)


def prefix_length(prefix: str) -> int:
    """How many characters of text the prefix is once it is formatted."""
    return text_length(markdown_to_html(prefix).rstrip())


def text_length(html: str) -> int:
    """How many characters of text the HTML holds."""
    return len(_characters(html))


def visible_length(prefix: str, html: str) -> int:
    """How many characters of the text in `html` are the prefix's: marks of Markdown do not count."""
    ours, whole = _characters(markdown_to_html(prefix)), _characters(html)
    while ours and ours[-1].isspace():
        ours.pop()
    same = 0
    while same < min(len(ours), len(whole)) and ours[same] == whole[same]:
        same += 1
    return same


def _characters(html: str) -> list[str]:
    runs = (run for run in _TAG_OR_TEXT.findall(html) if not run.startswith("<"))
    return [character for run in runs for character in _CHARACTER.findall(run)]


def mark_prefix(html: str, length: int) -> str:
    """`html` with its first `length` characters of text set apart."""
    out: list[str] = []
    position = 0
    for match in _TAG_OR_TEXT.finditer(html):
        run = match.group()
        if position >= length:
            out.append(html[match.start() :])
            break
        if run.startswith("<") or run.isspace():
            out.append(run)
            position += 0 if run.startswith("<") else len(run)
            continue
        characters = _CHARACTER.findall(run)
        ours = "".join(characters[: length - position])
        out.append(f'<span style="{PREFIX}" title="given as the prefix">{ours}</span>')
        out.append("".join(characters[length - position :]))
        position += len(characters)
    return "".join(out)


def call_html(call: MessageToolCall) -> str:
    """A tool call: its name, and its arguments as JSON, or as they came where they are none."""
    arguments, is_json = pretty_arguments(call.function.arguments)
    body = code_to_html(arguments, "json", wrap=True) if is_json else plain_to_html(arguments)
    name = escape(on_one_line(call.function.name or "a function without a name", 80))
    remark = "" if is_json else " with arguments that are no valid JSON"
    return f'<div style="{CALL}"><div style="{QUIET}">calls <code>{name}</code>{remark}</div>{body}</div>'


def pretty_arguments(arguments: str) -> tuple[str, bool]:
    """The arguments of a tool call indented, and whether they are valid JSON."""
    if len(arguments) > 20_000:
        return arguments, True
    try:
        return json.dumps(json.loads(arguments or "{}"), indent=2, ensure_ascii=False), True
    except (ValueError, RecursionError):
        return arguments, False


def footer_html(completion: ChatCompletion, end: str | None) -> str:
    """Under the answer: why it is not whole, what was changed on the way, and the figures."""
    known = facts.figures(completion)
    if end == facts.FINISHES["tool_calls"]:
        known, end = [*known, end], None
    figures = SEPARATOR.join(map(escape, known))
    notes = "".join(f'<div style="{QUIET}">Note: {escape(on_one_line(note, 400))}</div>' for note in completion.notes)
    return _end_html(end) + notes + (f'<div style="{FOOTER}">{figures}</div>' if figures else "")


def _end_html(end: str | None) -> str:
    return f'<div style="{END}">■ {escape(end)}</div>' if end else ""


def to_text(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> str:
    """The same as plain text: reasoning quoted, the answer as it came, one summary line, probabilities."""
    parts = _texts(completion, thinking_seconds, for_terminal, "| ", str)
    parts.append("\n".join([f"⟨{facts.summary(completion)}⟩", *_notes(completion)]))
    table = completion.logprobs
    if table:
        from ..tokens.tables import to_text as probabilities_text

        parts.append(probabilities_text(table))
    return "\n\n".join(parts)


def to_markdown(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> str:
    """The same as Markdown."""
    parts = _texts(completion, thinking_seconds, safe_markdown, "> ", _plain_markdown)
    lines = [f"*{_plain_markdown(facts.summary(completion))}*", *map(_plain_markdown, _notes(completion))]
    parts.append("  \n".join(lines))
    table = completion.logprobs
    if table:
        from ..tokens.tables import to_markdown as probabilities_markdown

        parts.append(probabilities_markdown(table))
    return "\n\n".join(parts)


def _notes(completion: ChatCompletion) -> list[str]:
    return [f"Note: {on_one_line(note, 400)}" for note in completion.notes]


def _plain_markdown(line: str) -> str:
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", line)


def _texts(
    completion: ChatCompletion,
    thinking_seconds: float | None,
    shown: Callable[[str], str],
    quote: str,
    unmarked: Callable[[str], str],
) -> list[str]:
    """The parts of the text: `shown` makes the model's text safe to show, `unmarked` a line of facts."""
    parts = [shown(part) for part in earlier_to_text(completion)]
    choices = completion.choices or [Choice()]
    for number, choice in enumerate(choices, 1):
        message = choice.message
        if len(choices) > 1:
            parts.append(f"Choice {number} of {len(choices)}:")
        if message.reasoning_content:
            title = _title(completion, thinking_seconds if number == 1 else None)
            lines = shown(message.reasoning_content.strip()).split("\n")
            parts.append(f"{title}:\n\n" + "\n".join((quote + line).rstrip() for line in lines))
        text = prefix_of(completion) + (message.content or "")
        if text:
            parts.append(shown(text))
        if not (message.content or "").strip() and not message.tool_calls:
            parts.append(facts.nothing(completion))
        for call in message.tool_calls or ():
            arguments, _ = pretty_arguments(call.function.arguments)
            indented = "\n".join("    " + line for line in for_code(arguments).split("\n"))
            parts.append(f"calls {unmarked(on_one_line(call.function.name, 80))}:\n\n{indented}")
        if number < len(choices):
            end = facts.ending(completion, choice.finish_reason) if choice.finish_reason else None
            parts.extend([f"({end})"] if end else [])
    return parts
