"""Named conversations whose turns belong to cells, so that running a cell again replaces its turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..api.clean_text import heal, on_one_line
from ..api.errors import InvalidRequestError

if TYPE_CHECKING:
    from ..api.response import ChatCompletion

_FORMAT = "ds_magic chat"
_VERSION = 1


class _SavedTurn(msgspec.Struct):
    cell: str
    stale: bool
    asked: list[dict[str, Any]]
    said: list[dict[str, Any]]
    completions: list[dict[str, Any]]


class _Saved(msgspec.Struct):
    name: str
    turns: list[_SavedTurn]


@dataclass(frozen=True)
class Recorded:
    """A turn as a conversation keeps it: one cell's part.

    `cell`: what tells the cell from others. `asked`: the messages that the cell added. `said`: the messages
    that came of it, the calls and results of functions among them. `completion` as it came, also where the
    turn was loaded from a file. `stale`: whether an earlier turn has changed since; then it is not sent.
    """

    cell: str
    asked: list[dict[str, Any]]
    said: list[dict[str, Any]]
    completion: ChatCompletion
    stale: bool = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What it adds to a request."""
        return [*self.asked, *self.said]

    @property
    def tokens(self) -> tuple[int, int, int]:
        """Tokens of the prompt, those of them that the server had cached, and of the answer; 0 if unknown."""
        prompt = cached = answered = 0
        for completion in [each.completion for each in self.completion.rounds] or [self.completion]:
            usage = completion.usage
            if usage:
                prompt += usage.prompt_tokens or 0
                cached += usage.cached_tokens or 0
                answered += usage.completion_tokens or 0
        return prompt, cached, answered


class Chat:
    """A conversation: `turns`, and the `messages` that its next question is sent with.

    `fork()` gives an independent copy, `save(path)` and `Chat.load(path)` keep it in a JSON file.
    """

    def __init__(self, name: str, turns: Sequence[Recorded] = ()):
        self.name = name
        self.turns: list[Recorded] = list(turns)
        self._order: dict[str, int] = {}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of every turn that is not stale, as on the wire, without calls that have no result."""
        return without_open_calls([message for turn in self.turns if not turn.stale for message in turn.messages])

    def before(self, cell: str) -> list[dict[str, Any]]:
        """The messages that stand before the turn of `cell`: all of them where it has none yet.

        Calls whose result may come yet are among them.
        """
        turns = self.turns[: self._place(cell)]
        return [message for turn in turns if not turn.stale for message in turn.messages]

    def record(self, cell: str, asked: Sequence[dict[str, Any]], completion: ChatCompletion) -> int:
        """Put in the turn of `cell`, in the place of its earlier one; how many later turns are stale now."""
        place = self._place(cell)
        turn = Recorded(cell, _without_prefix(asked), _said(asked, completion), completion)
        later = [replace(each, stale=True) for each in self.turns[place:] if each.cell != cell]
        self.turns[place:] = [turn, *later]
        return len(later)

    def arrange(self, cells: Sequence[str]) -> None:
        """Put the turns in the order of their `cells`, ids of a notebook; others stay behind what they stand behind."""
        self._order = {cell: position for position, cell in enumerate(cells)}
        places: list[tuple[int, int]] = []
        for turn in self.turns:
            before = places[-1] if places else (-1, 0)
            places.append(self._position(turn.cell) or before)
        self.turns = [self.turns[i] for i in sorted(range(len(places)), key=places.__getitem__)]

    def _position(self, cell: str) -> tuple[int, int] | None:
        """Where the cell of a turn stands in the notebook, and which of the cell's turns it is; None if unknown."""
        name, _, number = cell.partition("#")
        position = self._order.get(name)
        return None if position is None else (position, int(number) if number.isdigit() else 1)

    def restart(self) -> None:
        """Forget every turn."""
        self.turns.clear()

    def fork(self, name: str | None = None) -> Chat:
        """A copy that goes on by itself."""
        return Chat(name or f"{self.name}-fork", self.turns)

    def save(self, path: str | Path) -> None:
        """Write the conversation to a JSON file: its messages and answers, no keys."""
        turns = [
            {
                "cell": turn.cell,
                "stale": turn.stale,
                "asked": turn.asked,
                "said": turn.said,
                "completions": [
                    completion.model_dump(mode="json", exclude_none=True)
                    for completion in ([each.completion for each in turn.completion.rounds] or [turn.completion])
                ],
            }
            for turn in self.turns
        ]
        saved = {"format": _FORMAT, "version": _VERSION, "name": self.name, "turns": turns}
        Path(path).write_text(json.dumps(heal(saved), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Chat:
        """The conversation that `save` wrote. Raises InvalidRequestError where the file is none."""
        from ..api.response import ChatCompletion
        from .tools import Round

        try:
            saved = json.loads(Path(path).read_text(encoding="utf-8"))
            if saved["format"] != _FORMAT:
                raise KeyError("format")
            if saved["version"] != _VERSION:
                raise _of_another_version(path, saved["version"])
            told, turns = msgspec.convert(saved, _Saved), []
            for each in told.turns:
                completions = [ChatCompletion.from_wire(body) for body in each.completions]
                if len(completions) > 1:
                    completions[-1].rounds = [Round(completion) for completion in completions]
                turns.append(Recorded(each.cell, each.asked, each.said, completions[-1], each.stale))
            if all(isinstance(message["role"], str) for turn in turns for message in turn.messages):
                return cls(name or told.name, turns)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError):
            pass
        raise InvalidRequestError(f"{path} is not a saved chat.", remedy="Chats are written by `chat.save(path)`.")

    def _place(self, cell: str) -> int:
        """Where the turn of `cell` stands; where it has none yet, before those of later cells, or at the end."""
        if (place := next((i for i, turn in enumerate(self.turns) if turn.cell == cell), None)) is not None:
            return place
        position, positions = self._position(cell), [self._position(turn.cell) for turn in self.turns]
        later = (i for i, each in enumerate(positions) if position is not None and each is not None and each > position)
        return next(later, len(self.turns))

    def __len__(self) -> int:
        return len(self.turns)

    def __repr__(self) -> str:
        prompt, cached, answered = (sum(each) for each in zip(*(turn.tokens for turn in self.turns), strict=True)) if (
            self.turns
        ) else (0, 0, 0)
        stale = sum(turn.stale for turn in self.turns)
        count = f"{len(self.turns)} turn{'' if len(self.turns) == 1 else 's'}" + (f" ({stale} stale)" if stale else "")
        lines = [f"Chat '{on_one_line(self.name, 80)}': {count}, {_tokens(prompt, cached, answered)}"]
        for number, turn in enumerate(self.turns, 1):
            lines += _turn_lines(number, turn)
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _of_another_version(path: str | Path, version: Any) -> InvalidRequestError:
    is_newer = isinstance(version, int) and version > _VERSION
    return InvalidRequestError(
        f"{path} is a saved chat of version {on_one_line(repr(version), 40)}, and this ds_magic reads {_VERSION}.",
        remedy="Update ds_magic, which is older than the file." if is_newer else "Save it again where it came from.",
    )


def without_open_calls(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages without calls that no result follows: a server refuses those."""
    kept: list[dict[str, Any]] = []
    results: set[Any] = set()  # that follow the message at hand
    for message in reversed(messages):
        if message.get("role") == "tool":
            results.add(message.get("tool_call_id"))
        elif calls := message.get("tool_calls"):
            answered = [call for call in calls if call.get("id") in results]
            message = {**message, "tool_calls": answered}
            if not answered:
                message.pop("tool_calls")
                message["content"] = message.get("content") or ""
        if message.get("role") != "tool":
            results = set()
        kept.append(message)
    return kept[::-1]


def _turn_lines(number: int, turn: Recorded) -> list[str]:
    head = f"{number:>3}  {_tokens(*turn.tokens)}"
    if turn.stale:
        head += " · stale: an earlier turn has changed, so it is not sent; run its cell again"
    if turn.completion.interruption:
        head += f" · {on_one_line(turn.completion.interruption)}"
    lines = [head]
    for message in turn.messages:
        text = message.get("content") or ""
        for call in message.get("tool_calls") or ():
            text = f"{text} ⟨calls {call['function']['name']}({call['function']['arguments']})⟩"
        lines.append(f"     {on_one_line(message['role'], 9):>9}  {on_one_line(text, 100)}")
    return lines


def _tokens(prompt: int, cached: int, answered: int) -> str:
    share = f" ({cached / prompt:.0%} cached)" if prompt and cached else ""
    return f"{prompt} tokens in{share}, {answered} out"


def _without_prefix(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if not message.get("prefix")]


def _said(asked: Sequence[dict[str, Any]], completion: ChatCompletion) -> list[dict[str, Any]]:
    """What came of a cell, as messages: every round, and prefix and continuation in one."""
    said: list[dict[str, Any]] = []
    for each in completion.rounds[:-1]:
        if each.calls:  # not an answer that was asked for again
            said += each.messages()
    last = {name: value for name, value in completion.as_message().items() if value is not None}
    if completion.interrupted:
        last.pop("tool_calls", None)  # a call that may not be whole is none to answer
    prefix = next((message.get("content") or "" for message in asked if message.get("prefix")), "")
    last["content"] = prefix + (last.get("content") or "")
    return [*said, last]
