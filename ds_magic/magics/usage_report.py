"""Tokens over the life of a kernel, by model; cost only from prices that the user has set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.spent import Sums


class UsageReport:
    """`%ds_usage` as it is shown; `rows` has it as dictionaries, `balance` is a line on what is left, or empty."""

    def __init__(
        self, sums: Mapping[tuple[str, str], Sums], prices: Mapping[str, Mapping[str, float]], balance: str = ""
    ):
        self.balance = balance
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

        from ..api.clean_text import for_report, on_one_line

        if not self.rows:
            return "\n".join(filter(None, ["Nothing has been asked yet.", self.balance]))
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
        return "\n".join([*lines, *filter(None, [self.balance])])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _ratio(part: int | None, whole: int) -> float | None:
    return part / whole if part is not None and whole else None


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
