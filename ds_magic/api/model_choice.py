"""Which model answers: the one that was named, the first that fits, or what a retired name stands for.

DeepSeek retired `deepseek-chat` and `deepseek-reasoner` in July 2026. Both were one model, without and with
thinking; under newer names thinking is on unless it is switched off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .request import ChatRequest

AT_DEEPSEEK = "deepseek-flash"
"""What a request to DeepSeek that names no model is sent with while its list of models is not known."""
ELSEWHERE = "deepseek-chat"
"""The same for other servers of this API: the name that most of them answer to."""

STANDS_FOR: dict[str, Literal["enabled", "disabled"]] = {"deepseek-chat": "disabled", "deepseek-reasoner": "enabled"}
"""The retired names, and what each says about thinking."""

_OTHER_KINDS = re.compile(
    r"embed|rerank|whisper|tts|speech|audio|transcri|moderation|guard|dall-e|image|diffusion|ocr", re.IGNORECASE
)
_MENTIONS_A_MODEL = re.compile(r"model", re.IGNORECASE)
_NAMES_THEM = re.compile(r"model names are ((?:[\w./:-]+, )*[\w./:-]+)")


class Offer:
    """The models of one server by name: `names`, None until they were asked for; all clients of a server share it."""

    def __init__(self) -> None:
        self.names: list[str] | None = None

    @property
    def first(self) -> str | None:
        """The first that fits, or None where nothing is known.

        What is by its name no model for chat is passed over, and a model that only reasons, where there is another.
        """
        names = self.names or []
        fit = [name for name in names if not _OTHER_KINDS.search(name)] or names
        return next((name for name in fit if not name.endswith("reasoner")), fit[0] if fit else None)

    def lacks(self, model: str) -> bool:
        """Whether the server is known not to have `model`."""
        return self.names is not None and self.names != [] and model not in self.names

    def replaced(self, request: ChatRequest, named: bool) -> tuple[ChatRequest, list[str]]:
        """The request to a model that the server has, and what there is to say; as it is where it knows the model.

        A model that the user `named` is not replaced, but for a retired name, which stands for thinking on or off.
        """
        from .messages import Thinking

        first, gone = self.first, request.model
        if first is None or not self.lacks(gone) or (named and gone not in STANDS_FOR):
            return request, []
        if not named:
            return request.model_copy(update={"model": first}), []
        answers = f"This server has no {gone} any more: {first} answers"
        if not request.messages:  # a gap, which is filled without a thought
            return request.model_copy(update={"model": first}), [f"{answers}."]
        thinking = request.thinking or Thinking(type=STANDS_FOR[gone])
        on_or_off = "on" if thinking.type == "enabled" else "off"
        update = {"model": first, "thinking": thinking}
        return request.model_copy(update=update), [f"{answers}, with thinking {on_or_off}."]


def names_in(message: str) -> list[str]:
    """The models that a refusal lists, as DeepSeek's does; empty where it lists none."""
    found = _NAMES_THEM.search(message)
    return found[1].rstrip(".").split(", ") if found else []


def is_todays(model: str) -> bool:
    """Whether this is a name of DeepSeek's service of today, wherever it is asked for."""
    return model == AT_DEEPSEEK or model.startswith("deepseek-v4-")


def thinks_unless_told(model: str) -> bool:
    """Whether a model of this name thinks where a request does not say."""
    return model.startswith("deepseek-") and not model.endswith(("-chat", "-coder"))


def may_be_about_the_model(status: int | None, field: str | None, code: object, message: str, *, named: bool) -> bool:
    """Whether a refusal may mean that the server does not know the model.

    Servers word it in many ways: a list of their models tells. Where nobody named the model, no wording is needed.
    """
    if status is None:
        return False
    about = field == "model" or code == "model_not_found" or bool(_MENTIONS_A_MODEL.search(message))
    return about or (not named and status in (400, 404))
