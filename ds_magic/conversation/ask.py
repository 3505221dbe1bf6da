"""One question to its answer: the rounds of functions, the object that was asked for, and the turn of a chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..api.request import ChatRequest, as_messages
from ..run import Sink
from .chats import Chat
from .schema import AnySchema, Schema, SchemaUse, UnfitAnswerError, parse_answer, repair_messages
from .tools import MOST_ROUNDS, Called, Toolbox, run_with_tools

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion


def ask(
    messages: Any,
    *,
    tools: Iterable[Any] = (),
    schema: Any = None,
    chat: Chat | None = None,
    max_rounds: int = MOST_ROUNDS,
    run_tools: bool = True,
    repair: int = 0,
    client: Client | None = None,
    **fields: Any,
) -> ChatCompletion:
    """The answer of whichever server the environment means, with what a cell can do besides.

    `messages` and `fields` as for `chat`. `tools`: Python functions, Tool objects or definitions; the model
    may call them in at most `max_rounds` requests, and with `run_tools=False` it is stopped before the
    first call. `schema`: a pydantic model, dataclass, TypedDict, annotation or JSON Schema; the object is
    in `.parsed`, after at most `repair` further requests. `chat`: a Chat that the question goes on with and
    is a turn of. Raises DeepSeekError; UnfitAnswerError where the answer is not what the schema says.
    """
    from ..backend import EMBEDDED, resolve

    client = client or resolve()
    toolbox = Toolbox(tools)
    wanted = None if schema is None else Schema(schema, getattr(schema, "__name__", "schema"))
    asked = as_messages(messages)
    sent = [*(chat.messages if chat is not None else ()), *asked]
    if wanted is not None:
        use = SchemaUse.at(is_embedded=client.name == EMBEDDED, is_deepseek=client.is_deepseek)
        fields["response_format"] = wanted.response_format(use)
        sent = with_instructions(sent, wanted.instructions(use))
    if toolbox.definitions:
        fields["tools"] = toolbox.definitions
    request = ChatRequest.build(sent, **fields)
    completion = answered(
        client, request, lambda: (), toolbox, wanted, max_rounds=max_rounds, run_tools=run_tools, repair=repair
    )
    if chat is not None and not completion.is_empty:
        chat.record(f"ask-{len(chat.turns)}-{id(completion)}", asked, completion)
    return completion


def answered(
    client: Client,
    request: ChatRequest,
    sinks: Callable[[], Sequence[Sink]],
    toolbox: Toolbox,
    schema: AnySchema | None,
    *,
    max_rounds: int = MOST_ROUNDS,
    run_tools: bool = True,
    repair: int = 0,
    on_call: Callable[[Called], None] = lambda called: None,
    on_repair: Callable[[UnfitAnswerError], None] = lambda error: None,
) -> ChatCompletion:
    """Run a request until it is answered: see `run_with_tools`, then `parse_answer`, and at most `repair` repairs.

    `sinks` makes the sinks of each request. `on_repair` is told why the answer is asked for again.
    """
    completion = run_with_tools(
        client, request, toolbox, sinks, max_rounds=max_rounds, run_tools=run_tools, on_call=on_call
    )
    while schema is not None and not completion.interrupted and not completion.tool_calls:
        try:
            parse_answer(completion, schema)
            break
        except UnfitAnswerError as error:
            if repair <= 0:
                raise
            failure = error
        repair -= 1
        on_repair(failure)
        request = _repair_request(request, failure)
        completion = run_with_tools(client, request, Toolbox(), sinks)
    return completion


def with_instructions(messages: Sequence[dict[str, Any]], instructions: str | None) -> list[dict[str, Any]]:
    """The messages with instructions for the model at the end of the first system message, or in one of their own."""
    if not instructions:
        return list(messages)
    if messages and messages[0].get("role") == "system":
        first = {**messages[0], "content": f"{messages[0]['content']}\n\n{instructions}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": instructions}, *messages]


def _repair_request(request: ChatRequest, failure: UnfitAnswerError) -> ChatRequest:
    fields = {name: getattr(request, name) for name in request.model_fields_set if name != "messages"}
    kept = [message for message in request.messages if not getattr(message, "prefix", None)]
    return ChatRequest.build([*kept, *repair_messages(failure)], **fields)
