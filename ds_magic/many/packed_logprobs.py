"""Token log-probabilities without what can be made again: names of fields, and bytes that are those of the text.

An entry `{"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-3.2,"bytes":[98]}]}` is
written as `[["a",-0.1],[["b",-3.2]]]`; bytes that are others than those of the text, or null, are a third item. Numbers
stay as they came. 8,000 tokens with 20 alternatives are 4 MB instead of 13.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

NONE = Raw()
"""What is not there."""


class _Token(Struct, forbid_unknown_fields=True, gc=False):
    token: str
    logprob: Raw
    bytes: list[int] | None


class _Entry(Struct, forbid_unknown_fields=True, gc=False):
    token: str
    logprob: Raw
    bytes: list[int] | None
    top_logprobs: list[_Token]


class _Lists(Struct, forbid_unknown_fields=True):
    content: list[_Entry] | None | UnsetType = UNSET
    reasoning_content: list[_Entry] | None | UnsetType = UNSET


class _Choice(Struct, forbid_unknown_fields=True):
    logprobs: _Lists
    index: int | UnsetType = UNSET
    delta: Raw = NONE
    message: Raw = NONE
    finish_reason: str | None | UnsetType = UNSET


class _PackedToken(Struct, array_like=True, gc=False):
    token: str
    logprob: Raw
    bytes: list[int] | None | UnsetType = UNSET


class _PackedLists(Struct, forbid_unknown_fields=True):
    content: list[tuple[_PackedToken, list[_PackedToken]]] | None | UnsetType = UNSET
    reasoning_content: list[tuple[_PackedToken, list[_PackedToken]]] | None | UnsetType = UNSET


class _PackedChoice(Struct, forbid_unknown_fields=True):
    logprobs: _PackedLists
    index: int | UnsetType = UNSET
    delta: Raw = NONE
    message: Raw = NONE
    finish_reason: str | None | UnsetType = UNSET


_choices = msgspec.json.Decoder(list[_Choice])
_packed_choices = msgspec.json.Decoder(list[_PackedChoice])
_encoder = msgspec.json.Encoder()
_MARK = b'"logprobs":{"'
"""Stands in whatever `packed_logprobs` makes."""


def packed_logprobs(choices: Raw) -> Raw | None:
    """The choices of a chunk or a body, their entries packed; as they are where they are of any other form.

    None for what came in such a form that `unpacked_logprobs` would take it for packed.
    """
    if b'"top_logprobs"' not in bytes(choices):
        return choices if unpacked_logprobs(choices) is choices else None
    try:
        read = _choices.decode(choices)
    except (ValueError, RecursionError):
        return choices if unpacked_logprobs(choices) is choices else None
    return Raw(_encoder.encode([
        {"logprobs": {
            name: None if entries is None else [[_small(each), [*map(_small, each.top_logprobs)]] for each in entries]
            for name, entries in _given(choice.logprobs)
        }, **{name: value for name, value in _given(choice) if name != "logprobs"}}
        for choice in read
    ]))


def unpacked_logprobs(choices: Raw) -> Raw:
    """What `packed_logprobs` was given; whatever else as it is."""
    if _MARK not in bytes(choices):
        return choices
    try:
        read = _packed_choices.decode(choices)
    except (ValueError, RecursionError):
        return choices
    return Raw(_encoder.encode([
        {**dict(_given(choice)), "logprobs": {
            name: None if entries is None else [
                {**_large(token), "top_logprobs": [*map(_large, others)]} for token, others in entries
            ]
            for name, entries in _given(choice.logprobs)
        }}
        for choice in read
    ]))


def _given(fields: Struct) -> list[tuple[str, Any]]:
    pairs = ((name, getattr(fields, name)) for name in fields.__struct_fields__)
    return [(name, value) for name, value in pairs if value is not UNSET and value is not NONE]


def _small(token: _Token | _Entry) -> list[Any]:
    if token.bytes == list(token.token.encode("utf-8")):
        return [token.token, token.logprob]
    return [token.token, token.logprob, token.bytes]


def _large(token: _PackedToken) -> dict[str, Any]:
    told = list(token.token.encode("utf-8")) if token.bytes is UNSET else token.bytes
    return {"token": token.token, "logprob": token.logprob, "bytes": told}
