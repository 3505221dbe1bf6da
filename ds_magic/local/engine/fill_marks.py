"""The marks by which a model that was made for it is asked to fill a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class FillMarks(NamedTuple):
    """Ids of the marks before what stands before the gap, before what stands after it, and before what fills it."""

    prefix: int
    suffix: int
    middle: int

    def around(self, before: list[int], after: list[int]) -> list[int]:
        """The prompt for a gap between two texts, in the order of llama.cpp's /infill.

        It is that of one file: a repository's and a file's name, which /infill makes up, are left out. A word that is
        cut at the gap stays so: these models have learned from texts that were cut anywhere.
        """
        return [self.prefix, *before, self.suffix, *after, self.middle]


_FIELDS = (("fim_pre", "prefix"), ("fim_suf", "suffix"), ("fim_mid", "middle"))
"""The names of their ids in a GGUF file, the newer and the older."""
_SPELLINGS = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),  # Qwen
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),  # StarCoder, Granite
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),  # DeepSeek
    ("<PRE>", "<SUF>", "<MID>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),  # CodeLlama
    ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),  # GLM
    ("<|prefix|>", "<|suffix|>", "<|middle|>"),
)
"""Where a file does not name their ids, llama.cpp knows them by these."""


def fill_marks(fields: Mapping[str, Any], tokens: Sequence[bytes]) -> FillMarks | None:
    """The marks of the model of a GGUF file with these `fields`; None where it has not all three."""
    named = [
        next((number for name in names if (number := fields.get(f"tokenizer.ggml.{name}_token_id")) is not None), None)
        for names in _FIELDS
    ]
    if all(isinstance(number, int) and 0 <= number < len(tokens) for number in named):
        return FillMarks(*named)  # type: ignore[arg-type]
    wanted = {spelling.encode() for spellings in _SPELLINGS for spelling in spellings}
    ids = {token: number for number, token in enumerate(tokens) if token in wanted}
    for spellings in _SPELLINGS:
        found = [ids[spelling.encode()] for spelling in spellings if spelling.encode() in ids]
        if len(found) == len(spellings):
            return FillMarks(*found)
    return None
