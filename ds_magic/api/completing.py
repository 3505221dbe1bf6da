"""Completing: what fills a gap in a text, by the way that a chat goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .completion_request import CompletionRequest

if TYPE_CHECKING:
    from .response import ChatCompletion
    from .stream import Stream

_OF_THE_CALL = ("timeout", "on_event", "notes", "hold")


class Completing:
    """A client's `complete` and `stream_complete`, on top of its `chat` and `stream`."""

    if TYPE_CHECKING:

        def chat(self, messages: Any, **fields: Any) -> ChatCompletion: ...
        def stream(self, messages: Any, **fields: Any) -> Stream: ...

    def complete(self, prompt: str, suffix: str | None = None, **fields: Any) -> ChatCompletion:
        """What the model writes behind `prompt`, and before `suffix`, at once: its `.content`.

        `fields`: request fields as for `CompletionRequest.of`, and what `chat` takes besides: with `stream=True` the
        answer is streamed and collected. It goes to `/beta/completions`, and what comes is read in the form of a chat
        completion, `.raw` and the chunks of deltas too. Raises a DeepSeekError.
        """
        request, others = _parted(prompt, suffix, fields)
        return self.chat(request, **others)

    def stream_complete(self, prompt: str, suffix: str | None = None, **fields: Any) -> Stream:
        """The same as it comes: a Stream, as of `stream`."""
        fields["stream"] = True
        request, others = _parted(prompt, suffix, fields)
        return self.stream(request, **others)


def _parted(prompt: str, suffix: str | None, fields: dict[str, Any]) -> tuple[CompletionRequest, dict[str, Any]]:
    """The request, and what is for the call."""
    others = {name: value for name, value in fields.items() if name in _OF_THE_CALL}
    asked = {name: value for name, value in fields.items() if name not in others}
    return CompletionRequest.of(prompt, suffix, **asked), others
