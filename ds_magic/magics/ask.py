"""What a cell asks, and how it gets its answer: from text and options to a completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.request import ChatRequest
from ..conversation.ask import answered, with_instructions
from ..conversation.chats import Chat
from ..conversation.schema import AnySchema, Schema, SchemaUse
from ..conversation.tools import MOST_ROUNDS, Toolbox
from .background import Background
from .objects import named_dictionary, named_tools, named_type
from .options import BY_KEY, DEFAULTED, STREAMED, request_fields
from .prompt import Filler, has_system, messages_of
from .secrets import refuse_filled_keys, refuse_keys_in
from .settings import setting
from .shown import Shown
from .sinks import Binding, Counting, WhatIsMissing

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion
    from .deepseek import DeepSeekMagics


@dataclass
class Question:
    """What a cell asks: the request, and what it takes to make an answer of it.

    `asked`: the cell's own messages, without those of the conversation before. `turn`: what tells the
    cell from others in `chat`.
    """

    request: ChatRequest
    asked: list[dict[str, Any]]
    toolbox: Toolbox
    schema: AnySchema | None = None
    chat: Chat | None = None
    turn: str = ""


def question_of(
    magics: DeepSeekMagics,
    text: str,
    values: Mapping[str, Any],
    fill: Filler,
    namespace: Mapping[str, Any],
    *,
    use: SchemaUse | None,
) -> Question:
    """The question that a cell's text and options ask.

    `use`: how the server is told of a schema, where there is one. Raises InvalidRequestError, before anything is sent.
    """
    if not text.strip() and values.get("prefix") is None:
        raise InvalidRequestError(
            "There is nothing to ask: the cell is empty.",
            remedy="Write the prompt below `%%deepseek`, or after the options of `%deepseek`.",
        )
    chat = _chat_of(magics, values, namespace)
    turn = magics.turn_in(chat.name, text) if chat is not None else ""
    # A dry run leaves the conversation as it is.
    before = chat.before(turn) if chat is not None and not values.get("restart") else []
    system = values.get("system")
    if system is None and not has_system(text) and not before:
        system = setting(magics, "system")
    asked = messages_of(text, fill, system=system, prefix=values.get("prefix"))
    refuse_filled_keys(fill.filled)

    fields: dict[str, Any] = {}
    for name in DEFAULTED:
        if (value := setting(magics, name)) is not None:
            fields |= BY_KEY[name].fields(value)
    fields |= STREAMED | request_fields(dict(values))
    if fields["stream"] is False:
        fields.pop("stream_options")
    toolbox = Toolbox(named_tools(values["tools"], namespace) if "tools" in values else ())
    if toolbox.definitions:
        fields["tools"] = toolbox.definitions
    if isinstance(values.get("extra"), str):
        fields["extra"] = named_dictionary(values["extra"], namespace)

    schema = _schema_of(values, namespace)
    messages = [*before, *asked]
    if schema is not None and use is not None:
        fields["response_format"] = schema.response_format(use)
        messages = with_instructions(messages, schema.instructions(use))
    request = ChatRequest.build(messages, **{name: value for name, value in fields.items() if value is not None})
    refuse_keys_in(request)
    return Question(request, asked, toolbox, schema, chat, turn)


def answer(
    magics: DeepSeekMagics, client: Client, question: Question, values: Mapping[str, Any]
) -> ChatCompletion:
    """Ask until there is an answer: the rounds of functions, and repairs of what is not the JSON asked for.

    The result is bound and shown as it comes, and becomes the cell's turn of its chat. Raises
    DeepSeekError, with what had arrived bound.
    """
    shown = Shown("none" if values.get("quiet") else setting(magics, "view"))

    def sinks() -> Sequence[Any]:
        beside = shown.also(question.schema.fields) if question.schema is not None else []
        return [*_beside(magics, values), shown.sink(), *beside, *shown.notes()]

    completion = None
    try:
        completion = answered(
            client,
            question.request,
            sinks,
            question.toolbox,
            question.schema,
            max_rounds=values.get("max_rounds", MOST_ROUNDS),
            run_tools=values.get("run_tools", True),
            repair=values.get("repair", 0),
            on_call=shown.called,
            on_repair=lambda error: shown.say(
                f"{str(error).splitlines()[0]} Asking for a repair: {error.reason}."
            ),
        )
    except DeepSeekError as error:
        completion = error.partial
        raise
    finally:
        shown.close()
        if completion is not None and question.chat is not None and not completion.is_empty:
            if values.get("restart"):
                question.chat.restart()
            _record(question, question.chat, completion, shown)
    return completion


def begin(magics: DeepSeekMagics, client: Client, question: Question, values: Mapping[str, Any]) -> Background:
    """Ask in the background: one request, whose result is bound and shown when it is there."""
    several = question.toolbox.definitions or question.schema is not None or question.chat is not None
    if several or values.get("explore"):
        raise InvalidRequestError(
            "`--bg` is for one request and its answer.",
            remedy="Leave out `--bg`, or `--tools`, `--schema`, `--json`, `--chat` and `--explore`.",
        )
    handle = Background(client, question.request)
    view = Shown("none" if values.get("quiet") else setting(magics, "view")).view(on_stop=handle.stop)
    return handle.begin([*_beside(magics, values), view])


def _beside(magics: DeepSeekMagics, values: Mapping[str, Any]) -> list[Any]:
    """What every answer is given to besides its view."""
    return [Binding(magics.shell, values.get("output")), Counting(magics.usage), WhatIsMissing()]


def _record(question: Question, chat: Chat, completion: ChatCompletion, shown: Shown) -> None:
    stale = chat.record(question.turn, question.asked, completion)
    if stale:
        turns = "1 later turn is" if stale == 1 else f"{stale} later turns are"
        shown.say(f"Chat {chat.name}: this turn was replaced; {turns} stale and not sent until run again.")


def _chat_of(magics: DeepSeekMagics, values: Mapping[str, Any], namespace: Mapping[str, Any]) -> Chat | None:
    """The conversation that `--chat` names: a variable that is one, or the kernel's of that name."""
    name = values.get("chat")
    if name is None:
        if values.get("restart"):
            raise InvalidRequestError(
                "`--restart` does not say which conversation.", remedy="For example `--chat lesson --restart`."
            )
        return None
    value = namespace.get(name)
    return value if isinstance(value, Chat) else magics.chats.setdefault(name, Chat(name))


def _schema_of(values: Mapping[str, Any], namespace: Mapping[str, Any]) -> AnySchema | None:
    if "schema" in values:
        return Schema(named_type(values["schema"], namespace), values["schema"])
    if values.get("json"):
        return AnySchema()
    if "repair" in values:
        raise InvalidRequestError("`--repair` is for `--schema` and `--json`.", remedy="Give one of them as well.")
    return None
