"""Task: a row on its way, from what is to be asked to what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import UNAVAILABLE, AuthenticationError, DeepSeekError, InsufficientBalanceError
from .elsewhere import ExecutorGoneError

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion
    from ..conversation.turn import Audience, Turn
    from ..stop import Stop


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be asked: the Turn, and the factors that it was made of. `error`: why there is no Turn.

    `sample`: its number, from 1, where the same is asked several times. `client`: whom, where several are asked.
    """

    factors: Mapping[str, Any]
    turn: Turn | None
    error: DeepSeekError | None = None
    sample: int = 1
    client: Client | None = None


class Outcome(NamedTuple):
    """What came of a Turn; it pickles, as a Turn does, so that a worker may be elsewhere."""

    answer: ChatCompletion | None
    error: DeepSeekError | None = None


def asked(turn: Turn, client: Client, stop: Stop, audience: Audience | None = None) -> Outcome:
    """Ask once; never raises."""
    try:
        return Outcome(turn.answer(client, audience, stop))
    except DeepSeekError as error:
        return Outcome(error.partial, error.with_traceback(None))
    except Exception as error:  # of a function of the user's, of a schema: the other rows are none the worse for it
        return Outcome(None, DeepSeekError(f"{type(error).__name__}: {error}"))


@dataclass(order=True)
class Task:
    """A row on its way. Those to be asked again are in the order of when, then of the rows."""

    ready_at: float
    number: int
    asking: Asking
    tries: int = 0
    refusals: int = 0
    begun_at: float = 0.0
    error: DeepSeekError | None = None


def calls_functions(task: Task) -> bool:
    """Whether answering it calls functions of the user's."""
    turn = task.asking.turn
    return turn is not None and turn.run_tools and bool(turn.toolbox.functions)


def is_everybodys(error: DeepSeekError) -> bool:
    """Whether every other request would meet the same."""
    gone = AuthenticationError | InsufficientBalanceError | ExecutorGoneError
    return isinstance(error, gone) or error.code == UNAVAILABLE


def is_empty(outcome: Outcome) -> bool:
    """Whether nothing came, and nothing went wrong either."""
    return outcome.error is None and (outcome.answer is None or outcome.answer.is_empty)


def cost(answer: ChatCompletion | None) -> float:
    """The tokens that an answer took, all its rounds together; by its length where the server does not say."""
    if answer is None:
        return 0.0
    total = 0.0
    for completion in [each.completion for each in answer.rounds] or [answer]:
        usage = completion.usage
        if usage is not None and usage.total_tokens is not None:
            total += usage.total_tokens
        elif usage is not None and usage.completion_tokens is not None:
            total += (usage.prompt_tokens or 0) + usage.completion_tokens
        else:
            messages = completion.request.messages if completion.request is not None else ()
            said = sum(len(each.content or "") for each in messages)
            total += (said + len(completion.content) + len(completion.reasoning_content or "")) / 4
    return total
