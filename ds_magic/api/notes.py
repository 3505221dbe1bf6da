"""What is noted on a completion: functions of what was asked and of what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .addresses import DEEPSEEK, EMBEDDED
from .model_choice import STANDS_FOR, is_todays, thinks_unless_told

if TYPE_CHECKING:
    from .client import Client
    from .request import ChatRequest
    from .response import ChatCompletion

IGNORED_WHILE_THINKING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
PASSED_OVER = (*IGNORED_WHILE_THINKING, "seed", "reasoning_effort")
"""The fields that may have no effect, and that is no error."""
LEAST_TOP_P = 0.95
"""DeepSeek's models of today raise a smaller top_p to this while they think."""


class Idle(NamedTuple):
    """Why a field has no effect, and what would make it count, as parts of a sentence."""

    why: str
    remedy: str = ""

    def __str__(self) -> str:
        return "; ".join(filter(None, self))


_THINKS = Idle("ignored while the model thinks", "`--no-thinking` makes it count")
_RAISED = Idle(f"raised to {LEAST_TOP_P} while the model thinks", f"from {LEAST_TOP_P} on it counts")
_IS_OFF = Idle("no effect while thinking is off", "`--thinking` makes it count")
_DRAWS_NOTHING = Idle(
    "no effect at temperature 0, where nothing is drawn", "a temperature above 0 makes it count"
)
_FIXED = Idle(
    "DeepSeek's models keep it at 1 where they do not think", f"with `--thinking` it counts, from {LEAST_TOP_P} on"
)
_GONE = Idle(
    "DeepSeek's models take no account of it any more", "with the model on this machine (`--local`) it counts"
)


ENDS_IN_BLANK = (
    "The prefix ends in a blank, which most words bring along as a part of their token: after it the model goes on "
    "with other words than without it. Leave it out."
)

LED_BY_WORDS = (
    "This model was not made to fill gaps, and was led by words: it was shown the end of the text and asked for all of "
    "it. How sure it was is of these words, too."
)


def ends_in_blank(asked: ChatRequest | None) -> bool:
    """Whether the answer was made to begin with a text that ends in a blank, which only the embedded server heals."""
    return asked is not None and bool(asked.messages) and (asked.prefix or "").endswith(" ")


def idle_fields(request: ChatRequest, *, thinks: bool, server: str | None, model: str) -> dict[str, Idle]:
    """The fields that have no effect beside the others of `request`, set or not, by their wire names.

    `thinks`: whether the model does. `server`: who is asked, named as by a completion's `backend`; `model`: which one
    answers. Of models of other makes on other servers nobody knows what they ignore, and nothing is said.
    """
    idle: dict[str, Idle] = {}
    is_new = _is_todays(server, model) and bool(request.messages)  # of filling gaps it is not known
    if not thinks and request.temperature == 0:
        idle |= dict.fromkeys(("top_p", "seed"), _DRAWS_NOTHING)
    if thinks and is_new:
        idle["temperature"] = _THINKS
        if request.top_p is not None and request.top_p < LEAST_TOP_P:
            idle["top_p"] = _RAISED
    elif thinks and (server in (DEEPSEEK, EMBEDDED) or model in STANDS_FOR):
        idle |= dict.fromkeys(IGNORED_WHILE_THINKING, _THINKS)
    if request.thinking is not None and request.thinking.type == "disabled" and request.reasoning_effort != "none":
        idle["reasoning_effort"] = _IS_OFF
    if is_new:
        idle |= dict.fromkeys(("frequency_penalty", "presence_penalty"), _GONE)
        if not thinks:
            idle["top_p"] = _FIXED
    return idle


def idle_beforehand(request: ChatRequest, client: Client) -> dict[str, Idle]:
    """The fields of `request` that will have no effect, set or not, as far as that is known before it is asked."""
    is_named = "model" in request.model_fields_set
    asked = request if is_named else request.model_copy(update={"model": client.model})
    asked, _ = client.offer.replaced(asked, is_named)
    # The model on this machine thinks where it is asked to, by whichever name it is called.
    thinks = asked.thinks if client.server == EMBEDDED else asked.may_think
    return idle_fields(asked, thinks=thinks, server=client.server, model=asked.model)


def _is_todays(server: str | None, model: str) -> bool:
    """Whether this is one of DeepSeek's models of today, which may have another name at its own service."""
    if server == DEEPSEEK:
        return thinks_unless_told(model) and model not in STANDS_FOR
    return server != EMBEDDED and is_todays(model)


def without_effect(completion: ChatCompletion) -> list[str]:
    """What was set and passed over, a sentence for each reason."""
    reasons: dict[Idle, list[str]] = {}
    for name, reason in passed_over(completion).items():
        reasons.setdefault(reason, []).append(name)
    return [f"{', '.join(names)}: {reason}." for reason, names in reasons.items()]


def passed_over(completion: ChatCompletion) -> dict[str, Idle]:
    """The fields that were set and had no effect, and why.

    Whether the model thought shows in the answer: newer models do so unasked, and one may think of nothing. A server
    that says with what it drew is believed.
    """
    from .served import said_to_be_used

    asked = completion.request
    values = {} if asked is None else {name: getattr(asked, name) for name in PASSED_OVER}
    if asked is None or all(value is None for value in values.values()):
        return {}
    server, model, used = completion.backend, completion.model or asked.model, said_to_be_used(completion)
    is_otherwise = used.get("temperature", asked.temperature) != asked.temperature
    is_certain = is_otherwise or (server == DEEPSEEK and _is_todays(server, model))
    thought = bool(completion.reasoning_content) or (asked.may_think and is_certain)
    idle = idle_fields(asked, thinks=thought, server=server, model=model)
    found: dict[str, Idle] = {}
    for name, value in values.items():
        if value is None:
            continue
        in_force = used.get(name)
        if in_force is None or idle.get(name) == _DRAWS_NOTHING:
            reason = idle.get(name)
        elif in_force == value:
            reason = None
        else:
            reason = idle.get(name, _THINKS if thought else Idle(f"the server drew with {in_force:g}"))
        if reason is not None:
            found[name] = reason
    return found


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
