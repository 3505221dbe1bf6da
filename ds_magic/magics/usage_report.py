"""Tokens over the life of a kernel, by model; cost only from prices that the user has set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..api.response import ChatCompletion

PER = 1_000_000
"""Prices are for this many tokens."""


@dataclass
class Sums:
    """The sums of one model; None what its server never told. `uncounted`: answers without any figures."""

    answers: int = 0
    prompt: int = 0
    cached: int | None = None
    completion: int = 0
    reasoning: int | None = None
    uncounted: int = 0

    def cost(self, prices: Mapping[str, float] | None) -> float | None:
        """The cost by prices for a million tokens: "input", "output" and, if cached ones cost less, "cached".

        None where no prices are set or where not everything was counted.
        """
        if not prices or self.uncounted or "input" not in prices or "output" not in prices:
            return None
        cached = self.cached or 0
        price_of_cached = prices.get("cached", prices["input"])
        of_prompts = (self.prompt - cached) * prices["input"] + cached * price_of_cached
        return (of_prompts + self.completion * prices["output"]) / PER


class UsageLog:
    """What was used, by model and place."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], Sums] = {}

    def add(self, completion: ChatCompletion) -> None:
        """Add one answer."""
        where = (completion.model or "unknown model", completion.backend or "")
        sums = self.sums.setdefault(where, Sums())
        sums.answers += 1
        usage = completion.usage
        if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
            sums.uncounted += 1
            return
        sums.prompt += usage.prompt_tokens
        sums.completion += usage.completion_tokens
        if usage.cached_tokens is not None:
            sums.cached = (sums.cached or 0) + usage.cached_tokens
        if usage.reasoning_tokens is not None:
            sums.reasoning = (sums.reasoning or 0) + usage.reasoning_tokens

    def report(self, prices: Mapping[str, Mapping[str, float]]) -> UsageReport:
        """The sums as a table."""
        return UsageReport(dict(self.sums), dict(prices))


class UsageReport:
    """`%ds_usage` as it is shown; `rows` has it as dictionaries."""

    def __init__(self, sums: Mapping[tuple[str, str], Sums], prices: Mapping[str, Mapping[str, float]]):
        self.rows: list[dict[str, Any]] = [
            {
                "model": model,
                "where": where,
                "answers": each.answers,
                "prompt_tokens": each.prompt,
                "cached_share": _ratio(each.cached, each.prompt),
                "completion_tokens": each.completion,
                "reasoning_share": _ratio(each.reasoning, each.completion),
                "uncounted": each.uncounted,
                "cost": each.cost(prices.get(model)),
            }
            for (model, where), each in sums.items()
        ]

    def __repr__(self) -> str:
        from wcwidth import ljust, rjust, width

        from ..api.text import for_report, on_one_line

        if not self.rows:
            return "Nothing has been asked yet."
        titles = ["model", "where", "answers", "tokens in", "cached", "tokens out", "reasoning", "cost"]
        cells = [titles] + [
            [
                on_one_line(for_report(row["model"])),
                on_one_line(for_report(row["where"])),
                f"{row['answers']:,}",
                f"{row['prompt_tokens']:,}",
                _share(row["cached_share"]),
                f"{row['completion_tokens']:,}",
                _share(row["reasoning_share"]),
                "unknown" if row["cost"] is None else f"{row['cost']:,.4f}",
            ]
            for row in self.rows
        ]
        widths = [max(width(line[column]) for line in cells) for column in range(len(titles))]
        lines = [
            "  ".join(
                (ljust if column < 2 else rjust)(text, size)
                for column, (text, size) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        uncounted = sum(row["uncounted"] for row in self.rows)
        if uncounted:
            lines.append(f"{uncounted} answer{'' if uncounted == 1 else 's'} without figures are not in the tokens.")
        if any(row["cost"] is None for row in self.rows):
            lines.append("Cost needs your prices for a million tokens:")
            lines.append('  %config DeepSeekMagics.prices = {"MODEL": {"input": 0, "cached": 0, "output": 0}}')
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _ratio(part: int | None, whole: int) -> float | None:
    return part / whole if part is not None and whole else None


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
