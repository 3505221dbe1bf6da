"""Row: one of many answers, or what went wrong instead, with what it was asked with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..api.no_logprobs import NoLogprobs
from ..views.many.captions import factors_text

if TYPE_CHECKING:
    from ..api.errors import DeepSeekError
    from ..api.recorded import Recorded
    from ..api.response import ChatCompletion
    from ..logprobs.table import LogprobTable
    from .recalled import Recalled

SAMPLE = "sample"
"""The factor that tells apart what was asked several times: its number, from 1."""


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: None, and what does not equal itself, as NaN, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        differs = value != value
        return differs is value or (getattr(differs, "ndim", 0) == 0 and bool(differs))
    except Exception:  # of whatever stands in a column
        return False


class _MadeWhenLookedAt:
    """The place of a Recalled, whose answer is made when somebody looks for one."""

    __slots__ = ("_recalled",)

    def __getattr__(self, name: str) -> Any:
        if name != "answer":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        answer = self._recalled.answer()
        object.__setattr__(self, "answer", answer)
        return answer


@dataclass(frozen=True, slots=True)
class Row(_MadeWhenLookedAt):
    """One of several answers.

    `factors`: what it was asked with, by name (temperature, model, columns of the input; `sample` is its number, from
    1, where the same was asked several times). `answer`: the completion, None where nothing came. `error`: what went
    wrong, or None; then `answer` is what had arrived, if anything. `correct`: whether the answer is right, None where
    nobody said what is; see `Answers.marked`. `str(row)` is the content.
    """

    factors: Mapping[str, Any] = field(default_factory=dict)
    answer: ChatCompletion | None = None
    error: DeepSeekError | None = None
    correct: bool | None = None

    @classmethod
    def of_recalled(cls, factors: Mapping[str, Any], recalled: Recalled) -> Row:
        """The row of what had been asked before."""
        row = cls(factors)
        object.__delattr__(row, "answer")
        object.__setattr__(row, "_recalled", recalled)
        return row

    @property
    def recorded(self) -> Recorded | None:
        """Of an answer that was not asked for now: when it was given; see `ChatCompletion.recorded`."""
        recalled: Recalled | None = getattr(self, "_recalled", None)
        if recalled is not None:
            return recalled.recorded
        return self.answer.recorded if self.answer is not None else None

    @property
    def ok(self) -> bool:
        """Whether there is an answer, whole, and nothing went wrong."""
        return self.answer is not None and self.error is None and not self.answer.interrupted

    @property
    def content(self) -> str:
        """The answer's text; empty where there is none."""
        return self.answer.content if self.answer is not None else ""

    @property
    def parsed(self) -> Any:
        """The object that was asked for, None without one; see `ChatCompletion.parsed`."""
        return self.answer.parsed if self.answer is not None else None

    @property
    def logprobs(self) -> LogprobTable | Any:
        """The answer's token probabilities; false, and says why, where there are none."""
        return self.answer.logprobs if self.answer is not None else NoLogprobs.of("answer", were_asked_for=None)

    @property
    def arm(self) -> dict[str, Any]:
        """The factors without the sample's number: what repeats have in common."""
        return {name: value for name, value in self.factors.items() if name != SAMPLE}

    def __str__(self) -> str:
        return self.content

    def _repr_html_(self) -> str:
        from ..views.many.beside import answers_html

        return answers_html([self])

    def __repr__(self) -> str:
        said = repr(self.answer) if self.answer is not None else "no answer"
        wrong = f"\n{type(self.error).__name__}: {self.error}" if self.error is not None else ""
        return f"{factors_text(self.factors) or 'Row'}\n{said}{wrong}"
