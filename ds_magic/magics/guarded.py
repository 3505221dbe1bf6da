"""Errors of magics: a panel, and the traceback only for those who ask."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..api.clean_text import for_report, without_key
from ..views.panel import panel, with_bar

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
            failure = _shown_as(KeyboardInterrupt(), lambda: with_bar(["Stopped, and Run All with it."]))
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


def is_panel(error: BaseException) -> bool:
    """Whether a magic has made a panel of the error, and kept its traceback."""
    return "_render_traceback_" in vars(error)


def _shown_as(error: _Raised, lines: Callable[[], list[str]]) -> _Raised:
    # The name under which IPython looks for an error's own form.
    vars(error)["_render_traceback_"] = lambda *_: lines()
    return error


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
    return for_report(without_key(text, key.reveal() if key else None))
