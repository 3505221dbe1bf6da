"""Deltas to a ChatCompletion, linear in the number of deltas."""

from __future__ import annotations

from typing import Any

from .loose_json import index_of, written
from .text import heal
from .token_logprobs import StreamedEntries

_CHUNK_FIELDS = frozenset(("id", "object", "created", "model", "system_fingerprint", "choices", "usage"))
_HEAD_FIELDS = ("id", "created", "model", "system_fingerprint")
_CHOICE_FIELDS = frozenset(("index", "delta", "finish_reason", "logprobs"))
_LOGPROB_LISTS = frozenset(("content", "reasoning_content"))
_DELTA_FIELDS = frozenset(("role", "content", "reasoning_content", "tool_calls"))


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
        self.tool_calls: dict[Any, _ToolCall] = {}
        self.last_call: Any = None
        self.logprobs: dict[str, Any] = {}
        self.finish_reason: str | None = None
        self.unknown: dict[str, Any] = {}
        self.unknown_in_message: dict[str, Any] = {}

    def add(self, choice: dict[str, Any], payload: bytes, position: int) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            content = delta.get("content")
            if content and isinstance(content, str):
                self.content.append(content)
            if len(delta) > 1 or content is None:
                self._add_rest_of(delta)
        logprobs = choice.get("logprobs")
        if logprobs and isinstance(logprobs, dict):
            self._add_logprobs(logprobs, payload, position)
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]
        if not _CHOICE_FIELDS.issuperset(choice):
            self.unknown.update(_unknown(choice, _CHOICE_FIELDS))

    def _add_rest_of(self, delta: dict[str, Any]) -> None:
        reasoning = delta.get("reasoning_content")
        if reasoning and isinstance(reasoning, str):
            self.reasoning_content.append(reasoning)
        if self.role is None:
            self.role = delta.get("role")
        if delta.get("tool_calls"):
            self._add_tool_calls(delta["tool_calls"])
        if not _DELTA_FIELDS.issuperset(delta):
            self.unknown_in_message.update(_unknown(delta, _DELTA_FIELDS))

    def _add_logprobs(self, logprobs: dict[str, Any], payload: bytes, position: int) -> None:
        for name, entries in logprobs.items():
            if not (entries and isinstance(entries, list)):
                continue
            if name not in _LOGPROB_LISTS:
                self.logprobs.setdefault(name, []).extend(entries)
                continue
            if name not in self.logprobs:
                self.logprobs[name] = StreamedEntries(name)
            self.logprobs[name].append(payload, position, len(entries))

    def _add_tool_calls(self, pieces: Any) -> None:
        for piece in pieces if isinstance(pieces, list) else ():
            if not isinstance(piece, dict):
                continue
            key = piece.get("index")
            if not isinstance(key, int):
                key = self._key_without_index(piece.get("id"))
            self.tool_calls.setdefault(key, _ToolCall()).add(piece)
            self.last_call = key

    def _key_without_index(self, call_id: Any) -> int:
        """Some servers send no index: a new id begins a new call, anything else continues the last one."""
        for key, call in self.tool_calls.items():
            if call_id and call.id == call_id:
                return key
        if call_id or self.last_call is None:
            return max(self.tool_calls, default=-1) + 1
        return self.last_call

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
    """Adds up parsed chunks. `add` takes one; `wire` gives the body that an unstreamed answer would have had.

    The first id, model and the like that is not empty stands; the last usage that is not null wins; `""` and null
    in a delta mean nothing; tool calls and choices are merged by their index.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._unknown: dict[str, Any] = {}
        self._usage: Any = None
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: dict[str, Any], payload: bytes) -> None:
        """Take in one chunk: `chunk` is what was parsed from `payload`."""
        if len(self._head) < len(_HEAD_FIELDS):
            for name in _HEAD_FIELDS:
                if chunk.get(name):
                    self._head.setdefault(name, chunk[name])
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        for position, choice in enumerate(choices) if isinstance(choices, list) else ():
            if not isinstance(choice, dict):
                continue
            index = index_of(choice)
            state = self._choices.get(index)
            if state is None:
                state = self._choices[index] = _Choice()
            state.add(choice, payload, position)
        if not _CHUNK_FIELDS.issuperset(chunk):
            self._unknown.update(_unknown(chunk, _CHUNK_FIELDS))

    @property
    def is_empty(self) -> bool:
        """Whether nothing to read has arrived: no text, no reasoning, no tool call."""
        return not any(
            choice.content or choice.reasoning_content or choice.tool_calls for choice in self._choices.values()
        )

    def wire(self) -> dict[str, Any]:
        """The body of the completion so far."""
        return heal({
            **self._unknown,
            **self._head,
            "object": "chat.completion",
            "choices": [self._choices[index].wire(index) for index in sorted(self._choices)],
            "usage": self._usage,
        })
