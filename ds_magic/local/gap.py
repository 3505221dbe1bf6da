"""A gap in a text, put into words for a model that has no marks for one.

It is asked to write the whole text, begins with what stands before the gap, and is stopped where the gap has to end.
"""

from __future__ import annotations

from .dialogue import Turn

_ENOUGH = 24
"""Characters of the line after the gap that it is known by."""


def asked(suffix: str) -> list[Turn]:
    """What a model is asked whose answer begins with what stands before the gap."""
    return [("user", f"Write a text that ends with these words:\n\n{suffix}")]


def stops(prompt: str, suffix: str) -> list[str]:
    """Where what fills a gap ends: where `suffix` begins, or the line or the paragraph that the gap is in.

    Left alone, a model of this size seldom comes to what follows, and never stops at it.
    """
    body = suffix.lstrip()
    blanks = suffix[: len(suffix) - len(body)]
    line = body.partition("\n")[0][:_ENOUGH].rstrip()
    found = [blanks[at:] + line for at in range(len(blanks) + 1)] if line else [suffix]
    if blanks.count("\n") > 1:
        return [*found, "\n\n"]
    within_a_line = prompt.rpartition("\n")[2].strip() != ""
    return [*found, "\n"] if within_a_line else found
