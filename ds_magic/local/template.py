"""Messages ─▶ token ids, by the model's own template, so that no text can pass for a mark of it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any

from .gguf import Model
from .llama import Llama
from .model_failures import EngineError, PromptError

_STAND_IN = secrets.token_hex(8)
"""What stands for a text while the template is applied; not to be guessed by a text."""
_PLACE = re.compile(f"{_STAND_IN}n([0-9]+)e")


class Template:
    """The model's template; each sequence of roles is rendered once and remembered."""

    def __init__(self, model: Model, llama: Llama):
        self.model = model
        self.llama = llama
        self._shapes: dict[tuple[str, ...], list[int | str]] = {}
        self._marks = re.compile("|".join(map(re.escape, sorted(model.marks, key=len, reverse=True))) or "(?!)")

    async def ids(
        self, messages: Sequence[tuple[str, str]], prefix: str = "", tokens: Sequence[bytes] = ()
    ) -> list[int]:
        """The prompt for `messages`, pairs of role and text, as token ids.

        `prefix` is how the answer begins, and `tokens` how it goes on: the model goes on after the last of them. Each
        is the token of these bytes, whatever stands beside it; where there is none, it is tokenised by itself.
        """
        shape = await self._shape(tuple(role for role, _ in messages))
        texts = [text for _, text in messages]
        parts = [
            _PLACE.sub(lambda place: texts[int(place[1])], part) if isinstance(part, str) else part
            for part in shape
        ]
        if parts and isinstance(parts[-1], str):  # one text: where tokens part is for the tokenizer to say
            parts[-1] += prefix
        else:
            parts.append(prefix)
        parts += [self.model.ids.get(token, token.decode("utf-8", "replace")) for token in tokens]
        return await self.llama.tokenize([part for part in parts if part != ""])

    async def _shape(self, roles: tuple[str, ...]) -> list[int | str]:
        """The rendered template cut at its marks: ids of marks, and text with places for the messages."""
        if roles not in self._shapes:
            stand_ins: list[dict[str, Any]] = [
                {"role": role, "content": f"{_STAND_IN}n{place}e"} for place, role in enumerate(roles)
            ]
            try:
                rendered = await self.llama.apply_template(stand_ins)
            except EngineError as error:
                raise PromptError(f"The model's template cannot take these messages: {error}") from None
            if len(self._shapes) > 500:
                self._shapes.clear()
            shape = self._cut(rendered)
            begin = self.model.begin
            self._shapes[roles] = shape if begin in (None, shape[0]) else [begin, *shape]
        return self._shapes[roles]

    def _cut(self, rendered: str) -> list[int | str]:
        parts: list[int | str] = []
        at = 0
        for mark in self._marks.finditer(rendered):
            parts += [rendered[at:mark.start()], self.model.marks[mark[0]]]
            at = mark.end()
        return [part for part in [*parts, rendered[at:]] if part != ""]
