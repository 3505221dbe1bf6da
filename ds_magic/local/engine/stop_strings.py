"""Stop strings: found wherever they lie, also over several tokens, and never shown."""

from __future__ import annotations

from collections.abc import Sequence

from .sampling import Piece

_MOST_BLANKS = 16
"""Characters before a text's beginning that are waited for."""


class StopFinder:
    """Pieces go in, and come out once no stop string can begin in them.

    `marks` end a text as stop strings do, and are no part of it in any way; `beginnings` only where it begins with
    one. `found` is what ended it.
    """

    def __init__(self, stops: list[str], marks: Sequence[str] = (), beginnings: Sequence[str] = ()):
        self.stops = [stop for stop in (*stops, *marks) if stop]
        self.beginnings = beginnings
        self.found = ""
        self._silent = {*marks, *beginnings}
        self._shown = False
        self._held: list[Piece] = []

    def push(self, piece: Piece) -> list[Piece]:
        """The pieces that can be shown now. After a stop string `found` is true and nothing more comes."""
        if not self.stops and not self.beginnings:
            return [piece]
        self._held.append(piece)
        text = "".join(held.text for held in self._held)
        starts = [(start, stop) for start, stop in ((text.find(stop), stop) for stop in self.stops) if start >= 0]
        if starts:
            start, self.found = min(starts)
            return self._before(start)
        if not self._shown and (found := self._begun(text)) is not None:
            self.found = found
            return []
        return self._release(len(text) - self._could_begin(text))

    def _begun(self, text: str) -> str | None:
        """Which of the `beginnings` the text begins with; empty: it could still be one."""
        blanks, text = len(text) - len(text.lstrip()), text.lstrip()
        if blanks > _MOST_BLANKS:
            return None
        for beginning in self.beginnings:
            if text.startswith(beginning):
                return beginning
        return "" if any(beginning.startswith(text) for beginning in self.beginnings) else None

    def flush(self) -> list[Piece]:
        """What was held back, when the answer has ended otherwise."""
        held, self._held = self._held, []
        return held

    def _could_begin(self, text: str) -> int:
        """How many characters at the end of `text` could be the beginning of a stop string."""
        return max(
            (size for stop in self.stops for size in range(1, min(len(stop), len(text) + 1))
             if text.endswith(stop[:size])),
            default=0,
        )

    def _release(self, safe: int) -> list[Piece]:
        count, at = 0, 0
        for piece in self._held:
            at += len(piece.text)
            if at > safe:
                break
            count += 1
        free, self._held = self._held[:count], self._held[count:]
        self._shown = self._shown or bool(free)
        return free

    def _before(self, end: int) -> list[Piece]:
        """The text before `end`. A token that reaches over it is kept whole in the list of tokens.

        So is the one at the very beginning of an answer: it is all that there is to see of an empty one. A mark that
        came in one piece with the parts of a character before it is none of the text's.
        """
        kept, at = [], 0
        if end == 0 and not self._shown and self.found not in self._silent:
            kept = [Piece("", held.tokens) for held in self._held if held.tokens][:1]
        for piece in self._held:
            if at >= end:
                break
            is_mark = self.found in self._silent and piece.text[end - at :] == self.found
            kept.append(Piece(piece.text[: end - at], piece.tokens[:-1] if is_mark else piece.tokens))
            at += len(piece.text)
        self._held = []
        return kept
