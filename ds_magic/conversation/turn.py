"""Turn: what a cell or a call of `ask` asks, and its way to an answer: rounds of functions, repairs, the record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.request import ChatRequest
from ..api.shorthand import as_messages
from ..run import AtTheEnd, Observer
from ..stop import Stop, second_interrupt, told_apart
from .answer_schema import AnySchema, Schema, SchemaUse, UnfitAnswerError, parse_answer, repair_messages
from .chats import Chat, without_open_calls
from .degrade import run_as_supported
from .tools import MOST_ROUNDS, Called, Round, Toolbox, TooManyRoundsError, next_request

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion


class Audience(Protocol):
    """Whom a turn is shown to: it makes the observers of each request, and is told what comes between them."""

    def observers(self) -> Sequence[Observer]:
        """Those of the next request."""

    def called(self, called: Called) -> None:
        """A function was called."""

    def say(self, text: str) -> None:
        """A line about what comes next."""

    def close(self) -> None:
        """There are no more requests; called once, whatever happened."""


class Seats:
    """An audience of the same observers for every request; alone it is nobody."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def observers(self) -> Sequence[Observer]:
        return self._observers

    def called(self, called: Called) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Turn:
    """What is asked: the request, and what it takes to make an answer of it.

    `asked`: the turn's own messages, without those of `chat` before it. `key`: what tells the turn from others of
    the chat; one of the same key is replaced. `restart`: whether the chat is begun anew. Making a turn sends
    nothing and changes nothing. `notes`: what there is to say of it on every completion, sentences.
    """

    request: ChatRequest
    asked: list[dict[str, Any]] = field(default_factory=list)
    toolbox: Toolbox = field(default_factory=Toolbox)
    schema: AnySchema | None = None
    chat: Chat | None = None
    key: str = ""
    restart: bool = False
    max_rounds: int = MOST_ROUNDS
    run_tools: bool = True
    repair: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        asked: Sequence[dict[str, Any]],
        fields: Mapping[str, Any],
        *,
        toolbox: Toolbox,
        schema: AnySchema | None,
        use: SchemaUse | None,
        chat: Chat | None,
        key: str,
        restart: bool = False,
        **limits: Any,
    ) -> Turn:
        """The turn that asks `asked` after what stands in `chat`.

        `fields`: request fields by their wire names. `use`: how the server is told of a schema, where there is one.
        `limits`: `max_rounds`, `run_tools`, `repair`, `notes`. Raises InvalidRequestError.
        """
        fields = dict(fields)
        messages = list(asked)
        if chat is not None and not restart:
            messages = without_open_calls([*chat.before(key), *asked])
        if schema is not None and use is not None:
            fields["response_format"] = schema.response_format(use)
            messages = _with_instructions(messages, schema.instructions(use))
        if toolbox.definitions:
            fields["tools"] = toolbox.definitions
        notes = (*limits.pop("notes", ()), *toolbox.notes)
        request = ChatRequest.build(messages, **fields)
        return cls(request, list(asked), toolbox, schema, chat, key, restart, notes=notes, **limits)

    def answer(self, client: Client, audience: Audience | None = None, stop: Stop | None = None) -> ChatCompletion:
        """Ask until there is an answer; `.rounds` has every request and every call.

        Ends before a call where `run_tools` is off, where a tool has only a definition, and where the answer was
        interrupted. What there is in the end is recorded in the chat, whole or partial, also where an error is
        raised: any DeepSeekError, TooManyRoundsError, UnfitAnswerError after the last repair.
        """
        audience, stop = audience or Seats(), stop or Stop()
        history = _History()
        try:
            return self._answered(client, audience, stop, history)
        finally:
            history.hang_on_the_last()
            audience.close()
            self._record(history.last, audience)

    def _answered(self, client: Client, audience: Audience, stop: Stop, history: _History) -> ChatCompletion:
        request, repairs = self.request, self.repair
        while True:
            completion = run_as_supported(client, request, lambda: [history, *audience.observers()], stop, self.notes)
            if completion.interrupted:
                return completion
            if completion.tool_calls:
                if not (self.run_tools and self.toolbox.can_run(completion)):
                    return completion
                self._call(completion, audience, stop, history)
                if completion.interrupted:
                    audience.say("Stopped in a function call.")
                    return completion
                request = next_request(request, history.rounds[-1])
                continue
            if self.schema is None:
                return completion
            try:
                parse_answer(completion, self.schema)
                return completion
            except UnfitAnswerError as error:
                if repairs <= 0:
                    raise
                unfit = error
            repairs -= 1
            audience.say(f"{str(unfit).splitlines()[0]} Asking for a repair: {unfit.reason}.")
            request = request.followed_by(repair_messages(completion, unfit.reason))

    def _call(self, completion: ChatCompletion, audience: Audience, stop: Stop, history: _History) -> None:
        """Make the calls of the last round. Where that is stopped, the completion is marked as interrupted."""
        if sum(bool(each.completion.tool_calls) for each in history.rounds) >= self.max_rounds:
            raise TooManyRoundsError(
                f"The model still calls functions after {self.max_rounds} round{'s' if self.max_rounds > 1 else ''}: "
                f"{', '.join(call.function.name for call in completion.tool_calls)}.",
                partial=completion,
            )
        calls = history.rounds[-1].calls
        try:
            for called in self.toolbox.run(completion, len(history.rounds), stop):
                calls.append(called)
                audience.called(called)
        except KeyboardInterrupt as interrupt:
            stop.set()
            completion.interrupt("stopped in a function call")
            if (again := second_interrupt(interrupt)) is not None:
                raise again from None
        if stop.is_set:
            completion.interrupt("stopped in a function call")

    def _record(self, completion: ChatCompletion | None, audience: Audience) -> None:
        if self.chat is None or completion is None or completion.is_empty:
            return
        if self.restart:
            self.chat.restart()
        stale = self.chat.record(self.key, self.asked, completion)
        if stale:
            turns = "1 later turn is" if stale == 1 else f"{stale} later turns are"
            audience.say(f"Chat {self.chat.name}: {turns} stale now, and not sent until run again.")


class _History(AtTheEnd):
    """What has come of a turn so far: its rounds, also the last one where it broke off."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []

    def finish(self, completion: ChatCompletion | None, error: DeepSeekError | None) -> None:
        if completion is not None:
            self.rounds.append(Round(completion))

    @property
    def last(self) -> ChatCompletion | None:
        return self.rounds[-1].completion if self.rounds else None

    def hang_on_the_last(self) -> None:
        if self.rounds:
            self.rounds[-1].completion.rounds = self.rounds


def ask(
    messages: Any,
    *,
    system: str | None = None,
    prefix: str | None = None,
    tools: Iterable[Any] = (),
    strict: bool = False,
    schema: Any = None,
    json: bool = False,
    chat: Chat | None = None,
    max_rounds: int = MOST_ROUNDS,
    run_tools: bool = True,
    repair: int = 0,
    client: Client | None = None,
    stop: Stop | str | Sequence[str] | None = None,
    journal: Any = None,
    cache: bool | None = None,
    replay: Any = None,
    speed: float | None = None,
    **fields: Any,
) -> ChatCompletion:
    """The answer of whichever server the environment means, with what a cell can do besides.

    `messages`, `system`, `prefix` and `fields` as for `chat`. `tools`: Python functions, Tool objects or
    definitions; the model may call them in at most `max_rounds` requests, and with `run_tools=False` it is stopped
    before the first call; with `strict` the server holds it to their schemas. `schema`: a pydantic model, dataclass,
    TypedDict, annotation or JSON Schema; the object is in `.parsed`, after at most `repair` further requests. `json`:
    the same for any JSON object. `chat`: a Chat that the question goes on with and is a turn of, also where the answer
    breaks off. `stop`: a Stop, whose `set()` ends it from any thread, or as for `chat` the texts that end the answer.
    `journal`, `cache`, `replay` and `speed` as for `Client`. Raises DeepSeekError;
    UnfitAnswerError where the answer is not what the schema says.
    """
    from ..backend import resolve_through

    if chat is not None and not isinstance(chat, Chat):
        raise InvalidRequestError(
            f"`chat` is {chat!r:.60}, and must be a Chat: the conversation that the question is a turn of.",
            field="chat", value=chat,
            remedy="Begin one with `lesson = ds_magic.Chat('lesson')`, and give `chat=lesson`.",
        )
    stop, fields = told_apart(stop, fields)
    client = resolve_through(client, journal=journal, cache=cache, replay=replay, speed=speed)
    turn = turn_for(
        client, messages, system=system, prefix=prefix, tools=tools, strict=strict, schema=schema, json=json, chat=chat,
        max_rounds=max_rounds, run_tools=run_tools, repair=repair, **fields,
    )
    return turn.answer(client, stop=stop)


def turn_for(
    client: Client,
    messages: Any,
    *,
    system: str | None = None,
    prefix: str | None = None,
    tools: Iterable[Any] = (),
    strict: bool = False,
    schema: Any = None,
    json: bool = False,
    chat: Chat | None = None,
    max_rounds: int = MOST_ROUNDS,
    run_tools: bool = True,
    repair: int = 0,
    **fields: Any,
) -> Turn:
    """The turn by which `client` is asked what `ask` asks; the arguments are its. Raises InvalidRequestError."""
    from ..api.addresses import EMBEDDED

    return Turn.of(
        as_messages(messages, system=system, prefix=prefix),
        fields,
        toolbox=Toolbox(tools, is_strict=strict),
        schema=_wanted(schema, json),
        use=SchemaUse.at(is_embedded=client.server == EMBEDDED, is_deepseek=client.is_deepseek),
        chat=chat,
        key="" if chat is None else f"ask-{uuid.uuid4().hex[:12]}",
        max_rounds=max_rounds,
        run_tools=run_tools,
        repair=repair,
    )


def _wanted(schema: Any, json: bool) -> AnySchema | None:
    """The kind of object that is asked for, or None."""
    if schema is not None:
        return Schema(schema, getattr(schema, "__name__", "schema"))
    return AnySchema() if json else None


def _with_instructions(messages: Sequence[dict[str, Any]], instructions: str | None) -> list[dict[str, Any]]:
    """The messages with instructions for the model at the end of the first system message, or in one of their own."""
    if not instructions:
        return list(messages)
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{instructions}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": instructions}, *messages]
