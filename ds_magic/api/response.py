"""ChatCompletion: what comes back, typed, lenient about what is missing or odd, unknown fields kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr, ValidationError

from .. import conveniences
from . import saved
from .addresses import EMBEDDED
from .choices import Choice, MessageToolCall
from .clean_text import for_terminal
from .kept_beside import Kin, Raw
from .lenient import Incoming, Lenient, Objects
from .loose_json import fit_to_keep
from .no_logprobs import NoLogprobs
from .notes import ENDS_IN_BLANK, LED_BY_WORDS, ends_in_blank
from .served import led_by_words, provenance
from .token_logprobs import TokenLogprobs
from .usage import Timing, Usage

if TYPE_CHECKING:
    from pathlib import Path

    from ..conveniences import Branch, BranchTree, Explorer, Guess, WrittenPage
    from ..logprobs.provenance import Provenance
    from ..logprobs.table import LogprobTable
    from .recorded import Recorded
    from .request import ChatRequest

FAILURES = {
    "aborted": "the server aborted it",
    "insufficient_system_resource": "the server ran out of resources",
}
"""Finish reasons that are failures inside a 200, in words: what had come is a part of the answer."""


class ChatCompletion(Incoming):
    """A completion: the wire's fields, and for the first choice the shortcuts that people use.

    Beside the wire's fields:
    `request`: the ChatRequest that was sent. `timing`: a Timing. `backend`: which server answered, in words.
    `recorded`: of which recording it is, or None. `interrupted`: True where the answer is not whole, and then
    `interruption` says why, in words. `notes`: what was changed or ignored on the way. `str(completion)`: its content.
    """

    id: Lenient[str] = None
    object: Lenient[str] = None
    created: Lenient[int] = None
    model: Lenient[str] = None
    system_fingerprint: Lenient[str] = None
    choices: Objects[Choice] = []
    usage: Lenient[Usage] = None

    _request: ChatRequest | None = PrivateAttr(default=None)
    _timing: Timing | None = PrivateAttr(default=None)
    _backend: str | None = PrivateAttr(default=None)
    _recorded: Recorded | None = PrivateAttr(default=None)
    _interruption: str | None = PrivateAttr(default=None)
    _notes: list[str] = PrivateAttr(default_factory=list)
    _raw: Raw = PrivateAttr(default_factory=Raw)
    _parsed: tuple[Any] | None = PrivateAttr(default=None)
    _branch: Branch | None = PrivateAttr(default=None)
    _kin: Kin = PrivateAttr(default_factory=Kin)

    @classmethod
    def from_wire(
        cls, body: dict[str, Any], *, request: ChatRequest | None = None, timing: Timing | None = None,
        backend: str | None = None, recorded: Recorded | None = None, interruption: str | None = None,
        notes: Sequence[str] = (),
    ) -> ChatCompletion:
        """The completion in a parsed JSON body; odd or missing fields become None."""
        try:
            completion = cls.model_validate(body)
        except ValidationError:  # no object, or a lone surrogate in the name of an unknown field
            completion = cls.model_validate(fit_to_keep(body) if isinstance(body, dict) else {})
        completion._request = request
        completion._timing = timing
        completion._backend = backend
        completion._recorded = recorded
        completion._interruption = interruption or FAILURES.get(completion.finish_reason or "")
        completion._notes = list(notes)
        if ends_in_blank(request) and backend != EMBEDDED and ENDS_IN_BLANK not in notes:
            completion._notes.append(ENDS_IN_BLANK)
        if led_by_words(completion) and LED_BY_WORDS not in notes:
            completion._notes.append(LED_BY_WORDS)
        completion._raw = Raw(body)
        return completion

    @property
    def raw(self) -> dict[str, Any] | None:
        """The body as it came; of a stream, what its chunks add up to."""
        return self._raw.whole()

    @property
    def rounds(self) -> list[Any]:
        """The rounds of an answer that called functions: each with `.completion` and `.calls`; else empty."""
        return self._kin.rounds

    @rounds.setter
    def rounds(self, rounds: list[Any]) -> None:
        self._kin.rounds = rounds

    @property
    def request(self) -> ChatRequest | None:
        """The request that was sent, without the key."""
        return self._request

    @property
    def timing(self) -> Timing | None:
        """How long it took."""
        return self._timing

    @property
    def backend(self) -> str | None:
        """Which server answered: "DeepSeek", "embedded model" or an address; also where that was recorded."""
        return self._backend

    @property
    def recorded(self) -> Recorded | None:
        """Of an answer that was not asked for now: when it was given (`.at`), and whether this `.is_replay`."""
        return self._recorded

    @property
    def interruption(self) -> str | None:
        """Why the answer is not whole, in words, or None."""
        return self._interruption

    def interrupt(self, why: str) -> None:
        """Mark the answer as not whole."""
        self._interruption = self._interruption or why

    @property
    def interrupted(self) -> bool:
        """Whether the answer ended before the model did: stopped, cut off, or failed half-way."""
        return self._interruption is not None

    @property
    def notes(self) -> list[str]:
        """What was changed or ignored on the way, one sentence each."""
        return self._notes

    @property
    def provenance(self) -> Provenance:
        """Where the answer came from: model, server, what was in force when tokens were drawn; see `Provenance`."""
        return provenance(self)

    @property
    def parent(self) -> ChatCompletion | None:
        """The answer that this one branched off, or None."""
        return self._kin.parent

    @property
    def branch(self) -> Branch | None:
        """Where and how this one left its parent, or None."""
        return self._branch

    @property
    def branches(self) -> tuple[ChatCompletion, ...]:
        """The answers that branched off this one, the oldest first."""
        return tuple(self._kin.branches)

    def adopted_by(self, parent: ChatCompletion, branch: Branch) -> ChatCompletion:
        """This completion, as a branch of `parent`."""
        self._kin.parent, self._branch = parent, branch
        parent._kin.branches.append(self)
        return self

    def fork(
        self, token: str | int, instead: str | None = None, *, rank: int | None = None, **fields: Any
    ) -> ChatCompletion:
        """The answer continued from `token` with `instead`, or the alternative of `rank`, instead: `branch.fork`."""
        return conveniences.forked(self, token, instead, rank, fields)

    def explore(self) -> Explorer:
        """A live widget over the token probabilities, in which alternatives can be continued.

        Raises InvalidRequestError where the answer has no logprobs.
        """
        return conveniences.completion_explored(self)

    def to_html(self, path: str | Path | None = None) -> WrittenPage:
        """Write the explorer over this answer, its thinking and its branches as one HTML file that needs no network.

        Returns the path, in a notebook a link. Without a path the file is named by the question, and is a new one.
        """
        return conveniences.completion_written(self, path)

    def guess(self, *, vote: bool = False) -> Guess:
        """The answer's words hidden, to be guessed one by one; `vote`: by a class, by show of hands."""
        return conveniences.completion_guessed(self, vote)

    def as_cell(self) -> str:
        """The text of a `%%deepseek` cell that asks the same; of a branch, with the `--prefix` that leads into it.

        Such a prefix is a text: its tokens, of which `fork` tells the embedded server, are left out. Raises
        InvalidRequestError where no cell can say what was asked; see `magics.cell_text.cell_of`.
        """
        return conveniences.completion_as_cell(self)

    def save(self, path: str | Path) -> Path:
        """Write the answer to a JSON file, whole: request, table, timing, rounds, and the branches that hang on it.

        No key is in it. An object that was made from the content comes back as the JSON it was made from.
        """
        return saved.write(self, path)

    @classmethod
    def load(cls, path: str | Path) -> ChatCompletion:
        """The answer that `save` wrote. Raises InvalidRequestError where the file is none."""
        return saved.read(path, cls)

    def __getstate__(self) -> dict[Any, Any]:
        """For pickle: the body, packed, and what does not stand in it; tables are made anew."""
        private = dict(self.__pydantic_private__ or {})
        del private["_raw"]
        return {"body": saved.packed(self), "private": private}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        made = self.from_wire(saved.unpacked(state["body"]))
        for name in ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__"):
            object.__setattr__(self, name, getattr(made, name))
        object.__setattr__(self, "__pydantic_private__", {**state["private"], "_raw": made._raw})

    def tree(self) -> BranchTree:
        """The answer and all its branches, with what they share dimmed."""
        return conveniences.branches_shown(self)

    @property
    def choice(self) -> Choice:
        """The first choice; an empty one where the server sent none."""
        return min(self.choices, key=lambda choice: choice.index, default=None) or Choice()

    @property
    def content(self) -> str:
        """The answer's text; empty where there is none."""
        return self.choice.message.content or ""

    @property
    def reasoning_content(self) -> str | None:
        """What the model thought before it answered, or None."""
        return self.choice.message.reasoning_content

    @property
    def tool_calls(self) -> list[MessageToolCall]:
        """The tool calls of the answer; empty where there are none."""
        return self.choice.message.tool_calls or []

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it to read: no text, no reasoning, no tool call."""
        return not (self.content or self.reasoning_content or self.tool_calls)

    @property
    def finish_reason(self) -> str | None:
        """`stop`, `length`, `content_filter`, `tool_calls`, `insufficient_system_resource`, `aborted`, or any string.

        The last two are failures: the answer is `interrupted` then.
        """
        return self.choice.finish_reason

    @cached_property
    def logprobs(self) -> LogprobTable | Any:  # for checkers: whoever asked for them need not ask whether they came
        """The token probabilities of the answer, a LogprobTable.

        Without them it is false, and says what to do when it is used: see `NoLogprobs`.
        """
        return self._table("content", self.content, "answer")

    def logprobs_of(self, number: int) -> LogprobTable | Any:
        """The token probabilities of choice `number` (0 is the first), as `logprobs`. Raises IndexError."""
        choice = self.choices[number]
        return self.logprobs if number == 0 else self._table("content", choice.message.content or "", "answer", choice)

    @cached_property
    def reasoning_logprobs(self) -> LogprobTable | Any:
        """The token probabilities of the reasoning, as `logprobs`."""
        return self._table("reasoning_content", self.reasoning_content or "", "reasoning")

    def _table(self, name: str, text: str, what: str, choice: Choice | None = None) -> LogprobTable | NoLogprobs:
        tokens: TokenLogprobs | None = getattr((choice or self.choice).logprobs, name, None)
        asked = self._request
        if tokens is None:
            return NoLogprobs.of(what, were_asked_for=None if asked is None else bool(asked.logprobs))
        from ..logprobs.table import LogprobTable

        wanted = asked.response_format.json_schema if asked and asked.response_format and name == "content" else None
        return LogprobTable.from_wire(
            tokens.columns(),
            content=text,
            provenance=provenance(self, of_thinking=name == "reasoning_content"),
            top_logprobs=asked.top_logprobs if asked else None,
            model=self.model,
            schema=(wanted or {}).get("schema"),
        )

    @property
    def parsed(self) -> Any:
        """With a schema its object; in JSON mode the content as a JSON value where it is valid; else None."""
        if self._parsed is not None:
            return self._parsed[0]
        wanted = self._request and self._request.response_format
        if not wanted or wanted.type == "text":
            return None
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @parsed.setter
    def parsed(self, value: Any) -> None:
        self._parsed = (value,)

    @property
    def text(self) -> str:
        """What the user reads: the prefix that was asked for, the content that continues it, and its suffix."""
        return self.prefix + self.content + (self._request.behind if self._request is not None else "")

    @property
    def prefix(self) -> str:
        """The text that the answer was made to begin with and its content does not have; empty where there is none."""
        return self._branch.base if self._branch is not None else (self._request and self._request.prefix) or ""

    def as_message(self) -> dict[str, Any]:
        """The answer as a message of a conversation."""
        message = self.choice.message
        return {
            "role": "assistant",
            "content": message.content if message.content is not None or message.tool_calls else "",
            "reasoning_content": message.reasoning_content,
            "tool_calls": [call.model_dump(exclude_none=True) for call in message.tool_calls or ()] or None,
        }

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        where = [self.backend] if self.recorded is None else self.recorded.names
        facts = [self.model, *where, self.interruption or self.finish_reason]
        if self.usage and self.usage.completion_tokens is not None:
            facts.append(f"{self.usage.completion_tokens} tokens")
        line = " · ".join(fact for fact in facts if fact)
        return for_terminal(f"{self.content}\n⟨{line}⟩" if line else self.content)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return conveniences.completion_shown(self)
