"""A completion as script-free HTML, Markdown and plain text: what a notebook keeps.

Inline styles only, of the properties that JupyterLab leaves in an untrusted notebook. GitHub drops
those too, so the elements alone must tell the parts apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from ...api.choices import Choice, MessageToolCall
from ...api.clean_text import escaped, for_code, for_terminal, on_one_line
from ...api.errors import DeepSeekError
from ...api.request import ChatRequest
from ...api.response import ChatCompletion
from ..size import font_size, is_projected
from ..tokens.style import PRINTED, prose
from . import facts
from .code import code_to_html
from .gap import filled_html, gap_html, gap_of, gap_text
from .given import given_of, mark_prefix, visible_length
from .markdown import markdown_to_html, plain_to_html, safe_markdown
from .rounds import earlier_to_html, earlier_to_text
from .tex import IGNORE
from .tinted import numbered, tinted

if TYPE_CHECKING:
    from ...logprobs.table import LogprobTable

ROOT = f"padding-left:0.4em;overflow-wrap:break-word;{PRINTED}"
"""The frame; its text begins where a cell's code and what it prints do."""
MEASURE = "max-width:60em"
"""Of what is read; what is looked at takes the whole width."""
QUIET = "font-size:.86em;line-height:1.5;opacity:.75"
REASONING = "margin:0 0 12px"
SUMMARY = f"{QUIET};cursor:pointer"
THOUGHTS = (
    "margin:6px 0 0 4px;padding:0 0 0 12px;border-left:2px solid rgba(128,128,128,.4);"
    "font-size:.93em;line-height:1.5;opacity:.8;white-space:pre-wrap;unicode-bidi:plaintext"
)
CALL = "margin:0 0 12px"
END = "font-size:.85em;line-height:1.5;font-weight:600"
FOOTER = f"{QUIET};margin:4px 0 2px"
SEPARATOR = '<span style="opacity:.6"> · </span>'


def mimebundle(
    completion: ChatCompletion, *, thinking_seconds: float | None = None, mark: str = ""
) -> dict[str, str]:
    """text/html, text/markdown and text/plain of a completion. `thinking_seconds`: how long it thought.

    `mark`: the class of an explorer that is drawn in its place; its branches are kept with the answer.
    """
    return {
        "text/html": to_html(completion, thinking_seconds=thinking_seconds, mark=mark),
        "text/markdown": to_markdown(completion, thinking_seconds=thinking_seconds),
        "text/plain": to_text(completion, thinking_seconds=thinking_seconds),
    }


def alive(completion: ChatCompletion, bundle: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A bundle, and its metadata, with what a page needs that explores the answer; as it is without probabilities."""
    if not completion.logprobs:
        return bundle, {}
    from ..tokens.explorer.living import alive

    return alive(completion, bundle)


def to_html(completion: ChatCompletion, *, thinking_seconds: float | None = None, mark: str = "") -> str:
    """The whole answer: reasoning folded, text formatted and tinted, tool calls, probabilities, one dim last line."""
    parts = [earlier_to_html(completion)]
    choices = completion.choices or [Choice()]
    # The names are for a page that has the probabilities, too, and makes this alive.
    for number, choice in enumerate(choices, 1):
        if len(choices) > 1:
            above = 8 if number == 1 else 20
            parts.append(f'<div style="{END};margin:{above}px 0 4px">Choice {number} of {len(choices)}</div>')
        tables = _tables(completion, number - 1)
        parts.append(_choice_html(completion, choice, tables, thinking_seconds if number == 1 else None))
        parts += _probabilities_html(completion, *tables)
        if number < len(choices):
            parts.append(_end_html(facts.ending(completion, choice.finish_reason) if choice.finish_reason else None))
    if mark and completion.branches:
        parts.append(tree_html(completion))
    footer = footer_html(completion, facts.ending(completion, choices[-1].finish_reason))
    parts.append(f'<div class="dsx-static-end">{footer}</div>' if completion.logprobs else footer)
    return root_html("".join(parts), mark)


def tree_html(completion: ChatCompletion) -> str:
    """The branches of an answer, as they stand below it."""
    from ..tokens.tree import blocks_html

    return f'<div class="dsx-static-tree" style="margin:0.6em 0">{blocks_html(completion.tree())}</div>'


def _tables(completion: ChatCompletion, number: int) -> tuple[LogprobTable | Any, LogprobTable | Any]:
    """The probabilities of a choice and of the reasoning before it, each false where there are none."""
    if number:
        return completion.logprobs_of(number), None
    return completion.logprobs, completion.reasoning_logprobs


def _probabilities_html(
    completion: ChatCompletion, table: LogprobTable | Any, reasoning: LogprobTable | Any
) -> list[str]:
    """What stands under a choice that has them: what the tints in it mean, and bars or the table."""
    if not table and not reasoning:
        return []
    from ..tokens.heatmap import legend
    from ..tokens.tables import to_html as probabilities_html

    meaning = f'<div class="dsx-static-legend">{legend(*(each for each in (table, reasoning) if each))}</div>'
    if not table:
        return [meaning]
    return [meaning, f'<div class="dsx-static-bars">{probabilities_html(table, completion.prefix)}</div>']


_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def unfinished_bundle(
    backend: str, model: str, reasoning: str, content: str, mark: str, request: ChatRequest | None = None
) -> dict[str, str]:
    """What is kept of an answer that has not ended, as far as it has come; `mark` is the class of its frame."""
    said = "This answer had not ended when the notebook was saved."
    parts = [reasoning_html(reasoning, "Reasoning")] if reasoning else []
    paragraphs = "".join(f'<p dir="auto">{escaped(each)}</p>' for each in _BLANK_LINES.split(content.strip("\n")))
    if (asked := gap_of(request)) is not None:
        paragraphs = gap_html(asked, asked.prefix or "", filled_html(content))
    parts.append(f'<div style="{MEASURE};white-space:pre-wrap">{paragraphs}</div>')
    names = [on_one_line(name, 80) for name in (model, backend) if name]
    parts.append(small_print_html([*names, said]))
    texts = [f"Reasoning:\n{reasoning}" if reasoning else "", content, said]
    plain = "\n\n".join(for_terminal(text) for text in texts if text)
    return {"text/html": root_html("".join(parts), mark), "text/plain": plain}


def error_bundle(error: DeepSeekError) -> dict[str, str]:
    """An error that no cell can show, because the cell has ended."""
    said, remedy = on_one_line(error.message, 400), on_one_line(error.remedy, 400)
    html = f'<div style="{END}">■ {prose(said)}</div><div style="{QUIET}">→ {prose(remedy)}</div>'
    return {"text/html": root_html(html), "text/plain": f"{said}\n→ {remedy}"}


def root_html(inner: str, mark: str = "") -> str:
    """The frame of an answer, of the class `mark` too: nothing in it is typeset by the page but its formulas."""
    return f'<div class="{f"{mark} " if mark else ""}{IGNORE}" dir="ltr" style="{font_size()}{ROOT}">{inner}</div>'


def _choice_html(
    completion: ChatCompletion,
    choice: Choice,
    tables: tuple[LogprobTable | Any, LogprobTable | Any],
    thinking_seconds: float | None,
) -> str:
    """What is read of a choice, tinted by its `tables`: of the answer, and of the reasoning."""
    message = choice.message
    parts = []
    if message.reasoning_content:
        parts.append(reasoning_html(message.reasoning_content, _title(completion, thinking_seconds), tables[1]))
    if message.content or completion.prefix:
        content = content_html(completion, message.content or "", tables[0])
        parts.append(f'<div class="dsx-static-text">{content}</div>' if tables[0] else content)
    if not (message.content or "").strip() and not message.tool_calls:
        parts.append(f'<p style="font-style:italic;opacity:.75">{facts.nothing(completion)}</p>')
    parts.extend(call_html(call) for call in message.tool_calls or ())
    return f'<div style="{MEASURE}">{"".join(parts)}</div>'


def _title(completion: ChatCompletion, thinking_seconds: float | None) -> str:
    usage = completion.usage
    return facts.thought(usage.reasoning_tokens if usage is not None else None, thinking_seconds)


def reasoning_html(reasoning: str, title: str, table: LogprobTable | None = None) -> str:
    """The reasoning, folded under its title, as plain text, tinted where its `table` is there."""
    shown = escaped(reasoning)
    if table:
        shown = tinted(shown, reasoning, table)
    return (
        f'<details style="{REASONING}"><summary style="{SUMMARY}">{escaped(title)}</summary>'
        f'<div dir="auto" style="{THOUGHTS}">{shown.strip()}</div></details>'
    )


def is_code(request: ChatRequest | None) -> bool:
    """Whether the answer was asked for as JSON, or as a part of a text, and so is shown as code."""
    if gap_of(request) is not None:
        return True
    wanted = request.response_format if request is not None else None
    return wanted is not None and wanted.type != "text"


def content_html(completion: ChatCompletion, content: str, table: LogprobTable | None = None) -> str:
    """The answer formatted, the prefix that was given told apart, and tinted where its `table` is there."""
    if (asked := gap_of(completion.request)) is not None:
        html = filled_html(content)
        return gap_html(asked, completion.prefix, tinted(html, content, table) if table else html)
    html, text = formatted(completion, content, given_of(completion))
    return tinted(html, text, table, given=len(text) - len(content)) if table else html


def numbered_html(completion: ChatCompletion) -> str:
    """The answer formatted, each drawn group of its tokens in an element with its number."""
    if (asked := gap_of(completion.request)) is not None:
        html = numbered(filled_html(completion.content), completion.content, completion.logprobs)
        if not completion.content and len(completion.logprobs):  # all that there is to see of it: where it ended
            html = f'<span class="dsx-g0">{escape(for_code(completion.logprobs.label[0]))}</span>'
        return gap_html(asked, completion.prefix, html)
    html, text = formatted(completion, completion.content, completion.prefix)
    return numbered(html, text, completion.logprobs, given=len(text) - len(completion.content))


def formatted(completion: ChatCompletion, content: str, given: str) -> tuple[str, str]:
    """The HTML of an answer, what of it was `given` told apart, and the text that it was made of."""
    text = completion.prefix + content
    if is_code(completion.request):
        return code_to_html(text, "json", wrap=True), text
    html = markdown_to_html(text)
    return mark_prefix(html, visible_length(given, html)) if given else html, text


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
    """Under the answer: why it is not whole, what a reader should know, and one line with all the small print."""
    if end == facts.FINISHES["tool_calls"]:
        end = None
    notes = "".join(f'<div style="{QUIET}">{prose(note)}</div>' for note in _notes(completion))
    said = facts.small_print(completion)
    if is_projected():  # without small print, but never without a word that it is a recording
        said = [] if completion.recorded is None else [on_one_line(each, 80) for each in completion.recorded.names]
    return _end_html(end) + notes + small_print_html(said)


def small_print_html(figures: Iterable[str]) -> str:
    """The one dim line: each figure goes to the next line as a whole, although a name has hyphens."""
    line = SEPARATOR.join(f'<bdi style="display:inline-block">{escape(each)}</bdi>' for each in figures)
    return f'<div style="{FOOTER}">{line}</div>' if line else ""


def _end_html(end: str | None) -> str:
    return f'<div style="{END}">■ {escape(end)}</div>' if end else ""


def to_text(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> str:
    """The same as plain text: reasoning quoted, the answer as it came, probabilities, one summary line."""
    parts = _texts(completion, thinking_seconds, for_terminal, "| ", str, _probabilities_text)
    parts.append("\n".join([*_notes(completion), f"⟨{facts.summary(completion)}⟩"]))
    return "\n\n".join(filter(None, parts))


def to_markdown(completion: ChatCompletion, *, thinking_seconds: float | None = None) -> str:
    """The same as Markdown."""
    parts = _texts(completion, thinking_seconds, safe_markdown, "> ", _plain_markdown, _probabilities_markdown)
    lines = [*map(_plain_markdown, _notes(completion)), f"*{_plain_markdown(facts.summary(completion))}*"]
    parts.append("  \n".join(lines))
    return "\n\n".join(filter(None, parts))


def _probabilities_text(table: LogprobTable, given: str) -> str:
    from ..tokens.tables_text import to_text

    return to_text(table, given=given)


def _probabilities_markdown(table: LogprobTable, _: str) -> str:
    from ..tokens.tables_text import to_markdown

    return to_markdown(table)


def _notes(completion: ChatCompletion) -> list[str]:
    """What was changed or left out on the way, and what is odd about the probabilities."""
    notes = [*completion.notes, *(completion.logprobs.notes if completion.logprobs else ())]
    return [f"Note: {on_one_line(note, 400)}" for note in notes]


def _plain_markdown(line: str) -> str:
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", line)


def _indented(code: str) -> str:
    return "\n".join("    " + line for line in for_code(code).split("\n"))


def _texts(
    completion: ChatCompletion,
    thinking_seconds: float | None,
    shown: Callable[[str], str],
    quote: str,
    unmarked: Callable[[str], str],
    probabilities: Callable[[LogprobTable, str], str],
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
        text = completion.prefix + (message.content or "")
        if gap_of(completion.request) is not None:
            code = _indented if shown is safe_markdown else shown
            parts.append(gap_text(completion, completion.prefix, message.content or "", code))
        elif text:
            parts.append(shown(text))
        if not (message.content or "").strip() and not message.tool_calls:
            parts.append(facts.nothing(completion))
        for call in message.tool_calls or ():
            arguments, _ = pretty_arguments(call.function.arguments)
            parts.append(f"calls {unmarked(on_one_line(call.function.name, 80))}:\n\n{_indented(arguments)}")
        if table := _tables(completion, number - 1)[0]:
            parts.append(probabilities(table, completion.prefix))
        if number < len(choices):
            end = facts.ending(completion, choice.finish_reason) if choice.finish_reason else None
            parts.extend([f"({end})"] if end else [])
    return parts
