"""What is left of a place's distribution where only the likeliest tokens that add up to top_p may be drawn."""

from __future__ import annotations

from collections.abc import Sequence

Share = tuple[float, float]
"""Between which bounds a probability lies, 0 … 1."""


def within_top_p(shares: Sequence[Share], rest_high: float, top_p: float) -> tuple[list[Share], float]:
    """The shares after a cut, and the most that all tokens together have then that were not returned.

    `shares`: those of the returned tokens, the likeliest first, at the temperature that is drawn at; the cut keeps
    them until their sum reaches `top_p`, the one that reaches it too, and what is kept sums to 1 again. Where their
    bounds do not tell whether a token is kept, it has at least 0.
    """
    if top_p >= 1:
        return list(shares), rest_high
    sure: list[bool] = []
    low_before = high_before = 0.0
    for low, high in shares:
        if low_before >= top_p:
            break
        sure.append(high_before < top_p)
        low_before, high_before = low_before + low, high_before + high
    is_open = low_before < top_p  # what was not returned may be needed to reach it
    least = max(top_p, sum(low for (low, _), is_sure in zip(shares, sure, strict=False) if is_sure))
    most = min(1.0, sum(high for (_, high), _ in zip(shares, sure, strict=False)) + (rest_high if is_open else 0.0))
    most = max(most, least)
    kept = [
        (low / most if is_sure else 0.0, min(1.0, high / least))
        for (low, high), is_sure in zip(shares, sure, strict=False)
    ]
    gone = [(0.0, 0.0)] * (len(shares) - len(kept))
    return kept + gone, min(1.0, rest_high / least) if is_open else 0.0
