"""What `/completions` can be asked: a text to go on with, or one with a gap to fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..api.fields import MOST_ALTERNATIVES
from ..api.limit_errors import shown
from ..api.request import ChatRequest
from .contract import Contract
from .refusal import Refusal

MOST_TOKENS = 4096
"""Of a text that fills a gap, or goes on with another: as the service documents it."""

_AS_OF_A_CHAT = (
    "model", "max_tokens", "stop", "stream", "stream_options", "temperature", "top_p", "frequency_penalty",
    "presence_penalty", "seed", "user_id",
)


class TextRequest(NamedTuple):
    """One request for a text.

    `prompt` comes before the gap and `suffix`, where it is not empty, after it; without one the text goes on. `echo`:
    whether the prompt is given back with the answer. `chat` is all the rest, as a chat without thinking has it.
    """

    prompt: str
    suffix: str
    echo: bool
    chat: ChatRequest

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], contract: Contract) -> TextRequest:
        """The request in a JSON body, checked; null is as not set, and what is unknown is passed over.

        Its `chat` is not yet settled by the contract. Raises Refusal or InvalidRequestError, naming the field.
        """

        def given(name: str, kind: type, limit: str, default: Any) -> Any:
            value = body.get(name)
            value = default if value is None else value
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise _broken(contract, name, value, limit)
            return value

        prompt = given("prompt", str, "a string", None)
        suffix = given("suffix", str, "a string", "")
        echo = given("echo", bool, "true or false", False)
        limit = f"a whole number from 0 to {MOST_ALTERNATIVES}"
        alternatives = given("logprobs", int, limit, -1)
        if body.get("logprobs") is not None and not 0 <= alternatives <= MOST_ALTERNATIVES:
            raise _broken(contract, "logprobs", alternatives, limit)
        for other, is_there in (("suffix", suffix), ("logprobs", alternatives >= 0)):
            if echo and is_there:
                raise Refusal(contract.invalid, f"echo and {other} do not go together.", "echo")
        fields = {name: body[name] for name in _AS_OF_A_CHAT if name in body}
        if alternatives >= 0:
            fields |= {"logprobs": True, "top_logprobs": alternatives}
        chat = ChatRequest.from_wire({
            **fields, "messages": [{"role": "user", "content": prompt}], "thinking": {"type": "disabled"},
        })
        if (chat.max_tokens or 0) > MOST_TOKENS:
            raise _broken(contract, "max_tokens", chat.max_tokens, f"a whole number from 1 to {MOST_TOKENS}")
        return cls(prompt, suffix, echo, chat)


def _broken(contract: Contract, name: str, value: Any, limit: str) -> Refusal:
    return Refusal(contract.invalid, f"`{name}` is {shown(value)}, and must be {limit}.", name)
