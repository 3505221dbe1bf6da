"""What was asked in a playground, and what came: the last few, to go back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...api.clean_text import on_one_line

if TYPE_CHECKING:
    from ...api.response import ChatCompletion

MOST = 6
"""How many are kept."""


class Run(NamedTuple):
    """What the form held when it was asked, and the answer."""

    rows: list[dict[str, Any]]
    settings: dict[str, Any]
    answer: ChatCompletion

    @property
    def label(self) -> str:
        """It in a line: how the answer begins, and the settings."""
        begins = on_one_line(self.answer.content or self.answer.reasoning_content or "", 30)
        said = [f"{name} {_said(value)}" for name, value in self.settings.items()]
        return on_one_line(f"“{begins}” {', '.join(said)}", 120)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(map(repr, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
