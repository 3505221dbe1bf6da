"""Several answers to one cell: `--times`, `--sweep` and `--map`, asked by one runner and shown as one collection."""

from __future__ import annotations

import sys
import threading
import time
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.nearest import nearest
from ..conversation.turn import Turn
from ..many.answers import Answers
from ..many.asking import answers_to, factors_of, numbered, times_of
from ..many.factors import values_of
from ..many.progress import Listener, Nobody, Progress, listening
from ..many.records import count_of, missing, names_in, records_of
from ..many.runner import Asking
from ..views import default_view
from ..views.answer.delayed_call import Soon
from ..views.many.captions import progress_html
from .line import Parsed, convert
from .objects import named
from .observers import RESULT
from .options import BY_KEY, SEVERAL, VARIED, spelled
from .prompt import Filler
from .question import turn_of
from .settings import setting

if TYPE_CHECKING:
    from .deepseek import DeepSeekMagics

FOR_ONE = ("chat", "explore", "bg", "playground", "dry_run")
"""Options that are for one answer alone."""
OFTEN = 0.25
"""Seconds between two pictures of how far it is."""


class Arm(NamedTuple):
    """One choice of values: what it is called by, and the options' values."""

    factors: dict[str, Any]
    values: dict[str, Any]


class Several:
    """What a cell asks several times. Making it reads the line; `answered` asks."""

    def __init__(
        self,
        magics: DeepSeekMagics,
        text: str,
        parsed: Parsed,
        namespace: Mapping[str, Any],
    ) -> None:
        self._magics, self._text, self._namespace = magics, text, namespace
        self._notes = parsed.notes
        for given in parsed.given:
            if given.option.key in FOR_ONE and given.raw:
                raise InvalidRequestError(
                    f"`{given.typed}` is for one answer, and this cell asks for several.",
                    remedy=f"Leave out either that, or {', '.join(f'`{BY_KEY[each].long}`' for each in SEVERAL)}.",
                )
        self._one = Parsed([given for given in parsed.given if given.option.key not in SEVERAL])
        plan = Parsed([given for given in parsed.given if given.option.key in SEVERAL]).values()
        self._times = times_of(plan.get("times", 1))
        self._arms = self._arms_of(plan.get("sweep", []))
        self._rows = named(plan["map"], namespace, "--map") if "map" in plan else None

    def answered(self) -> Answers:
        """Ask, show how far it is and what came, and bind it to the variables.

        Raises DeepSeekError where the cell says what cannot be, and where all would meet the same.
        """
        of_all = [given for given in self._one.given if given.option.group in ("Where", "Recordings", "The cell")]
        values = Parsed(of_all).values(Filler(self._namespace))
        client = self._magics.client(values)
        kind = "none" if values.get("quiet") else setting(self._magics, "view") or default_view()
        asked, total = self._of_arms() if self._rows is None else self._of_rows()
        shown = _Shown(kind)
        try:
            answers = answers_to({"client": client, "stop": None, "listener": shown.listener}, asked, total)
        except BaseException:
            shown.clear()  # the panel says what happened, and nothing goes on
            raise
        shell = self._magics.shell
        if shell is not None:
            shell.push({RESULT: answers}, interactive=False)
            shell.push({values["output"]: answers} if values.get("output") else {})
        shown.show(answers)
        return answers

    def _arms_of(self, sweeps: Iterable[str]) -> list[Arm]:
        arms = []
        for chosen in product(*map(self._varied, sweeps)):
            factors, values = {}, {}
            for key, label, value in chosen:
                factors[key], values[key] = label, value
            arms.append(Arm(factors, values))
        return arms

    def _varied(self, sweep: str) -> list[tuple[str, Any, Any]]:
        """What `temperature=0,1` or `system=variants` goes through: the option, a value's name, and the value."""
        name, _, listed = sweep.partition("=")
        option = spelled(f"--{name.replace('_', '-')}")
        if option is None or option.kind not in VARIED or option.key in SEVERAL or not listed:
            near = nearest(name, [each.name for each in BY_KEY.values() if each.kind in VARIED])
            raise InvalidRequestError(
                f"`--sweep {sweep}` does not say what to vary.",
                remedy=(f"Did you mean `{near}`? " if near and near != name else "")
                + "For example `--sweep temperature=0,0.5,1`, or `--sweep system=variants` with a list or a dict.",
            )
        found = values_of(option.key, self._namespace[listed]) if listed in self._namespace else None
        if found is None:
            values = [convert(option, each.strip(), option.long) for each in listed.split(",")]
            found = [(value, value) for value in values]
        return [(option.key, label, value) for label, value in found]

    def _turn(self, arm: Arm, record: Mapping[str, Any] | None = None) -> Turn:
        fill = Filler(self._namespace if record is None else ChainMap(dict(record), dict(self._namespace)))
        values = self._one.values(fill) | arm.values
        use = self._magics.schema_use(values)
        return turn_of(self._magics, self._text, values, fill, fill.namespace, use=use, notes=self._notes)

    def _asked(self, turn: Turn | DeepSeekError, factors: Mapping[str, Any], number: int) -> Asking:
        named = factors_of(factors, number, self._times)
        return Asking(named, numbered(turn, number)) if isinstance(turn, Turn) else Asking(named, None, turn)

    def _of_arms(self) -> tuple[Iterator[Asking], int]:
        turns = [(self._turn(arm), arm.factors) for arm in self._arms]
        asked = (
            self._asked(turn, factors, number)
            for number in range(1, self._times + 1)
            for turn, factors in turns
        )
        return asked, self._times * len(turns)

    def _of_rows(self) -> tuple[Iterator[Asking], int | None]:
        names = names_in([self._text, *(given.raw for given in self._one.given)])
        names = [name for name in names if name not in self._namespace] or names
        records = iter(records_of(self._rows, names))
        first = next(records, None)
        if first is None:
            return iter(()), 0
        if not names:
            raise InvalidRequestError(
                "The prompt has no place to fill from the rows.",
                remedy="Write a column's name into it, with blanks inside the braces: `{{ question }}`.",
            )
        for arm in self._arms if missing(names, first) is None else ():
            self._turn(arm, first)  # what is wrong with the cell is wrong with all rows
        asked = (each for record in chain([first], records) for each in self._of_record(record, names))
        count = count_of(self._rows)
        return asked, None if count is None else count * len(self._arms) * self._times

    def _of_record(self, record: dict[str, Any], names: list[str]) -> Iterator[Asking]:
        lacking = missing(names, record)
        for arm in self._arms:
            turn: Turn | DeepSeekError
            try:
                turn = self._turn(arm, record) if lacking is None else InvalidRequestError(
                    f"`{{{{ {lacking} }}}}`: the row has no value there.", remedy="Leave such rows out."
                )
            except DeepSeekError as error:
                turn = error
            factors = record | {name if name not in record else f"{name}_": each for name, each in arm.factors.items()}
            for number in range(1, self._times + 1 if isinstance(turn, Turn) else 2):
                yield self._asked(turn, factors, number)


class _Shown:
    """What a cell shows of several answers: how far they are, then what came, in the same place."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.listener: Listener = Nobody()
        if kind == "text":
            self.listener = listening(sys.stderr)
        elif kind == "live":
            self.listener = _Picture()

    def clear(self) -> None:
        if isinstance(self.listener, _Picture):
            self.listener.draw({})

    def show(self, answers: Answers) -> None:
        if self._kind == "text":
            print(answers)
        elif self._kind != "none":
            bundle = {"text/html": answers.to_html(), "text/plain": answers.to_text()}
            if isinstance(self.listener, _Picture):
                self.listener.draw(bundle)
            else:
                from IPython.display import display

                display(bundle, raw=True)


class _Picture:
    """A picture in the cell of how far it is, a few times a second."""

    def __init__(self) -> None:
        from IPython.display import display

        self._place: Any = display({}, raw=True, display_id=True)
        self._drawn = float("-inf")
        self._latest: Progress | None = None
        self._soon = Soon(self._draw_latest)
        self._lock = threading.Lock()
        self._is_over = False

    def progress(self, progress: Progress) -> None:
        """Draw it, at once where the last picture is old enough, else soon."""
        self._latest = progress
        if not self._soon.is_set:
            self._soon.at(self._drawn + OFTEN)

    def _draw_latest(self) -> None:
        with self._lock:
            progress = self._latest
            if progress is not None and not self._is_over:
                self._drawn = time.monotonic()
                self.draw({"text/html": progress_html(progress), "text/plain": str(progress)})

    def draw(self, bundle: dict[str, str]) -> None:
        """Put `bundle` in its place."""
        self._place.update(bundle, raw=True)

    def close(self) -> None:
        """No more of these: what came takes their place."""
        with self._lock:
            self._is_over = True
        self._soon.end()
