"""The choices of a completion: what the model said, what it wants called, how likely its tokens were."""

from __future__ import annotations

from pydantic import Field

from .lenient import Content, Incoming, Index, Lenient, Object, ObjectsOrNone, Text
from .token_logprobs import TokenLogprobs


class ChoiceLogprobs(Incoming):
    """The log-probabilities of a choice: of the answer, and where the server gives them of the reasoning."""

    content: TokenLogprobs | None = None
    reasoning_content: TokenLogprobs | None = None


class CalledFunction(Incoming):
    """The function the model wants called. `arguments` is a string that may not be valid JSON."""

    name: Text = ""
    arguments: Text = ""


class MessageToolCall(Incoming):
    """A tool call of the model."""

    id: Lenient[str] = None
    type: Lenient[str] = "function"
    function: Object[CalledFunction] = CalledFunction()


class ResponseMessage(Incoming):
    """What the model said."""

    role: Lenient[str] = "assistant"
    content: Content = None
    reasoning_content: Lenient[str] = None
    tool_calls: ObjectsOrNone[MessageToolCall] = None


class Choice(Incoming):
    """One answer; `finish_reason` is any string, or None while it is not finished."""

    index: Index = 0
    message: Object[ResponseMessage] = Field(default_factory=ResponseMessage)
    logprobs: Lenient[ChoiceLogprobs] = None
    finish_reason: Lenient[str] = None
