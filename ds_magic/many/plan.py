"""What is to be asked, counted before it starts, and what it may cost at the prices that the user has set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from ..api.errors import InvalidRequestError
from ..api.recorded import RECORDING
from ..api.spent import PER, UsageLog
from .progress import Listener, Progress

if TYPE_CHECKING:
    from ..api.client import Client
    from ..conversation.turn import Turn
    from .row import Row

_PLURALS = {
    "temperature": "temperatures", "model": "models", "system": "systems", "prefix": "prefixes", "seed": "seeds",
    "client": "clients", "local_model": "local models",
}
_LETTERS_A_TOKEN = 4

Prices = Mapping[str, Mapping[str, float]]
"""Prices for a million tokens by model: "input", "output" and, where cached ones cost less, "cached"."""


class Arm(Protocol):
    """One choice of values, and who is asked where several are."""

    @property
    def factors(self) -> Mapping[str, Any]: ...
    @property
    def client(self) -> Client | None: ...


@dataclass(frozen=True)
class Plan:
    """What is to be asked: so many `arms` of each of the `rows` (None: nobody knows how many), `times` each.

    `values`: how many values each factor has. `is_of_rows`: whether there are rows, or one question alone. `drawn`: how
    many samples are drawn from each answer afterwards. `turns`: the first of each arm, by which the cost is reckoned;
    `clients`: who is asked each of them, where several are.
    """

    arms: int = 1
    times: int = 1
    rows: int | None = 1
    values: Mapping[str, int] | None = None
    is_of_rows: bool = False
    drawn: int = 0
    turns: Sequence[Turn] = ()
    clients: Sequence[Client] = ()

    @classmethod
    def of(cls, arms: Sequence[Arm], turns: Iterable[Turn], **others: Any) -> Plan:
        """The plan of these arms."""
        names = arms[0].factors if arms else ()
        values = {name: len({repr(arm.factors[name]) for arm in arms}) for name in names}
        return cls(len(arms), values=values, turns=tuple(turns), **others)

    def asked_of(self, client: Client) -> Iterator[tuple[Turn, Client]]:
        """The first turn of each arm, and who is asked: `client` where it is one for all."""
        yield from zip(self.turns, self.clients or [client] * len(self.turns), strict=True)

    @property
    def total(self) -> int | None:
        """How many answers it makes; None where nobody knows."""
        return None if self.rows is None else self.rows * self.arms * self.times

    @property
    def groups(self) -> int | None:
        """How many different things are asked, whatever the number of samples; None where nobody knows."""
        return None if self.rows is None else self.rows * self.arms

    def __str__(self) -> str:
        said = [_counted(self.rows, "row")] if self.is_of_rows and self.rows is not None else []
        said += [_counted(n, name) for name, n in (self.values or {}).items() if n > 1]
        said += [_counted(self.times, "sample")] if self.times > 1 else []
        text, n = " × ".join(said), self.arms * self.times if self.total is None else self.total
        if len(said) > 1:
            text += f": {_counted(n, 'answer')}"
        if self.is_of_rows and self.rows is None:
            text = f"for each row {text}" if text else "an answer for each row"
        elif not text:
            text = _counted(n, "answer")
        if self.drawn:
            drawn = f"{_counted(self.drawn, 'sample')} drawn from"
            return f"{drawn} one answer" if n == 1 else f"{text}, {drawn} each"
        return text


def _counted(n: int, name: str) -> str:
    """`1 row`, `3 temperatures`, `3 values of top_p`."""
    if name in ("row", "sample", "answer"):
        return f"{n:,} {name}{'s' * (n != 1)}"
    return f"{n:,} {_PLURALS[name]}" if name in _PLURALS else f"{n:,} values of {name}"


class Costs:
    """What a plan may cost, and what it costs as it goes on. Nothing is said of a model whose price nobody gave."""

    def __init__(self, prices: Prices | None, plan: Plan, client: Client) -> None:
        self._prices = _checked(prices or {})
        self._spent = UsageLog()
        self._asked = 0
        self._is_more = False
        self._ahead = self._reckoned(plan, client) if self._prices and client.name != RECORDING else ""

    def _reckoned(self, plan: Plan, client: Client) -> str:
        """By the letters that are asked, and by the most tokens that may be answered."""
        if plan.total is None or not plan.turns:
            return ""
        input_, output, is_bounded = 0.0, 0.0, True
        for turn, its in plan.asked_of(client):
            request = turn.request
            price = self._prices.get(request.model if "model" in request.model_fields_set else its.model)
            if not price or "input" not in price or "output" not in price:
                return ""
            letters = len(request.model_dump_json(include={"messages", "tools", "prompt", "suffix"}))
            input_ += letters / _LETTERS_A_TOKEN * price["input"] / PER
            output += (request.max_tokens or 0) * price["output"] / PER
            asks_once = not turn.repair and not (turn.run_tools and turn.toolbox.functions)
            is_bounded = is_bounded and request.max_tokens is not None and asks_once
        share = plan.total / len(plan.turns)
        if is_bounded:
            return f"costs at most about {money((input_ + output) * share)}"
        return f"costs about {money(input_ * share)} for what is asked, and more for the answers"

    def add(self, row: Row) -> None:
        """One more row is done. What was in a journal, and what failed, costs nothing."""
        if not self._prices or row.recorded is not None:  # an answer of the past is not made before it is looked at
            return
        answer = row.answer
        if answer is None:
            return
        self._asked += 1
        for completion in [each.completion for each in answer.rounds] or [answer]:
            usage = completion.usage
            if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
                self._is_more = True
            else:
                self._spent.add(completion.model, None, usage)

    def said(self, done: int, total: int | None) -> str:
        """`costs at most about 0.33`; once something is measured `spent 0.012 so far, about 0.31 in all`."""
        costs = [sums.cost(self._prices.get(model)) for (model, _), sums in self._spent.sums.items()]
        if not costs:
            return self._ahead
        if None in costs:
            return ""
        spent = sum(cost for cost in costs if cost is not None)
        text = f"spent {'at least ' * self._is_more}{money(spent)}"
        if total is None or done >= total:
            return text
        return f"{text} so far, about {money(spent + spent / self._asked * (total - done))} in all"


def money(amount: float) -> str:
    """An amount to two digits at least: `0.012`, `0.31`, `1,234.50`."""
    digits = 2 if amount <= 0 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{amount:,.{min(digits, 12)}f}"


class Reckoned:
    """A listener that is told the plan and its cost, too, and what has `changed` since a journal was written."""

    def __init__(self, listener: Listener, plan: str, costs: Costs, changed: str = "") -> None:
        self._listener, self._plan, self._costs, self._changed = listener, plan, costs, changed
        self.close = listener.close

    def progress(self, progress: Progress) -> None:
        """So far it is, and so much it costs."""
        cost = self._costs.said(progress.done, progress.total)
        self._listener.progress(replace(progress, plan=self._plan, cost=cost, changed=self._changed))


def _checked(prices: Any) -> Prices:
    is_of_models = isinstance(prices, Mapping) and all(isinstance(each, Mapping) for each in prices.values())
    numbers = [price for each in prices.values() for price in each.values()] if is_of_models else [None]
    if not all(isinstance(each, int | float) and each >= 0 for each in numbers):
        raise InvalidRequestError(
            "`prices` are numbers by model, for a million tokens.", field="prices",
            remedy='For example `{"deepseek-flash": {"input": 0.5, "cached": 0.1, "output": 1.5}}`.',
        )
    found: Prices = prices
    return found
