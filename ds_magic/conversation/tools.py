"""Functions that a model may call: which there are, the calls of a round, and what the model is told of them."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..api.clean_text import for_terminal
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.messages import Tool
from ..api.strict import made_strict, refused, unfit
from ..stop import Stop
from .functions import ArgumentsError, FunctionTool, as_text

if TYPE_CHECKING:
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
        return for_terminal(f"{self.name}({self.arguments}) → {self.result}")


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

    `is_strict`: the server holds the model to their schemas. `notes`: what there is to say of that. Raises
    InvalidRequestError for what is no tool, for two of one name, and for what cannot be strict.
    """

    def __init__(self, tools: Iterable[Any] = (), *, is_strict: bool = False):
        self.functions: dict[str, FunctionTool] = {}
        self.definitions: list[Any] = []
        self.notes: list[str] = []
        names: set[str] = set()
        for tool in tools:
            if isinstance(tool, Tool | Mapping):
                definition: Any = _complete(tool) if isinstance(tool, Mapping) else tool
                name = _name_of(definition)
            else:
                described = tool if isinstance(tool, FunctionTool) else FunctionTool(tool)
                definition, name = described.definition, described.name
                self.functions[name] = described
                if is_strict:
                    definition = self._all_required(definition)
            if name in names:
                raise InvalidRequestError(f"There are two tools called `{name}`.", field="tools", remedy="Rename one.")
            names.add(name)
            self.definitions.append(_strict(definition, name) if is_strict else definition)
        if is_strict and not self.definitions:
            raise InvalidRequestError(
                "`--strict` is for functions, and there are none.", field="tools", remedy="Name them with `--tools`."
            )

    def _all_required(self, definition: Tool) -> Tool:
        """A function of Python's whose model gives every argument, also where Python could do without."""
        parameters, optional = made_strict(definition.function.parameters or {})
        if optional:
            named = ", ".join(f"`{name}`" for name in optional)
            self.notes.append(
                f"`{definition.function.name}` is strict: the model has to give {named} as well, whatever the default."
            )
        return Tool(function=definition.function.model_copy(update={"parameters": parameters}))

    def can_run(self, completion: ChatCompletion) -> bool:
        """Whether the calls can be made here: there are functions, and no call is of what has only a definition."""
        only_defined = {_name_of(definition) for definition in self.definitions} - set(self.functions)
        return bool(self.functions) and not any(call.function.name in only_defined for call in completion.tool_calls)

    def run(self, completion: ChatCompletion, round_number: int = 0, stop: Stop | None = None) -> Iterator[Called]:
        """Make the calls of a completion, those of one round together; errors become results.

        A call that is alone on the main thread runs there, where Ctrl-C reaches it. Others run in threads: `stop` does
        not wait for them, and ends the round with what was called by then.
        """
        calls = completion.tool_calls
        ids = _unique_ids([call.id for call in calls], round_number)
        jobs = [
            (identity, call.function.name, call.function.arguments)
            for identity, call in zip(ids, calls, strict=True)
        ]
        if len(jobs) == 1 and threading.current_thread() is threading.main_thread():
            yield self._call(*jobs[0])
            return
        pool = ThreadPoolExecutor(max_workers=min(len(jobs), 16), thread_name_prefix="ds_magic-tool")
        wait = _Wait()
        if stop is not None:
            stop.hold(wait)
        try:
            for future in [self._submit(pool, *job) for job in jobs]:
                if wait.for_(future):
                    yield future.result()
        finally:
            # Neither an interrupt nor a Stop waits for functions that are still running.
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, identity: str, name: str, text: str) -> Future[Called]:
        context = contextvars.copy_context()
        return pool.submit(lambda: context.run(self._call, identity, name, text))

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


class _Wait:
    """A wait for calls that a Stop ends."""

    def __init__(self) -> None:
        self._ended: Future[None] = Future()

    def for_(self, future: Future[Called]) -> bool:
        """Wait for `future`; whether it is there."""
        either: list[Future[Any]] = [future, self._ended]
        futures.wait(either, return_when=futures.FIRST_COMPLETED)
        return future.done() and not future.cancelled()

    def close(self) -> None:
        with contextlib.suppress(futures.InvalidStateError):
            self._ended.set_result(None)


def next_request(request: ChatRequest, last: Round) -> ChatRequest:
    """The request that tells what the functions gave.

    A choice that forced a call forced that one only: after a named function the model answers, after
    "required" it may do either.
    """
    choice = request.tool_choice
    if choice == "required":
        return request.followed_by(last.messages(), tool_choice=None)
    if choice not in (None, "auto", "none"):
        return request.followed_by(last.messages(), tool_choice="none")
    return request.followed_by(last.messages())


def _unique_ids(ids: Sequence[str | None], round_number: int) -> list[str]:
    """An id for each call: the server's, and ours where it is missing or repeated."""
    unique: dict[str, None] = {}
    for position, identity in enumerate(ids):
        if not identity or identity in unique:
            identity = f"call_{round_number}_{position}"
        while identity in unique:  # the server may have had the same idea
            identity += "_"
        unique[identity] = None
    return list(unique)


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


def _strict(definition: Any, name: str) -> Any:
    """A definition that the server is to hold the model to. Raises InvalidRequestError where it cannot."""
    function = definition.function.model_dump() if isinstance(definition, Tool) else definition["function"]
    if not isinstance(function, Mapping):  # which the request says
        return definition
    schema = function.get("parameters")
    if isinstance(schema, Mapping) and (found := unfit(schema)):
        raise refused(name, found[1])
    if isinstance(definition, Tool):
        return Tool(function=definition.function.model_copy(update={"strict": True}))
    return {**definition, "function": {**function, "strict": True}}


def _name_of(definition: Any) -> str:
    if isinstance(definition, Tool):
        return definition.function.name
    function = definition.get("function")
    return str(function.get("name")) if isinstance(function, Mapping) else ""
