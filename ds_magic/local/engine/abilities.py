"""What a model can do of itself, as far as its file says: think within marks of its own, call functions."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple


class ThoughtMarks(NamedTuple):
    """How a model writes a thought before its answer, with the line breaks that belong to it."""

    begin: str
    end: str
    none: str = ""
    """What stands before an answer without a thought, where it is not one that is begun and ended at once."""

    @property
    def mark(self) -> str:
        """What ends a thought, the first mark of it."""
        return str(re.findall(r"<[^>]*>|\[[^]]*]", self.end)[0])

    @property
    def skipped(self) -> str:
        """What stands before an answer without a thought."""
        return self.none or self.begin + self.end


THOUGHTS = (
    ThoughtMarks("<think>\n", "\n</think>\n\n"),
    ThoughtMarks("<|START_THINKING|>", "<|END_THINKING|>"),
    ThoughtMarks("[THINK]", "[/THINK]"),
    ThoughtMarks("<seed:think>", "</seed:think>"),
    ThoughtMarks("<thought>\n", "\n</thought>\n\n"),
    ThoughtMarks("<|channel>thought\n", "<channel|>"),
    ThoughtMarks(
        "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
)
"""Those of DeepSeek and Qwen, Cohere, Mistral, Seed, EXAONE, Gemma and gpt-oss."""


class Abilities(NamedTuple):
    """What a model's template and its marks say that it knows."""

    thought: ThoughtMarks | None
    """How it thinks; None: not of itself."""
    calls: bool
    """Whether its template takes functions."""
    efforts: bool
    """Whether its template is told how much to think."""

    @property
    def thinks(self) -> bool:
        """Whether it thinks within marks of its own."""
        return self.thought is not None


def abilities(template: str | None, vocabulary: Container[str] = ()) -> Abilities:
    """What a model can do of itself, by its template and its marks in the vocabulary; words lead it to the rest."""
    template = template or ""
    return Abilities(
        thought=next((marks for marks in THOUGHTS if _knows(template, vocabulary, marks)), None),
        calls=bool(re.search(r"\btools\b", template)),
        efforts="reasoning_effort" in template,
    )


def _knows(template: str, vocabulary: Container[str], marks: ThoughtMarks) -> bool:
    """Whether the template writes these marks, or the vocabulary has one for each end."""
    begin, end = marks.begin.strip(), marks.end.strip()
    if marks.none:  # made of marks that say other things, too
        return "<|channel|>" in template and "analysis" in template
    return begin in template or end in template or (begin in vocabulary and end in vocabulary)
