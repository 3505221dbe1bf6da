"""The rounds of an answer that calls functions: ask, call, tell, until the model answers."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.messages import Tool
from ..run import AtTheEnd, Sink
from .degrade import run_as_supported
from .functions import ArgumentsError, FunctionTool, as_text

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.request import ChatRequest
    from ..api.response import ChatCompletion

MOST_ROUNDS = 8


class TooManyRoundsError(DeepSeekError):
    """The model still called functions in the last round it was allowed; `partial` is that round's completion."""

    default_remedy = "Allow more with `--max-rounds`, or ask for less at once."


@dataclass(frozen=True, repr=False)
class Called:
    """One call of a round: `id`, `name`, the `arguments` text as it came, and what it gave.

    `result` is the text that the model was given; `error` says what went wrong, or is None.
    """

    id: str
    name: str
    arguments: str
    result: str
    error: str | None = None

    def __repr__(self) -> str:
        return f"{self.name}({self.arguments}) → {self.result}"


@dataclass(frozen=True)
class Round:
    """One request's completion, and the calls that it made."""

    completion: ChatCompletion
    calls: list[Called] = field(default_factory=list)

    def messages(self) -> list[dict[str, Any]]:
        """The round as messages: what the model said, then what each function gave."""
        said = self.completion.as_message()
        for call, wire in zip(self.calls, said["tool_calls"] or (), strict=False):
            wire["id"] = call.id
        results = [{"role": "tool", "tool_call_id": call.id, "content": call.result} for call in self.calls]
        return [{name: value for name, value in said.items() if value is not None}, *results]


class Toolbox:
    """The tools of a request: Python functions, Tool objects, and definitions as JSON.

    Raises InvalidRequestError for what is none, or for two of one name.
    """

    def __init__(self, tools: Iterable[Any] = ()):
        self.functions: dict[str, FunctionTool] = {}
        self.definitions: list[Any] = []
        names: set[str] = set()
        for tool in tools:
            if isinstance(tool, Tool | Mapping):
                definition: Any = _complete(tool) if isinstance(tool, Mapping) else tool
                name = _name_of(definition)
            else:
                described = tool if isinstance(tool, FunctionTool) else FunctionTool(tool)
                definition, name = described.definition, described.name
                self.functions[name] = described
            if name in names:
                raise InvalidRequestError(f"There are two tools called `{name}`.", field="tools", remedy="Rename one.")
            names.add(name)
            self.definitions.append(definition)

    def can_run(self, completion: ChatCompletion) -> bool:
        """Whether the calls can be made here: none is of a tool that only has a definition."""
        only_defined = {_name_of(definition) for definition in self.definitions} - set(self.functions)
        return not any(call.function.name in only_defined for call in completion.tool_calls)

    def run(self, completion: ChatCompletion, round_number: int = 0) -> list[Called]:
        """Make the calls of a completion, those of one round together; errors become results."""
        calls = completion.tool_calls
        ids = _unique_ids([call.id for call in calls], round_number)
        jobs = [
            (identity, call.function.name, call.function.arguments)
            for identity, call in zip(ids, calls, strict=True)
        ]
        if len(jobs) == 1:
            return [self._call(*jobs[0])]
        pool = ThreadPoolExecutor(max_workers=min(len(jobs), 16), thread_name_prefix="ds_magic-tool")
        try:
            futures = [pool.submit(contextvars.copy_context().run, self._call, *job) for job in jobs]
            return [future.result() for future in futures]
        finally:
            # An interrupt does not wait for functions that are still running.
            pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, identity: str, name: str, text: str) -> Called:
        function = self.functions.get(name)
        if function is None:
            there_are = ", ".join(self.functions) or "none"
            reason = f"There is no function {name!r}. There are: {there_are}."
            return Called(identity, name, text, f"Error: {reason}", reason)
        try:
            return Called(identity, name, text, as_text(function.call(function.arguments(text))))
        except ArgumentsError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        return Called(identity, name, text, f"Error: {reason}", reason)


def run_with_tools(
    client: Client,
    request: ChatRequest,
    toolbox: Toolbox,
    sinks: Callable[[], Sequence[Sink]],
    *,
    max_rounds: int = MOST_ROUNDS,
    run_tools: bool = True,
    on_call: Callable[[Called], None] = lambda called: None,
) -> ChatCompletion:
    """The completion after the model has called what it wanted; `.rounds` has every round.

    `sinks` makes the sinks of a round. `on_call` is told of each call when its round is over. Ends without calling
    where `run_tools` is False, where a tool has only a definition, and where the answer was
    interrupted. Raises TooManyRoundsError, and what `run` raises.
    """
    kept = _Rounds()
    try:
        while True:
            completion = run_as_supported(client, request, lambda: [kept, *sinks()])
            wants_calls = bool(completion.tool_calls) and not completion.interrupted
            if not (wants_calls and run_tools and toolbox.functions and toolbox.can_run(completion)):
                return completion
            if len(kept.rounds) >= max_rounds:
                raise TooManyRoundsError(
                    f"The model still calls functions after {max_rounds} round{'s' if max_rounds > 1 else ''}: "
                    f"{', '.join(call.function.name for call in completion.tool_calls)}.",
                    partial=completion,
                )
            last = kept.rounds[-1]
            last.calls.extend(toolbox.run(completion, len(kept.rounds)))
            for called in last.calls:
                on_call(called)
            request = _next_request(request, last)
    finally:
        kept.hang_on()


class _Rounds(AtTheEnd):
    """The sink that keeps the rounds, to hang them on the last completion, whatever happened."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []
        self._partial: ChatCompletion | None = None

    def finish(self, completion: ChatCompletion | None, error: Exception | None) -> None:
        if completion is not None:
            self.rounds.append(Round(completion))
        self._partial = error.partial if isinstance(error, DeepSeekError) else None

    def hang_on(self) -> None:
        if self.rounds:
            self.rounds[-1].completion.rounds = self.rounds
        if self._partial is not None:
            self._partial.rounds = self.rounds


def _next_request(request: ChatRequest, last: Round) -> ChatRequest:
    """The request that tells what the functions gave.

    A choice that forced a call forced that one only: after a named function the model answers, after
    "required" it may do either.
    """
    fields = {name: getattr(request, name) for name in request.model_fields_set if name != "messages"}
    choice = fields.get("tool_choice")
    if choice == "required":
        fields["tool_choice"] = None
    elif choice not in (None, "auto", "none"):
        fields["tool_choice"] = "none"
    messages = [message for message in request.messages if not getattr(message, "prefix", None)]
    return type(request).build([*messages, *last.messages()], **fields)


def _unique_ids(ids: Sequence[str | None], round_number: int) -> list[str]:
    """An id for each call: the server's, and ours where it is missing or repeated."""
    unique: list[str] = []
    for position, identity in enumerate(ids):
        if not identity or identity in unique:
            identity = f"call_{round_number}_{position}"
        unique.append(identity)
    return unique


def _complete(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition of the wire; what stands alone under "function" there is taken as well."""
    if "function" in definition:
        return {"type": "function", **definition}
    if "name" in definition:
        return {"type": "function", "function": dict(definition)}
    raise InvalidRequestError(
        "A tool that is a dictionary must be a definition.",
        field="tools",
        remedy='It looks like {"type": "function", "function": {"name": …, "parameters": …}}.',
    )


def _name_of(definition: Any) -> str:
    if isinstance(definition, Tool):
        return definition.function.name
    function = definition.get("function")
    return str(function.get("name")) if isinstance(function, Mapping) else ""
