"""Errors for people: what happened, why, what to do next; the traceback only for those who ask."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..api.errors import DeepSeekError
from ..api.text import MASK, for_report, shortened

_RED, _BOLD, _DIM, _RESET = "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_BAR = "▌ "
_NARROWEST, _WIDEST = 30, 92
_LONGEST = 1_200
"""Characters of a message or a remedy that a panel shows: wrapping takes a quadratic time. The error has them all."""

_TRANSPORT = re.compile(
    r"[/\\](IPython|traitlets|requests|urllib3|ipykernel)[/\\]|[/\\](socket|ssl|http[/\\]client)\.py$"
)


class _Explained(Protocol):
    """What can be asked for the traceback of its last error."""

    why: str


_Owner = TypeVar("_Owner", bound=_Explained)
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Raised = TypeVar("_Raised", bound=BaseException)


def guarded(
    method: Callable[Concatenate[_Owner, _Given], _Result],
) -> Callable[Concatenate[_Owner, _Given], _Result | None]:
    """A magic whose errors are panels: the cell fails, and the traceback waits for `%ds_why`.

    An interrupt before there was an answer to keep ends the magic quietly; a second one within a second
    goes on, so that Run All stops.

    The error goes on without the frames below, whose locals hold prompts, headers and keys.
    """

    @functools.wraps(method)
    def magic(self: _Owner, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Result | None:
        failure: BaseException
        try:
            return method(self, *args, **kwargs)
        except KeyboardInterrupt as interrupt:
            from ..stop import second_interrupt

            if second_interrupt(interrupt) is None:
                print("Stopped.")
                return None
            failure = _shown_as(KeyboardInterrupt(), lambda: [f"{_RED}{_BAR}{_RESET}Stopped, and Run All with it."])
        except Exception as error:
            self.why = traceback_text(error)
            failure = as_panel(error)
        del args, kwargs
        raise failure

    return magic


def as_panel(error: Exception) -> Exception:
    """The same error, shown by IPython as a panel instead of as a traceback."""
    error.__context__ = error.__cause__ = None
    return _shown_as(error, functools.partial(panel, error)).with_traceback(None)


def _shown_as(error: _Raised, lines: Callable[[], list[str]]) -> _Raised:
    # The name under which IPython looks for an error's own form.
    vars(error)["_render_traceback_"] = lambda *_: lines()
    return error


def panel(error: Exception, width: int | None = None) -> list[str]:
    """The lines of an error's panel, at most `width` characters wide, with ANSI colours."""
    width = max(_NARROWEST, min(width or shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST))
    code = getattr(error, "status", None)
    status = f" ({code})" if code else ""
    if isinstance(error, DeepSeekError):
        what, next_step = str(error), error.remedy
    else:
        what = f"{error} This was not foreseen: it is a mistake in ds_magic."
        next_step = "`%ds_why` shows where it happened; please report it."
    lines = [f"{_BOLD}{_RED}{type(error).__name__}{status}{_RESET}"]
    lines += _wrapped(what, width)
    if getattr(error, "partial", None) is not None:
        lines += [f"{_DIM}{line}{_RESET}" for line in _wrapped("What had arrived is kept in the result.", width)]
    lines += _wrapped(next_step, width, first="→ ")
    if "%ds_why" not in next_step:
        lines.append(f"{_DIM}%ds_why shows the traceback.{_RESET}")
    return [f"{_RED}{_BAR}{_RESET}{line}" for line in lines]


def traceback_text(error: Exception) -> str:
    """The traceback without the transport's and IPython's frames, without locals, without keys."""
    import traceback

    from ..backend import current_key

    told = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    todo: list[traceback.TracebackException | None] = [told]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.stack = traceback.StackSummary.from_list(
            [frame for frame in each.stack if frame.filename != __file__ and not _TRANSPORT.search(frame.filename)]
        )
        todo += [each.__cause__, each.__context__]
    text = "".join(told.format())
    key = current_key()
    return for_report(text.replace(key.reveal(), MASK) if key else text)


def _wrapped(text: str, width: int, first: str = "  ") -> list[str]:
    from wcwidth import wrap

    lines: list[str] = []
    for paragraph in shortened(for_report(text).rstrip("\n"), _LONGEST).split("\n"):
        lines += wrap(
            paragraph,
            width - len(_BAR),
            initial_indent="  " if lines else first,
            subsequent_indent="  ",
            replace_whitespace=False,
            break_on_hyphens=False,
        ) or [""]
    return lines
