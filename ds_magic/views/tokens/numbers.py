"""Numbers of a token in words: percentages, bounds, ranks. A number that did not come is never made up."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.glyphs import visible
from ds_magic.logprobs.rows import others

if TYPE_CHECKING:
    from ds_magic.logprobs.rows import Alternative, Token
    from ds_magic.logprobs.table import LogprobTable

SHORT = 12  # an answer of at most this many tokens is shown as bars, a longer one as a table
OPEN = 6  # places whose bars are seen at once; the others are folded
BARS_SHOWN = 5
VAGUE_REST = 10 * SOFTMAX_ERROR
OF_A_CHOICE = "a probability is of a choice, not of a truth"
TRUTH = "A probability measures the choice of a token, not the truth of a sentence."


def percent(p: float) -> str:
    """A probability (0 … 1) in words of about two digits: `57.0 %`, `0.043 %`, `> 99.9 %`; NaN is `—`."""
    if math.isnan(p):
        return "—"
    if p > 0.9995:
        return "> 99.9 %"
    if p >= 0.00995:
        return f"{100 * p:.1f} %"
    if p >= 1e-6:
        return f"{100 * p:.{1 - math.floor(math.log10(100 * p))}f} %"
    return f"{p:.0e}" if p > 0 else "≈ 0 %"


def between(low: float, high: float) -> str:
    """A share of which bounds are known, in words: `57.0 %`, `between 72 % and 79 %`, `at most 3.0 %`; NaN is `—`."""
    if math.isnan(low):
        return "—"
    if percent(low) == percent(high):
        return percent(low)
    if low <= 0 and high >= 1:
        return "not known"
    if low <= 0:
        return f"at most {percent(high)}"
    return f"at least {percent(low)}" if high > 0.9995 else f"between {percent(low)} and {percent(high)}"


def remainder(rest: float) -> str:
    """What was not returned, 1 − S: a bound where the error of a sum would be more than a tenth of it."""
    return percent(rest) if not rest < VAGUE_REST else f"< {_rounded_up(rest + SOFTMAX_ERROR)}"


def chance(row: Token) -> str:
    """The chosen token's probability: a number where it is one, a bound where it is bounded, else `—`."""
    if row.status == "exact":
        return percent(row.prob)
    if row.status == "censored" and not math.isnan(row.logprob_upper):
        return f"< {_rounded_up(math.exp(row.logprob_upper))}"
    return "—"


def rank_text(row: Token) -> str:
    """`1`, `> 20` below what was returned, `—` where nothing is known of it."""
    if row.rank is not None:
        return f"{row.rank:,}"
    if row.n_alternatives and row.status in ("exact", "censored"):
        return f"> {row.n_alternatives}"
    return "—"


def bits(row: Token) -> str:
    """The surprisal, `≥` where only a bound is known: `4.1`, `≥ 8.3`, `—`."""
    if math.isnan(row.surprisal):
        return "—"
    return f"{'≥ ' if row.status == 'censored' else ''}{row.surprisal:.1f}"


def _rounded_up(p: float) -> str:
    """A bound as percentage with two digits, never below `p`."""
    digits = max(1, 1 - math.floor(math.log10(100 * p))) if p < 0.1 else 1
    step = 10.0**-digits
    return f"{math.ceil(100 * p / step - 1e-9) * step:.{digits}f} %"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar chart: `prob` is 0 … 1, NaN where no number is known; `text` says the same."""

    label: str
    prob: float
    text: str
    kind: str  # "chosen", "alternative" or "rest"


def bars(row: Token, *, shown: int = BARS_SHOWN) -> list[Bar]:
    """The first `shown` alternatives of a token, the chosen one if it is not among them, and everything else.

    The last bar is all the probability that the others do not hold: of what is not drawn, and of how many tokens
    that is, where the size of the vocabulary is known. Empty without a distribution.
    """
    if row.status == "degenerate" or not row.n_alternatives:
        return []
    top = row.alternatives.top(shown)
    lines = [Bar(one.label, one.prob, percent(one.prob), "chosen" if one.chosen else "alternative") for one in top]
    total = sum(one.prob for one in top)
    if not any(one.chosen for one in top):
        lines.append(Bar(row.label, row.prob, chance(row), "chosen"))
        total += 0.0 if math.isnan(row.prob) else row.prob
    if row.vocabulary_size != len(lines):
        rest = max(0.0, 1.0 - total)
        lines.append(Bar(others(len(lines), row.vocabulary_size), rest, remainder(rest), "rest"))
    return lines


def uncertain_first(table: LogprobTable) -> list[Token]:
    """All places, that of the greatest surprisal first; those of whose choice nothing is known last.

    Places that differ by less than half a bit or so are as uncertain to a reader: they stand as they are read.
    """
    rows = list(table.least_certain(len(table)))
    rows.sort(key=lambda row: (-round(2 * (99 if math.isnan(row.surprisal) else row.surprisal)), row.position))
    seen = {row.position for row in rows}
    return rows + [row for row in table if row.position not in seen]


def other_choices(row: Token, n: int = 2) -> list[Alternative]:
    """The `n` likeliest alternatives that were not chosen."""
    return [one for one in row.alternatives.top(n + 1) if not one.chosen][:n]


def context(table: LogprobTable, row: Token, width: int = 16, given: str = "") -> tuple[str, str]:
    """A few words before and after a token, as they stand in the answer; empty without the whole answer's table.

    `given`: what stands before the table's first token, a prefix.
    """
    index = row.position - (int(table.position[0]) if len(table) else 0)
    if not (0 <= index < len(table) and table.position[index] == row.position):
        return "", ""
    is_apart = index < 12 and not table.text_content.startswith(given)  # some servers' first tokens are the prefix
    before = "".join([given[-width:] if is_apart else "", *table.text[max(0, index - 12) : index]])[-width:]
    after = "".join(table.text[index + 1 : index + 12])[:width]
    if len(before) == width:
        before = re.sub(r"^\S*\s", "", before) if re.search(r"\s", before) else f"…{before}"
    if len(after) == width:
        after = re.sub(r"\s\S*$", "", after) if re.search(r"\s", after) else f"{after}…"
    return _on_one_line(before), _on_one_line(after)


def _on_one_line(text: str) -> str:
    return visible(re.sub(r"\s+", " ", text)).replace("·", " ")


def least_certain(table: LogprobTable, n: int | None = None) -> tuple[str, list[Token]]:
    """The heading and the rows of the table of least certain tokens."""
    rows = list(table.least_certain(10 if n is None else n))
    few = f" ({len(rows)} of {len(table):,})" if len(rows) < len(table) else ""
    return f"Least certain tokens{few}", rows
