"""What stands where an answer has no token probabilities: nothing, which says how to get some."""

from __future__ import annotations

from typing import Any, NoReturn

from ..logprobs.refused import ASK
from .errors import InvalidRequestError


class NoLogprobs:
    """False, and equal to None; whatever else is wanted of it raises InvalidRequestError with what to do.

    It is not None itself: ask with `if answer.logprobs`.
    """

    def __init__(self, message: str, remedy: str):
        self._message = message
        self._remedy = remedy

    @classmethod
    def of(cls, what: str, *, were_asked_for: bool | None) -> NoLogprobs:
        """Where those of `what`, "answer" or "reasoning", are not; `were_asked_for` is None where nobody knows."""
        if not were_asked_for:
            why = "none were asked for" if were_asked_for is False else "it came without"
            return cls(
                f"The {what} has no token probabilities: {why}.",
                ASK,
            )
        return cls(
            f"The {what} has no token probabilities: they were asked for, and none came.",
            "Ask another server or model; the one on this machine has them: `--local`.",
        )

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, NoLogprobs)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return f"{self._message} {self._remedy}"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # of Python and IPython, which look for what an object can do
            raise AttributeError(name)
        self._refuse()

    def _refuse(self, *_: Any) -> NoReturn:
        raise InvalidRequestError(self._message, remedy=self._remedy)

    __len__ = __iter__ = __getitem__ = __contains__ = _refuse
