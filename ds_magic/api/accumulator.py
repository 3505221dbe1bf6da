"""Chunks to the body of a completion, linear in the number of chunks."""

from __future__ import annotations

from typing import Any

from ..logprobs.entries import Entry
from .decoder import Chunk, ChunkChoice, DeltaFields, EntryLists, LenientChunk
from .loose_json import fit_to_keep, index_of, written
from .token_logprobs import StreamedEntries

_HEAD_FIELDS = ("id", "created", "model", "system_fingerprint")
_CHUNK_FIELDS = frozenset(Chunk.__struct_fields__)
_CHOICE_FIELDS = frozenset(ChunkChoice.__struct_fields__)
_DELTA_FIELDS = frozenset(DeltaFields.__struct_fields__)
_LOGPROB_LISTS = EntryLists.__struct_fields__


def _unknown(fields: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in known and value is not None}


class _ToolCall:
    def __init__(self) -> None:
        self.id: str | None = None
        self.type: str | None = None
        self.name: str | None = None
        self.arguments: list[str] = []

    def add(self, piece: dict[str, Any]) -> None:
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        self.id = piece.get("id") or self.id
        self.type = piece.get("type") or self.type
        self.name = function.get("name") or self.name
        arguments = function.get("arguments")
        if arguments is not None and arguments != "":
            self.arguments.append(arguments if isinstance(arguments, str) else written(arguments))

    def wire(self) -> dict[str, Any]:
        function = {"name": self.name or "", "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": self.type or "function", "function": function}


class _Choice:
    def __init__(self) -> None:
        self.role: str | None = None
        self.content: list[str] = []
        self.reasoning_content: list[str] = []
        self.tool_calls: dict[int, _ToolCall] = {}
        self.call_of: dict[str, int] = {}
        self.last_call: int | None = None
        self.next_call = 0
        self.logprobs: dict[str, Any] = {}
        self.finish_reason: str | None = None
        self.unknown: dict[str, Any] = {}
        self.unknown_in_message: dict[str, Any] = {}

    def add(self, choice: ChunkChoice, payload: bytes, position: int) -> None:
        delta = choice.delta
        if delta is not None:
            if delta.content and isinstance(delta.content, str):
                self.content.append(delta.content)
            if delta.reasoning_content and isinstance(delta.reasoning_content, str):
                self.reasoning_content.append(delta.reasoning_content)
            if self.role is None:
                self.role = delta.role
            if delta.tool_calls:
                self._add_tool_calls(delta.tool_calls)
        lists = choice.logprobs
        if lists is not None:
            if lists.content:
                self._add_entries("content", lists.content, payload, position)
            if lists.reasoning_content:
                self._add_entries("reasoning_content", lists.reasoning_content, payload, position)
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason

    def keep_unknown(self, choice: dict[str, Any]) -> None:
        delta, logprobs = choice.get("delta"), choice.get("logprobs")
        self.unknown.update(_unknown(choice, _CHOICE_FIELDS))
        if isinstance(delta, dict):
            self.unknown_in_message.update(_unknown(delta, _DELTA_FIELDS))
        for name, entries in logprobs.items() if isinstance(logprobs, dict) else ():
            if name not in _LOGPROB_LISTS and entries and isinstance(entries, list):
                self.logprobs.setdefault(name, []).extend(entries)

    def _add_entries(self, name: str, entries: list[Entry], payload: bytes, position: int) -> None:
        if name not in self.logprobs:
            self.logprobs[name] = StreamedEntries(name)
        self.logprobs[name].append(entries, payload, position)

    def _add_tool_calls(self, pieces: Any) -> None:
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict):
                continue
            key, call_id = piece.get("index"), piece.get("id")
            if not isinstance(key, int):
                key = self._key_without_index(call_id)
            self.tool_calls.setdefault(key, _ToolCall()).add(piece)
            self.last_call, self.next_call = key, max(self.next_call, key + 1)
            if call_id and isinstance(call_id, str):
                self.call_of.setdefault(call_id, key)

    def _key_without_index(self, call_id: Any) -> int:
        """Some servers send no index: a new id begins a new call, anything else continues the last one."""
        if call_id and isinstance(call_id, str) and call_id in self.call_of:
            return self.call_of[call_id]
        return self.next_call if call_id or self.last_call is None else self.last_call

    def wire(self, index: int) -> dict[str, Any]:
        message = {
            **self.unknown_in_message,
            "role": self.role or "assistant",
            "content": "".join(self.content) if self.content else None,
        }
        if self.reasoning_content:
            message["reasoning_content"] = "".join(self.reasoning_content)
        if self.tool_calls:
            message["tool_calls"] = [self.tool_calls[key].wire() for key in sorted(self.tool_calls)]
        return {
            **self.unknown,
            "index": index,
            "message": message,
            "logprobs": self.logprobs or None,
            "finish_reason": self.finish_reason,
        }


class Accumulator:
    """Adds up chunks. `add` takes one; `wire` gives the body that an unstreamed answer would have had.

    The first id, model and the like that is not empty stands; the last usage that is not null wins; `""` and null
    in a delta mean nothing; tool calls and choices are merged by their index.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._unknown: dict[str, Any] = {}
        self._usage: Any = None
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: Chunk, payload: bytes) -> None:
        """Take in one chunk, which was read from `payload`."""
        if len(self._head) < len(_HEAD_FIELDS):
            for name in _HEAD_FIELDS:
                if value := getattr(chunk, name):
                    self._head.setdefault(name, value)
        if chunk.usage is not None:
            self._usage = chunk.usage
        for position, choice in enumerate(chunk.choices or ()):
            if choice is not None:
                state = self._choices.get(choice.index)
                if state is None:
                    state = self._choices[choice.index] = _Choice()
                state.add(choice, payload, position)
        if isinstance(chunk, LenientChunk):
            self._keep_unknown(chunk.parsed)

    def _keep_unknown(self, parsed: dict[str, Any]) -> None:
        self._unknown.update(_unknown(parsed, _CHUNK_FIELDS))
        choices = parsed.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._choices[index_of(choice)].keep_unknown(choice)

    @property
    def is_empty(self) -> bool:
        """Whether nothing to read has arrived: no text, no reasoning, no tool call."""
        return not any(
            choice.content or choice.reasoning_content or choice.tool_calls for choice in self._choices.values()
        )

    @property
    def model(self) -> Any:
        """The model that answers, once a chunk has named it."""
        return self._head.get("model")

    @property
    def usage(self) -> Any:
        """The last usage that came, fit to keep, or None."""
        return fit_to_keep(self._usage)

    def wire(self) -> dict[str, Any]:
        """The body of the completion so far."""
        body: dict[str, Any] = fit_to_keep({
            **self._unknown,
            **self._head,
            "object": "chat.completion",
            "choices": [self._choices[index].wire(index) for index in sorted(self._choices)],
            "usage": self._usage,
        })
        return body
