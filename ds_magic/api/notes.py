"""What is noted on a completion: functions of what was asked and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .response import ChatCompletion

IGNORED_WHILE_THINKING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


def without_effect(completion: ChatCompletion) -> list[str]:
    """What was set and passed over, a sentence for each reason.

    Whether the model thought shows in the answer only: newer models do so unasked.
    """
    asked = completion.request
    if asked is None or not completion.reasoning_content:
        return []
    names = [name for name in IGNORED_WHILE_THINKING if getattr(asked, name) is not None]
    return [f"{', '.join(names)}: ignored while the model thinks; `--no-thinking` makes it count."] if names else []
