"""What the decoder may write: JSON after a schema, or one of some words; and which tokens it forced.

llama.cpp decodes under an llguidance grammar; the same library, asked with the same grammar, says what
each token's rivals were not allowed to be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .gguf import Model
from .sampling import ALTERNATIVES, Token

NOTICEABLE = 0.01
"""A token counts as constrained where its rivals with more than this probability were forbidden."""

# Free blanks between the parts of a value are what a small model falls into writing for ever.
_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_LONGEST_STRING = 400
_LONGEST_LIST = 16


def schema_grammar(schema: dict[str, Any], after: str = "") -> str:
    """The grammar of the JSON values that `schema` allows, which stand `after` a text."""
    before = f"{json.dumps(after)} " if after else ""
    return f"%llguidance {{}}\nstart: {before}%json {json.dumps({**bounded(schema), 'x-guidance': _LAYOUT})}"


def object_grammar() -> str:
    """The grammar of any JSON object whose strings and lists end some time."""
    return schema_grammar({"type": "object", "additionalProperties": _VALUE, "$defs": _ANY})


_VALUE = {"$ref": "#/$defs/value"}
_ANY = {
    "value": {
        "anyOf": [
            {"type": ["number", "boolean", "null"]},
            {"type": "string", "maxLength": _LONGEST_STRING},
            {"type": "array", "items": _VALUE, "maxItems": _LONGEST_LIST},
            {"type": "object", "additionalProperties": _VALUE},
        ]
    }
}


def choice_grammar(words: Iterable[str]) -> str:
    """The grammar that is one of `words`."""
    return f"%llguidance {{}}\nstart: {' | '.join(json.dumps(word) for word in words)}"


def problem_with(grammar: str) -> str | None:
    """Why `grammar` cannot be followed, in one line, or None."""
    from llguidance import LLMatcher

    said = LLMatcher.validate_grammar(grammar, None)
    return said.splitlines()[0].partition(": ")[2] or said.splitlines()[0] if said else None


def bounded(schema: Any) -> Any:
    """`schema` without what a small model never comes back from.

    Strings and lists get a largest length where they have none, and objects no properties beside those
    that are listed. Whatever fits it fits `schema`, too.
    """
    if not isinstance(schema, dict):
        return schema
    closed = dict(schema)
    for name in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(name), dict):
            closed[name] = {key: bounded(value) for key, value in schema[name].items()}
    for name in ("anyOf", "oneOf", "prefixItems"):
        if isinstance(schema.get(name), list):
            closed[name] = [bounded(value) for value in schema[name]]
    if isinstance(schema.get("items"), dict):
        closed["items"] = bounded(schema["items"])
    if any(name in schema for name in ("allOf", "anyOf", "oneOf", "$ref", "enum", "const")):
        return closed  # closing one part of a combination could exclude the others
    kind = schema.get("type")
    if kind == "string" and not any(name in schema for name in ("maxLength", "pattern", "format")):
        closed["maxLength"] = max(_LONGEST_STRING, schema.get("minLength", 0))
    if kind == "array" and "maxItems" not in schema:
        closed["maxItems"] = max(_LONGEST_LIST, schema.get("minItems", 0))
    if kind == "object" and schema.get("properties"):
        closed.setdefault("additionalProperties", False)
    return closed


class Marker:
    """Follows a constrained text, token by token."""

    def __init__(self, model: Model, grammar: str):
        from llguidance import LLMatcher

        self._matcher = LLMatcher(_tokenizer(model), grammar)

    def forced(self, token: Token) -> bool:
        """Whether the constraint left `token` noticeably fewer rivals than its log-probability reckons with."""
        mask = self._matcher.compute_bitmask()
        lost = sum(
            math.exp(logprob)
            for rival, logprob in token.top[:ALTERNATIVES]
            if rival != token.id and not mask[rival >> 3] >> (rival & 7) & 1
        )
        self._matcher.consume_token(token.id)
        return lost > NOTICEABLE


@lru_cache(maxsize=1)
def _tokenizer(model: Model) -> Any:
    """llguidance's view of the vocabulary: 20 MB, so built once and only when it is needed."""
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(TokenizerWrapper(_Vocabulary(model)))


class _Vocabulary:
    """The vocabulary as llguidance asks for it, with a tokenizer that takes the longest token that fits."""

    def __init__(self, model: Model):
        self.tokens = model.pieces
        self.special_token_ids = [number for number, piece in enumerate(model.pieces) if not piece]
        self.bos_token_id = model.begin
        self.eos_token_id = model.end
        self._ids = {piece: number for number, piece in enumerate(model.pieces) if piece}
        self._longest = 32

    def __call__(self, text: bytes) -> list[int]:
        ids = []
        while text:
            size = next(
                (size for size in range(min(self._longest, len(text)), 0, -1) if text[:size] in self._ids), 0
            )
            if size:
                ids.append(self._ids[text[:size]])
            text = text[size or 1:]
        return ids
