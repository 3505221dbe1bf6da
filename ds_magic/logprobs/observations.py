"""Sentences about a table that its reader should know before believing its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .distribution import Distribution
from .from_wire import WireColumns
from .glyphs import REPLACEMENT, encodable

if TYPE_CHECKING:
    from .table import LogprobTable


def spells(decoded: str, content: Any) -> bool:
    """Whether the tokens' decoded text is the message's content.

    An answer may be cut off inside a character, and servers differ in whether they show the part.
    """
    if not isinstance(content, str):
        return False
    content = encodable(content)
    return decoded == content or (decoded.endswith(REPLACEMENT) and decoded.rstrip(REPLACEMENT) == content)


def observations(table: LogprobTable, wire: WireColumns, facts: Distribution, content: Any) -> Iterator[str]:
    """What is bounded, missing, merged, left out or at odds with the content, a sentence each."""
    statuses = table.status.tolist()
    if wire.skipped:
        yield f"{_count(wire.skipped, 'entry was', 'entries were')} unreadable and left out."
    if n := statuses.count("degenerate"):
        yield (
            f"For {_count(n, 'token', 'tokens')} the service sent numbers that are no probability distribution "
            "(0 and next to nothing throughout, or a sum above 1); they are not shown as probabilities."
        )
    if n := statuses.count("censored"):
        yield f"{_count(n, 'token stands', 'tokens stand')} below the returned alternatives: only bounds are known."
    if n := statuses.count("missing"):
        yield f"{_count(n, 'token', 'tokens')} came without a probability."
    if n := statuses.count("constrained"):
        yield f"{_count(n, 'token was', 'tokens were')} forced by a grammar, and counted in no measure."
    if n := int(table.forced.sum()):
        yield f"{_count(n, 'token is', 'tokens are')} part of a prefix, and counted in no measure."
    if n := int(facts.merged.sum()):
        yield (
            f"{_count(n, 'entry is', 'entries are')} a whole character that the server merged from several tokens; "
            "the number is that of its last part alone."
        )
    if facts.duplicates:
        yield f"{_count(facts.duplicates, 'alternative', 'alternatives')} came twice, and counted once."
    if len(table) and not (table.bytes_given & ~table.forced).any():
        yield (
            "The service sent no bytes with its tokens: those of their text stand for them, and two alternatives of "
            "the same spelling cannot be told apart."
        )
    if n := int(table.damaged.sum()):
        yield f"{_count(n, 'token holds', 'tokens hold')} U+FFFD, where the server may have lost bytes."
    if table.matches_content is False:
        yield _mismatch(table.text_content, content)


def _mismatch(decoded: str, content: Any) -> str:
    if not isinstance(content, str):
        return "There is no content to compare the tokens with."
    content = encodable(content)
    if decoded and content.endswith(decoded):
        return (
            f"The first {len(content) - len(decoded):,} characters of the content have no tokens (a prefix, perhaps)."
        )
    if decoded.startswith(content):
        return (
            f"The tokens spell the content and {len(decoded) - len(content):,} characters more "
            "(a stop sequence, perhaps)."
        )
    same = next((i for i, (a, b) in enumerate(zip(content, decoded, strict=False)) if a != b), None)
    same = min(len(content), len(decoded)) if same is None else same
    return (
        f"The tokens do not spell the content: they agree for {same:,} characters, "
        f"of {len(decoded):,} in the tokens and {len(content):,} in the content."
    )


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
