"""The conversation as turns of text, with the words that a small model is led by.

Models of this size know three roles and no protocol for functions or thinking, so both are put into
words. These words are part of the prompt: nothing of them is ever shown as if the model had said it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...api.messages import AssistantMessage, Message, Tool, ToolCall, ToolMessage
from ...api.request import ChatRequest
from ..engine.call_syntax import CallSyntax
from ..engine.template import Said, Turn

THINK_FIRST = "Think step by step about the question before you answer it. Write down your thoughts."
THOUGHT_BEGINS = "Let me think step by step."
ANSWER_NOW = "So what is your answer?"
TELL = "Tell me what this says."
FUNCTION = "Function:"
ARGUMENTS = "Arguments: "


def turns(messages: Sequence[Message]) -> list[Turn]:
    """The messages as turns; calls of functions, what they returned and who speaks are put into words."""
    calls: dict[str, ToolCall] = {}
    said: list[Turn] = []
    for message in messages:
        text = message.content or ""
        if isinstance(message, ToolMessage):
            call = calls[message.tool_call_id].function
            said.append(("user", f"{call.name}({call.arguments}) returned: {text}\n{TELL}"))
        elif isinstance(message, AssistantMessage) and message.tool_calls:
            calls.update((call.id, call) for call in message.tool_calls)
            # Shown its calls as it wrote them, the model would repeat them instead of answering.
            names = " and ".join(call.function.name for call in message.tool_calls)
            said.append(("assistant", _by(message.name, f"{text}\nI call {names}.".strip())))
        elif isinstance(message, AssistantMessage) and message.reasoning_content:
            said.append(Said("assistant", _by(message.name, text), message.reasoning_content))
        else:
            said.append((message.role, _by(message.name, text)))
    return said


def own_turns(messages: Sequence[Message], *, one_at_a_time: bool) -> list[Turn]:
    """The messages for a template that has places for calls and their results.

    `one_at_a_time`: of several calls in a turn each has a turn of its own, with its result after it.
    """
    calls: dict[str, ToolCall] = {}
    waiting: dict[str, Said] = {}
    said: list[Turn] = []
    for message in messages:
        text = message.content or ""
        if isinstance(message, ToolMessage):
            if (turn := waiting.pop(message.tool_call_id, None)) is not None:
                said.append(turn)
            said.append(Said("tool", text, answered=calls[message.tool_call_id]))
            continue
        text = _by(message.name, text) if text else text
        if not isinstance(message, AssistantMessage):
            said.append((message.role, text))
            continue
        made = message.tool_calls or []
        calls.update((call.id, call) for call in made)
        turn = Said("assistant", text, message.reasoning_content or "", made)
        if one_at_a_time and len(made) > 1:
            first = turn._replace(calls=made[:1])
            waiting = {call.id: Said("assistant", "", calls=[call]) for call in made} | {made[0].id: first}
        else:
            said.append(turn)
    return said


def opening(request: ChatRequest, calls: CallSyntax | None = None) -> list[Turn]:
    """What stands before the answer to `request`: its messages as turns, but for the prefix of the answer.

    `calls`: how the template writes calls; None: it has no place for them.
    """
    messages = request.messages if request.prefix is None else request.messages[:-1]
    said = own_turns(messages, one_at_a_time=calls.between is None) if calls else turns(messages)
    return said or [("user", "")]  # templates do not go without a message


def beginning(request: ChatRequest) -> tuple[str, list[bytes]]:
    """How the answer to `request` begins: its prefix as text, and the tokens that it ends with, where they are told.

    Raises ValueError where these do not spell its end.
    """
    last = request.messages[-1]
    told = (last.prefix_tokens or []) if isinstance(last, AssistantMessage) and last.prefix else []
    tokens = [bytes(token) for token in told]
    raw, end = (request.prefix or "").encode(), b"".join(tokens)
    if not raw.endswith(end) or not all(tokens):
        raise ValueError
    return raw[: len(raw) - len(end)].decode(), tokens


def _by(name: str | None, text: str) -> str:
    """What is said, with who says it: no template has a place for names."""
    return f"{name}: {text}" if name else text


def called(name: str, arguments: str) -> str:
    """A call of a function in words."""
    return f"{FUNCTION} {name}\n{ARGUMENTS}{arguments}"


def with_instruction(said: list[Turn], instruction: str) -> list[Turn]:
    """The turns with `instruction` at the end of the system's, or as the system's where there is none."""
    if said and said[0][0] == "system":
        return [("system", f"{said[0][1]}\n\n{instruction}"), *said[1:]]
    return [("system", instruction), *said]


def choosing(said: list[Turn], tools: Sequence[Tool], answer: str | None) -> list[Turn]:
    """The turns, and the question which of `tools` fits; `answer` is the word for none of them."""
    lines = [f"- {tool.function.name}: {_described(tool)}" for tool in tools]
    if answer is not None:
        lines.append(f"- {answer}: Answer the user yourself, without a function")
    listed = "\n".join(lines)
    return with_instruction(
        said, f"You can use these functions:\n{listed}\n\nName the function that fits the user's message."
    )


def calling(said: list[Turn], tool: Tool) -> list[Turn]:
    """The turns, and the question for the arguments of `tool`."""
    properties = (tool.function.parameters or {}).get("properties", {})
    return with_instruction(
        said,
        f"You call the function {tool.function.name}: {_described(tool)}\n"
        f"Its arguments are: {json.dumps(properties, ensure_ascii=False)}\nWrite the arguments as JSON.",
    )


def _described(tool: Tool) -> str:
    return (tool.function.description or "no description").strip()
