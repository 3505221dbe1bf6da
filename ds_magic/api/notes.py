"""What is noted on a completion: functions of what was asked and of what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .request import ChatRequest
    from .response import ChatCompletion

IGNORED_WHILE_THINKING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


ENDS_IN_BLANK = (
    "The prefix ends in a blank, which most words bring along as a part of their token: after it the model goes on "
    "with other words than without it. Leave it out."
)


def ends_in_blank(asked: ChatRequest | None) -> bool:
    """Whether the answer was made to begin with a text that ends in a blank, which only the embedded server heals."""
    return asked is not None and (asked.prefix or "").endswith(" ")


def without_effect(completion: ChatCompletion) -> list[str]:
    """What was set and passed over, a sentence for each reason.

    Whether the model thought shows in the answer only: newer models do so unasked.
    """
    asked = completion.request
    if asked is None or not completion.reasoning_content:
        return []
    names = [name for name in IGNORED_WHILE_THINKING if getattr(asked, name) is not None]
    return [f"{', '.join(names)}: ignored while the model thinks; `--no-thinking` makes it count."] if names else []


def left_out(completion: ChatCompletion) -> list[str]:
    """What was asked for and the server did not give; nothing where the answer is not whole."""
    asked = completion.request
    if asked is None or completion.interrupted or completion.is_empty:
        return []
    notes = []
    if asked.logprobs and completion.choice.logprobs is None:
        notes.append("This server gave no token probabilities.")
    is_begun = bool(getattr(asked.messages[-1], "reasoning_content", None))  # by the user: it may be all there is
    if asked.thinks and not completion.reasoning_content and not is_begun:
        notes.append("This server gave no reasoning.")
    if asked.forces_a_call and not completion.tool_calls:
        notes.append("This server made no call, which `tool_choice` asked for.")
    if completion.usage is None:
        notes.append("This server did not say how many tokens it was.")
    return notes
