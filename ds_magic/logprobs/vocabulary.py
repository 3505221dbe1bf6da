"""How many tokens a model has, which is what the tokens that were not returned are counted by."""

from __future__ import annotations

import re

from .provenance import Provenance

_KNOWN = {
    r"deepseek-(chat|reasoner|flash|v[3-9][\w.-]*)": 129_280,  # no distilled one: these have the tokens of others
    r"smollm2[\w.-]*": 49_152,
}
"""By the whole names of models."""
_MOST = 10_000_000


def vocabulary_size_of(model: object, provenance: Provenance | None) -> int | None:
    """As many as the server says, else as a model of this name has; None where nobody knows."""
    told = provenance.more.get("vocabulary_size") if provenance is not None else None
    if type(told) is int and 0 < told <= _MOST:
        return told
    name = model.lower().rpartition("/")[2] if isinstance(model, str) else ""
    return next((size for known, size in _KNOWN.items() if re.fullmatch(known, name)), None)
