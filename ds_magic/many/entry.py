"""Entry: an exchange as a line of a journal, and its chunks without what they all say.

A journal is JSON Lines in UTF-8. Its first line is `HEADER`; each other one is an exchange, in the order of `Entry`:

    {"key":"…","ended":"whole","backend":"DeepSeek","model":"deepseek-flash","sample":0,"at":"2026-…Z","ms":812,
     "request":{…},"head":{"id":…,"model":…},"deltas":[[402,{"choices":[…]}],…],"ds_magic":"0.1.0"}

The first five stand in front, so that an index is made without parsing the rest. `deltas` has each chunk of a stream
with the milliseconds since the request; `body` stands in their place where the answer was not streamed. `head`: the
fields that all chunks have in common; a chunk without any of them has them all. Token probabilities are packed as
`packed_logprobs` says. A chunk or body that is a string is the text that came, word for word: no JSON object, or one
that these rules do not fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw, Struct

from .. import __version__
from .packed_logprobs import NONE, packed_logprobs, unpacked_logprobs

FORMAT, VERSION = "ds_magic journal", 1
HEADER = json.dumps({"format": FORMAT, "version": VERSION}).encode() + b"\n"

Ended = Literal["whole", "interrupted", "failed"]


class Failure(Struct, omit_defaults=True):
    """An error of an exchange, as it was raised."""

    type: str
    message: str
    status: int | None = None
    remedy: str | None = None
    field: str | None = None
    code: str | int | float | None = None


class Entry(Struct, omit_defaults=True):
    """A finished exchange. `ended`: "whole", "interrupted" (somebody stopped it) or "failed".

    `request`: as it was asked, without a model that nobody named; `model` is the one that was asked. `ms`:
    milliseconds until its end. `notes`: what was said of the request on the way.
    """

    key: str
    ended: Ended
    backend: str
    model: str | None
    sample: int
    at: str
    ms: int
    request: Raw
    head: Raw = NONE
    deltas: list[tuple[int, Raw]] | None = None
    body: Raw = NONE
    error: Failure | None = None
    notes: list[str] | None = None
    ds_magic: str = ""

    def line(self) -> bytes:
        """The line, with its end."""
        return _encoder.encode(self) + b"\n"

    @property
    def asked(self) -> dict[str, Any]:
        """The request, parsed."""
        parsed: dict[str, Any] = json.loads(bytes(self.request))
        return parsed

    def payloads(self) -> Iterator[tuple[int, bytes]]:
        """Each chunk as it came, with its milliseconds."""
        head = bytes(self.head)[:-1]
        names = _names(self.head)
        for ms, chunk in self.deltas or ():
            yield ms, _whole(bytes(chunk), head, names)

    def body_bytes(self) -> bytes:
        """The answer in one piece as it came; empty where there is none."""
        return _whole(bytes(self.body), b"", [])


class Start(NamedTuple):
    """What the beginning of a line says."""

    key: bytes
    ended: Ended
    backend: str


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)
_fields = msgspec.json.Decoder(dict[str, Raw])
_START = re.compile(
    rb'\{"key":"([0-9a-f]{64})","ended":"(whole|interrupted|failed)","backend":("(?:[^"\\]|\\.)*+"),'
    rb'"model":(?:"(?:[^"\\]|\\.)*+"|null),"sample":\d+,'
)


def start_of(line: bytes) -> Start | None:
    """What the beginning of a line says, or None where the line is damaged, as far as its two ends show it."""
    found = _START.match(line)
    if found is None or not line.endswith(b"}\n"):
        return None
    return Start(bytes.fromhex(found[1].decode()), found[2].decode(), json.loads(found[3]))  # type: ignore[arg-type]


def entry_of(line: bytes) -> Entry | None:
    """The exchange of a line, or None where the line is damaged."""
    try:
        entry = _decoder.decode(line)
        _names(entry.head)
        return entry if isinstance(entry.asked, dict) else None
    except (ValueError, RecursionError):
        return None


def version() -> str:
    """What writes the lines."""
    return __version__


def packed(payloads: Iterable[tuple[int, bytes]]) -> tuple[Raw, list[tuple[int, Raw]]]:
    """The head of a stream's chunks, and the chunks without it."""
    head: dict[str, Raw] | None = None
    chunks: list[tuple[int, Raw]] = []
    for ms, payload in payloads:
        fields = _fields_of(payload)
        if fields is not None and head is None:
            head = {name: value for name, value in fields.items() if name not in ("choices", "usage")}
        chunks.append((ms, text_of(payload) if fields is None else _without(head or {}, fields) or text_of(payload)))
    return Raw(_encoder.encode(head)) if head else NONE, chunks


def _without(head: dict[str, Raw], fields: dict[str, Raw]) -> Raw | None:
    """A chunk without the head; whole where it has another one; None where it would be taken for one that has it."""
    if head and fields.items() >= head.items():
        fields = {name: value for name, value in fields.items() if name not in head}
    elif head and not any(name in fields for name in head):
        return None
    return Raw(_encoder.encode(fields))


def whole_of(body: bytes) -> Raw:
    """A body as it is written."""
    fields = _fields_of(body)
    return text_of(body) if fields is None else Raw(_encoder.encode(fields))


def text_of(payload: bytes) -> Raw:
    """What came, as a string."""
    return Raw(_encoder.encode(payload.decode("utf-8", "replace")))


def _fields_of(payload: bytes) -> dict[str, Raw] | None:
    """The fields of an object on one line, token probabilities packed; None where it is none that a line could hold."""
    try:
        payload.decode("utf-8")
        msgspec.json.decode(payload)  # what a Raw holds is not looked at
        if b"\n" in payload or b"\r" in payload:
            payload = msgspec.json.format(payload, indent=-1)
        fields = _fields.decode(payload)
    except (ValueError, RecursionError):
        return None
    if "choices" in fields:
        choices = packed_logprobs(fields["choices"])
        if choices is None:
            return None
        fields["choices"] = choices
    return fields


def _names(head: Raw) -> list[str]:
    return list(_fields.decode(head)) if bytes(head) else []


def _whole(chunk: bytes, head: bytes, names: list[str]) -> bytes:
    """A chunk or a body as it came, with the head that it has where it has none of its own."""
    if chunk.startswith(b'"'):
        text: str = json.loads(chunk)
        return text.encode("utf-8", "surrogatepass")
    if not chunk.startswith(b"{"):
        return chunk
    fields = _fields.decode(chunk)
    if "choices" in fields:
        choices = unpacked_logprobs(fields["choices"])
        if choices is not fields["choices"]:
            fields["choices"] = choices
            chunk = _encoder.encode(fields)
    if not head or any(name in fields for name in names):
        return chunk
    return head + b"}" if chunk == b"{}" else head + b"," + chunk[1:]
