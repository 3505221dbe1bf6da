"""What a model can do of itself, as far as its file says: think within marks of its own, call functions."""

from __future__ import annotations

import re
from typing import NamedTuple

from .gguf import Model


class ThoughtMarks(NamedTuple):
    """How a model writes a thought before its answer."""

    begin: str
    end: str
    answer: str = ""
    """What it writes between the end of the thought and the answer."""
    none: str = ""
    """What stands before an answer without a thought; empty: one that is begun and ended at once."""

    @property
    def skipped(self) -> str:
        """What stands before an answer without a thought, as templates with a switch for it write it."""
        return self.none or f"{self.begin}\n\n{self.end}\n\n"


THOUGHTS = (
    ThoughtMarks("<think>", "</think>"),
    ThoughtMarks("<|START_THINKING|>", "<|END_THINKING|>"),
    ThoughtMarks("[THINK]", "[/THINK]"),
    ThoughtMarks("<seed:think>", "</seed:think>"),
    ThoughtMarks("<thought>", "</thought>"),
    ThoughtMarks("<|channel>thought", "<channel|>"),
    ThoughtMarks(
        "<|channel|>analysis<|message|>", "<|end|>", "<|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
)
"""Those that models are known to write: of DeepSeek and Qwen, Cohere, Mistral, Seed, EXAONE, Gemma and gpt-oss."""


class Abilities(NamedTuple):
    """What a model's template and its marks say that it knows."""

    thought: ThoughtMarks | None
    """How it thinks; None: not of itself."""
    calls: bool
    """Whether its template takes functions and has a place for calls of them."""
    efforts: bool
    """Whether its template is told how much to think."""

    @property
    def thinks(self) -> bool:
        """Whether it thinks within marks of its own."""
        return self.thought is not None


def abilities(model: Model) -> Abilities:
    """What `model` can do of itself; everything else it is led to by words."""
    template = model.template or ""
    return Abilities(
        thought=next((marks for marks in THOUGHTS if _knows(model, template, marks)), None),
        calls=bool(re.search(r"\btools\b", template)) and "tool_calls" in template,
        efforts="reasoning_effort" in template,
    )


def _knows(model: Model, template: str, marks: ThoughtMarks) -> bool:
    """Whether the template writes these marks, or the vocabulary has one for each end."""
    if marks.answer:
        return "<|channel|>" in template and "analysis" in template
    return marks.begin in template or marks.end in template or {marks.begin, marks.end} <= model.marks.keys()
