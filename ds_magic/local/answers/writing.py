"""A text in the syntax of a template: partly written for the model, and partly its own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

from ..engine import constraint
from ..engine.sampling import Outcome
from ..engine.slots import Slot
from ..engine.template import Parts, joined
from .speech import Part, Speech

_PREFER = 100.0


class Writing:
    """What is written after `prompt`, as far as it goes."""

    def __init__(self, speech: Speech, slot: Slot, prompt: list[int]):
        self.speech = speech
        self.slot = slot
        self.prompt = prompt
        self._written: Parts = []
        self._cut = speech.engine.template.cut

    def add(self, text: str) -> None:
        """Write what the template has here, with its marks."""
        self._written = joined(self._written, self._cut(text))

    def add_plain(self, text: str) -> None:
        """Write what is only text, whatever it spells."""
        self._written = joined(self._written, [text])

    async def choose(self, words: Iterable[str], after: str) -> str | None:
        """The one of `words` that the model says; None where there was no room to.

        `after` comes after it: by that it says that a word is whole which another begins with.
        """
        if len(words := list(words)) == 1:
            return words[0]
        cut = self._cut(after)
        end = cut[0][:1] if cut and isinstance(cut[0], str) else ""
        ended = {f"{word}{end}": word for word in words}
        chosen = ""
        async for part in self.say(grammar=constraint.choice_grammar(ended)):
            chosen += part.text
        return ended.get(chosen)

    async def say(self, *, grammar: str | None = None, marks: Sequence[str] = ()) -> AsyncGenerator[Part, None]:
        """What the model says here; it is not written down."""
        ids = await self._ids()
        async for part in self.speech.say(
            self.slot, ids, "call", grammar=grammar, marks=marks, logprobs=False
        ):
            yield part

    async def prefers(self, on: str, over: str) -> bool:
        """Whether the model says `on`, rather than `over`, or than that it ends: by its odds where the two part."""
        engine = self.speech.engine
        ours, others = await self._ids(self._cut(on)), await self._ids(self._cut(over))
        same = next((at for at, pair in enumerate(zip(ours, others, strict=False)) if len(set(pair)) > 1), len(others))
        if same >= len(ours) or len(ours) >= engine.context or self.speech.left <= 0:
            return False
        ends = others[same] if same < len(others) else engine.model.end
        drawn = await self.drawn(ours[:same], [ours[same], ends])
        self.speech.outcomes.append(Outcome("stop", generated=1))
        return drawn == ours[same]

    async def drawn(self, prompt: list[int], among: Sequence[int] = ()) -> int | None:
        """The token that the model says after `prompt`: one of `among`, where there are any. None: it ends."""
        asked = self.speech.request
        self.slot.tokens = prompt
        drawn = await self.speech.engine.llama.sample({
            "prompt": prompt, "id_slot": self.slot.number, "n_predict": 1, "return_tokens": True,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "seed": -1 if asked.seed is None else (asked.seed + len(prompt)) % 2**32,
            # An equal bias leaves the proportions between them as they were.
            "logit_bias": [[number, _PREFER] for number in among],
        })
        return next(iter(drawn["tokens"]), None)

    async def _ids(self, more: Parts | None = None) -> list[int]:
        return self.prompt + await self.speech.engine.llama.tokenize(joined(self._written, more or []))
