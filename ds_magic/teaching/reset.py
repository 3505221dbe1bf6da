"""Everything of ours in a kernel set back to how it was when the extension was loaded; files stay."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Protocol

from ..api.spent import SPENT

PATIENCE = 5.0
"""Seconds in which an answer that is stopped has to end; a Stop ends it at once."""


class Running(Protocol):
    """An answer that comes in the background."""

    def stop(self) -> None:
        """End it."""

    def result(self, timeout: float | None = None) -> Any:
        """Wait for what came of it, or raise what went wrong."""


def reset(magics: Any, running: Iterable[Running]) -> str:
    """Set back what the `magics` of a shell hold; says in one line what that was.

    First the results are over, so that what is stopped is bound to nothing; then what it took is counted with the rest,
    and forgotten.
    """
    results, running = magics.results, list(running)
    results.is_over = True
    for each in running:
        each.stop()
    for each in running:
        try:
            each.result(PATIENCE)
        except Exception:  # it failed, or does not end: nothing of it is kept either way
            continue
    views = _close_views()
    done = [
        _counted(len(running), "answer in the background stopped", "answers in the background stopped"),
        _named(_forget_variables(magics.shell, results.variables), "variable"),
        _named(list(magics.chats), "conversation"),
        _counted(_forget_usage(), "answer in %ds_usage", "answers in %ds_usage"),
        _named(_restore_defaults(magics), "default"),
        _counted(views, "open view", "open views"),
    ]
    magics.begin()
    said = [each for each in done if each]
    return f"Set back: {', '.join(said)}." if said else "There was nothing to set back."


def _forget_variables(shell: Any, bound: dict[str, Any]) -> list[str]:
    """Delete the variables that still hold the result that was bound to them; one that is the user's by now stays."""
    ours = [name for name, result in bound.items() if shell.user_ns.get(name) is result]
    for name in ours:
        del shell.user_ns[name]
        shell.user_ns_hidden.pop(name, None)
    return ours


def _forget_usage() -> int:
    count = sum(each.answers for each in SPENT.sums.values())
    SPENT.clear()
    return count


def _restore_defaults(magics: Any) -> list[str]:
    """Take back what `%config` has set since the extension was loaded, also for when it is loaded again."""
    kind, shell = type(magics), magics.shell
    for config in (shell.config, magics.config):
        config[kind.__name__] = deepcopy(magics.configured)
    fresh = kind(shell=None, config=shell.config)
    changed = [name for name in magics.traits(config=True) if getattr(magics, name) != getattr(fresh, name)]
    for name in changed:
        setattr(magics, name, getattr(fresh, name))
    return changed


def _close_views() -> int:
    """Close the widgets of ours, and end what they ask; how many of them could be seen.

    That of an answer is none once the answer is there.
    """
    widgets = getattr(sys.modules.get("ipywidgets.widgets.widget"), "_instances", {})
    ours = [each for each in list(widgets.values()) if type(each).__module__.startswith("ds_magic.")]
    for each in ours:
        each.close()
    for thread in [thread for each in ours for thread in getattr(each, "threads", ())]:
        thread.join(PATIENCE)
    return sum(type(each).__name__ != "LiveWidget" for each in ours)


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}" if number else ""


def _named(names: list[str], what: str) -> str:
    shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    return f"{_counted(len(names), what, f'{what}s')} ({shown})" if names else ""
