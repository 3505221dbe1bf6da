"""What a model takes in memory, and which context fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model_failures import NoRoomError
from .choice import Choice
from .header import Header
from .sizes import in_words

BASE = 150 * 10**6
"""Bytes of the server itself: Python, llama.cpp and their libraries."""
LEAST_CONTEXT = 512
"""Tokens below which a conversation is none."""
_BATCH = 32
"""Tokens that go through the model at once: a row of the vocabulary and some of the embedding for each."""


@dataclass(frozen=True)
class Footprint:
    """What a model takes: bytes of its `file`, of the `cache` of all places together, and of `work` beside them.

    `context`: tokens of prompt and answer together; `places`: requests answered at once. Each number is at most: of a
    file that is read as it lies the system can take back what it needs elsewhere, at the price of reading it again.
    """

    file: int
    cache: int
    work: int
    context: int
    places: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return self.file + self.cache + self.work

    def __str__(self) -> str:
        cache = f"{in_words(self.cache)} for {self.places} × {self.context:,} tokens" if self.cache else "no cache"
        return f"{in_words(self.file)} of weights and {cache}"


def footprint(header: Header, context: int, places: int) -> Footprint:
    """What `header`'s model takes with a context of so many tokens for each of so many requests at once."""
    padded = -(-context // 256) * 256
    work = BASE + _BATCH * 4 * header.vocabulary * places
    return Footprint(header.size, header.cache * padded * places, work, context, places)


def fitting(
    header: Header, free: int | None, *, context: int, places: int, is_context_asked: bool = False,
    are_places_asked: bool = False,
) -> Footprint | None:
    """The footprint that fits into `free` bytes (None: nobody says): fewer requests at once, then a shorter context.

    What was asked for is not made less. None where none fits.
    """
    contexts = [context]
    while not is_context_asked and contexts[-1] // 2 >= LEAST_CONTEXT:
        contexts.append(contexts[-1] // 2)
    counts = [places] if are_places_asked else list(range(places, 0, -1))
    tried = [footprint(header, context, count) for count in counts]
    tried += [footprint(header, shorter, counts[-1]) for shorter in contexts[1:]]
    return next((each for each in tried if free is None or each.total <= free), None)


def check_size(name: str, size: int, free: int | None, others: Iterable[Choice]) -> None:
    """Raise NoRoomError where weights of so many bytes do not fit, whatever the context: before they are fetched."""
    if free is not None and size + BASE > free:
        raise too_large(name, f"{in_words(size)} of weights", free, others)


def too_large(
    name: str, takes: str, free: int, others: Iterable[Choice], installed: Sequence[tuple[str, int]] = (),
    context: int = 0,
) -> NoRoomError:
    """The refusal of a model, with what would fit: a shorter context, less precise weights, another that is here."""
    smaller = [each for each in others if each.size + BASE < 0.9 * free]
    ways = [f"a context of {context:,} tokens (`--context {context}`)"] if context else []
    repository = name.split("/", 2)[:2]
    if name.startswith("hf:") and smaller:
        best = max(smaller, key=lambda each: each.size)
        base = "/".join(repository).split("@")[0].split(":Q")[0]
        ways.append(f"`{base}/{best.name}` ({in_words(best.size)})")
    here = [(other, size) for other, size in installed if other != name and size + 2 * BASE < free]
    if here:
        other, size = max(here, key=lambda each: each[1])
        ways.append(f"`{other}` ({in_words(size)}), which is here")
    fits = f"What would fit: {'; '.join(ways)}. " if ways else ""
    return NoRoomError(
        f"{name} takes {takes}, and {in_words(free)} of memory are free.",
        remedy=f"{fits}Or end what else runs here; `ds-magic unload` lets go of other models.",
    )
