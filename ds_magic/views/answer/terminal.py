"""An answer in a terminal, as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from ...api.clean_text import Joiner, for_code, for_terminal, on_one_line
from ...api.events import Preparing
from .. import colours
from ..tokens.tints import classes, runs
from . import facts
from .gap import CLOSES, OPENS, before, behind, gap_of
from .static import pretty_arguments
from .word_wrap import WordWrap

if TYPE_CHECKING:
    from ...api.delta import Delta
    from ...api.errors import DeepSeekError
    from ...api.events import Event
    from ...api.request import ChatRequest
    from ...api.response import ChatCompletion

DIM, PLAIN = "\x1b[2m", "\x1b[0m"
REDRAWN = "\r\x1b[2K"
"""What takes a line away and begins it anew."""
_ON_TEAL = "\x1b[38;5;16;48;5;73m"
TINTS = ("", "", "\x1b[4m", _ON_TEAL, f"\x1b[1;4m{_ON_TEAL}")
"""The classes of surprisal. A terminal does not say whether it is dark: black on teal reads on either."""
LEGEND = "Underlined: 2 bits of surprise and more. On colour: 4. Bold: 7."


class TerminalView:
    """Streams to `out`, reasoning dimmed where there are colours, then a summary line.

    Only the first choice streams; others follow whole.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._has_colours = colours.for_terminal(self._out)
        self._part: str | None = None
        self._joiner = Joiner()
        self._wrap = WordWrap(self._out) if self._out.isatty() else None
        self._line_is_open = False
        self._is_preparing = False
        self._is_tinted = False

    def start(self, request: ChatRequest, backend: str) -> None:
        """Show the prefix that the answer begins with."""
        self._prefix, self._gap = request.prefix or "", gap_of(request)
        if self._gap is not None:
            near = before(self._prefix)
            self._prefix = f"… {near.folded} before\n{near.near}" if near.far else near.near

    def event(self, event: Event) -> None:
        """A dim line: a wait, a place in the queue, a note."""
        if isinstance(event, Preparing) and self._out.isatty():
            self._out.write(f"{REDRAWN}{event}")  # over the last one, until something else is written
            self._out.flush()
            self._is_preparing = True
        elif not isinstance(event, Preparing) or event.share in (None, 1.0):
            self._write_dim_line(on_one_line(str(event), 400))

    def delta(self, delta: Delta) -> None:
        """Write what came, at once, but for a word that is not over yet."""
        if delta.index != 0:
            return
        if delta.reasoning_content:
            self._write("reasoning", delta.reasoning_content)
        if delta.content:
            found = runs(delta.content, delta.logprobs) if self._has_colours and delta.logprobs else []
            self._write_marked(found or [(delta.content, 0)])

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        """Write what is left, the tool calls, and the line of figures."""
        self._release()
        if completion is not None:
            if self._part is None:
                self._write_whole(completion)
            self._write_behind()
            self._end_line()
            self._write_rest(completion)
        self._end_line()
        self._out.flush()

    def _write(self, part: str, text: str, style: str = "") -> None:
        if part != self._part:
            self._switch_to(part)
        self._put(self._joiner.add(text), style)

    def _write_marked(self, tokens: Iterable[tuple[str, int]]) -> None:
        """Write tokens of the answer, each marked by its class of surprisal."""
        for text, class_ in tokens:
            self._is_tinted |= bool(TINTS[class_])
            self._write("answer", text, TINTS[class_])

    def _put(self, text: str, style: str = "") -> None:
        if not text:
            return
        shown = for_terminal(text)
        self._line_is_open = not shown.endswith("\n")
        if self._wrap is not None:
            shown = self._wrap.add(shown, DIM if self._has_colours and self._part == "reasoning" else style)
        self._out.write(shown)
        self._out.flush()

    def _switch_to(self, part: str) -> None:
        self._release()
        self._end_preparing()
        if self._part is not None:
            self._end_line()
            self._out.write("\n")
        self._part = part
        if part == "reasoning" and not self._has_colours:
            self._out.write("Reasoning:\n")
        if part == "answer" and self._prefix:
            prefix, self._prefix = self._prefix, ""
            self._put(prefix, DIM if self._gap and self._has_colours else "")
        if part == "answer" and self._gap is not None and not self._has_colours:
            self._put(OPENS)

    def _release(self) -> None:
        self._put(self._joiner.flush())

    def _write_whole(self, completion: ChatCompletion) -> None:
        """An answer that was not streamed."""
        if completion.reasoning_content:
            self._write("reasoning", completion.reasoning_content)
        table = completion.logprobs if self._has_colours else None
        if table and table.matches_content:
            self._write_marked(zip(table.text, classes(table).clip(0).tolist(), strict=True))
        elif completion.content:
            self._write("answer", completion.content)
        self._release()

    def _write_behind(self) -> None:
        """What stands behind a gap."""
        if self._gap is None or self._part is None:
            return
        self._release()
        near = behind(self._gap.behind)
        mark, style = ("", DIM) if self._has_colours else (CLOSES, "")
        self._put(mark + near.near, style)
        if near.far:
            self._write_dim_line(f"… {near.folded} behind")

    def _write_rest(self, completion: ChatCompletion) -> None:
        if not completion.content and not completion.tool_calls:
            self._write_dim_line(facts.nothing(completion))
        for call in completion.tool_calls:
            arguments, _ = pretty_arguments(call.function.arguments)
            self._out.write(f"calls {on_one_line(call.function.name, 80)} {for_code(arguments)}\n")
        for number, choice in enumerate(completion.choices[1:], 2):
            self._out.write(f"\nChoice {number} of {len(completion.choices)}:\n")
            self._out.write(for_terminal((choice.message.content or "").rstrip("\n")) + "\n")
        if self._is_tinted:
            self._write_dim_line(LEGEND)
        if table := completion.logprobs:
            from ..tokens.tables import to_text

            self._end_line()
            self._out.write("\n" + to_text(table, given=completion.prefix).rstrip("\n") + "\n\n")
            for note in table.notes:
                self._write_dim_line(f"Note: {on_one_line(note, 400)}")
        self._write_dim_line(f"⟨{facts.summary(completion)}⟩")

    def _write_dim_line(self, line: str) -> None:
        self._end_line()
        self._out.write(f"{DIM}{line}{PLAIN}\n" if self._has_colours else f"{line}\n")
        self._out.flush()

    def _end_line(self) -> None:
        self._end_preparing()
        if self._wrap is not None:
            self._out.write(self._wrap.end_line())
        if self._line_is_open:
            self._out.write("\n")
            self._line_is_open = False

    def _end_preparing(self) -> None:
        if self._is_preparing:
            self._out.write(REDRAWN)
            self._is_preparing = False
