"""What is noted on a completion: functions of what was asked and of what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .addresses import DEEPSEEK
from .model_choice import thinks_unless_told

if TYPE_CHECKING:
    from .request import ChatRequest
    from .response import ChatCompletion

IGNORED_WHILE_THINKING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


class Idle(NamedTuple):
    """Why a field has no effect, and what would make it count, as parts of a sentence."""

    why: str
    remedy: str = ""

    def __str__(self) -> str:
        return "; ".join(filter(None, self))


_THINKS = Idle("ignored while the model thinks", "`--no-thinking` makes it count")
_IS_OFF = Idle("no effect while thinking is off")
_DRAWS_NOTHING = Idle("no effect at temperature 0, where nothing is drawn")
_FIXED = Idle("DeepSeek's models keep it at 1 where they do not think")
_GONE = Idle("DeepSeek's models take no account of it any more")


ENDS_IN_BLANK = (
    "The prefix ends in a blank, which most words bring along as a part of their token: after it the model goes on "
    "with other words than without it. Leave it out."
)


def ends_in_blank(asked: ChatRequest | None) -> bool:
    """Whether the answer was made to begin with a text that ends in a blank, which only the embedded server heals."""
    return asked is not None and bool(asked.messages) and (asked.prefix or "").endswith(" ")


def idle_fields(request: ChatRequest, *, thinks: bool, server: str | None, model: str) -> dict[str, Idle]:
    """The fields that have no effect beside the others of `request`, set or not, by their wire names.

    `thinks`: whether the model does. `server`: who is asked, named as by a completion's `backend`; `model`: which one
    answers.
    """
    idle: dict[str, Idle] = {}
    if thinks:
        idle |= dict.fromkeys(IGNORED_WHILE_THINKING, _THINKS)
    elif request.temperature == 0:
        idle |= dict.fromkeys(("top_p", "seed"), _DRAWS_NOTHING)
    if request.thinking is not None and request.thinking.type == "disabled":
        idle["reasoning_effort"] = _IS_OFF
    if server == DEEPSEEK and thinks_unless_told(model):
        idle |= dict.fromkeys(("frequency_penalty", "presence_penalty"), _GONE)
        if not thinks:
            idle["top_p"] = _FIXED
    return idle


def without_effect(completion: ChatCompletion) -> list[str]:
    """What was set and passed over, a sentence for each reason.

    Whether the model thought shows in the answer only: newer models do so unasked.
    """
    asked = completion.request
    if asked is None:
        return []
    thought = bool(completion.reasoning_content)
    reasons: dict[Idle, list[str]] = {}
    idle = idle_fields(asked, thinks=thought, server=completion.backend, model=completion.model or asked.model)
    for name, reason in idle.items():
        if getattr(asked, name) is not None:
            reasons.setdefault(reason, []).append(name)
    return [f"{', '.join(names)}: {reason}." for reason, names in reasons.items()]


def left_out(completion: ChatCompletion) -> list[str]:
    """What was asked for and the server did not give; nothing where the answer is not whole."""
    asked = completion.request
    if asked is None or completion.interrupted or completion.is_empty:
        return []
    notes = []
    if asked.logprobs and completion.choice.logprobs is None:
        notes.append("This server gave no token probabilities.")
    # Begun by the user, it may be all there is.
    is_begun = any(getattr(last, "reasoning_content", None) for last in asked.messages[-1:])
    if asked.thinks and not completion.reasoning_content and not is_begun:
        notes.append("This server gave no reasoning.")
    if asked.forces_a_call and not completion.tool_calls:
        notes.append("This server made no call, which `tool_choice` asked for.")
    if completion.usage is None:
        notes.append("This server did not say how many tokens it was.")
    return notes
