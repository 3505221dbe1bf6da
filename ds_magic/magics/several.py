"""Several answers to one cell: `--times`, `--sweep` and `--map`, asked by one runner and shown as one collection."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, product
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.nearest import nearest
from ..conversation.turn import Turn
from ..many.answers import Answers
from ..many.asking import answers_to, asking_of, clients_of, factors_of, times_of
from ..many.drawn import alternatives_at, drawn, one_token_note
from ..many.factors import values_of
from ..many.plan import Plan
from ..many.records import count_of, missing, names_in, records_of
from ..many.task import Asking
from ..views import default_view
from .line import Given, Parsed, convert
from .objects import named
from .options import BY_KEY, SEVERAL, VARIED, spelled
from .prompt import Filler
from .question import turn_of
from .server_meant import ServerMeant
from .settings import setting
from .shown_together import ShownTogether

if TYPE_CHECKING:
    from ..api.client import Client
    from .deepseek import DeepSeekMagics

FOR_ONE = ("chat", "explore", "guess", "vote", "playground", "bg", "dry_run")
"""Options that are for one answer alone."""


class Arm(NamedTuple):
    """One choice of values: what it is called by, and the options' values."""

    factors: dict[str, Any]
    values: dict[str, Any]
    client: Client | None = None
    """Who is asked, where several models on this machine are."""


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
        several = [given for given in parsed.given if given.is_of_several]
        for given in parsed.given:
            if given.option.key in FOR_ONE and given.raw:
                raise InvalidRequestError(
                    f"`{given.typed}` is for one answer, and this cell asks for several.",
                    remedy=f"Leave out either that, or {', '.join(f'`{each}`' for each in several)}.",
                )
        self._one = Parsed([given for given in parsed.given if not given.is_of_several])
        plan = Parsed([given for given in several if given.option.key in SEVERAL]).values()
        self._samples = times_of(plan.get("times", 1))
        self._draws = self._samples if plan.get("draw") else 0
        self._times = 1 if self._draws else self._samples
        if self._draws and "times" not in plan:
            raise InvalidRequestError(
                "`--draw` does not say how many samples to draw.", remedy="For example `--times 100 --draw`."
            )
        self._arms = self._arms_of(several)
        self._rows = named(plan["map"], namespace, "--map") if "map" in plan else None

    def answered(self) -> Answers:
        """Ask, show how far it is and what came, and bind it to the variables.

        Raises DeepSeekError where the cell says what cannot be, and where all would meet the same.
        """
        of_all = [given for given in self._one.given if given.option.group in ("Where", "Recordings", "The cell")]
        values = Parsed(of_all).values(Filler(self._namespace))
        if any("local_model" in arm.values for arm in self._arms):
            self._arms = [
                arm._replace(client=ServerMeant(self._magics, values | arm.values).client()) for arm in self._arms
            ]
        self._client = self._arms[0].client or ServerMeant(self._magics, values).client()
        kind = "none" if values.get("quiet") else setting(self._magics, "view") or default_view()
        asked, plan = self._of_arms() if self._rows is None else self._of_rows()
        shown = ShownTogether(kind, plan)
        running = {
            "client": self._client, "stop": None, "prices": self._magics.prices,
            "listener": shown.listener, "watcher": shown.watcher,
        }  # fmt: skip
        try:
            answers = answers_to(running, asked, plan)
            if self._draws:
                answers = drawn(answers, self._draws, plan.turns[0].request.seed if plan.turns else None)
            elif self._times > 1 and all(turn.request.max_tokens == 1 for turn in plan.turns):
                answers = Answers(answers, [*answers.notes, *one_token_note(answers, self._times)])
        except BaseException:
            shown.clear()  # the panel says what happened, and nothing goes on
            raise
        if self._magics.shell is not None:
            self._magics.seat().bind(self._magics.shell, answers, values.get("output"))
        shown.show(answers)
        return answers

    def _arms_of(self, several: Iterable[Given]) -> list[Arm]:
        """All combinations of what `--sweep` and lists of numbers go through."""
        varied: list[list[tuple[str, Any, Any]]] = []
        said = {given.option.key: given for given in self._one.given if not given.option.repeatable}
        for given in several:
            if given.option.key == "sweep":
                varied.append(self._varied(given.raw))
            elif given.listed:
                values = [convert(given.option, each, given.typed) for each in given.listed]
                varied.append([(given.option.key, value, value) for value in values])
            else:
                continue
            key = varied[-1][0][0]
            if key in said:
                raise InvalidRequestError(
                    f"`{BY_KEY[key].long}` is given twice: `{said[key]}` and `{given}`.", field=key,
                    remedy="Leave out one of them.",
                )
            said[key] = given
        arms = []
        for chosen in product(*varied):
            factors = {key: label for key, label, _ in chosen}
            arms.append(Arm(factors, {key: value for key, _, value in chosen}))
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
        is_name = listed.isidentifier() and option.kind in ("text", "word")
        value = named(listed, self._namespace, "--sweep") if is_name else self._namespace.get(listed)
        found = values_of(option.key, value)
        if is_name and found is None:
            raise InvalidRequestError(
                f"`--sweep {sweep}`: `{listed}` is one value, of type {type(value).__name__}.",
                remedy="It must be a list or a dict of values.",
            )
        if found is None:
            values = [convert(option, each.strip(), option.long) for each in listed.split(",")]
            found = [(value, value) for value in values]
        if not found:
            raise InvalidRequestError(
                f"`{listed}` has no values to go through.", remedy="Put at least one into it."
            )
        return [(option.key, label, value) for label, value in found]

    def _turn(self, arm: Arm, record: Mapping[str, Any] | None = None) -> Turn:
        fill = Filler(self._namespace if record is None else ChainMap(dict(record), dict(self._namespace)))
        values = self._one.values(fill) | arm.values
        if self._draws:
            if values.get("max_tokens", 1) != 1:
                raise InvalidRequestError(
                    "`--draw` draws a single token from its distribution, and `--max-tokens` says more.",
                    remedy="Leave out one of them.",
                )
            values = {"top_logprobs": alternatives_at(self._client.server), **values, "max_tokens": 1}
        use = ServerMeant(self._magics, values).schema_use()
        return turn_of(self._magics, self._text, values, fill, fill.namespace, use=use, notes=self._notes)

    def _of_arms(self) -> tuple[Iterator[Asking], Plan]:
        turns = [self._turn(arm) for arm in self._arms]
        asked = (
            asking_of(turn, arm.factors, number, self._times, arm.client)
            for number in range(1, self._times + 1)
            for turn, arm in zip(turns, self._arms, strict=True)
        )
        return asked, Plan.of(
            self._arms, turns, times=self._times, drawn=self._draws, clients=clients_of(self._arms)
        )

    def _of_rows(self) -> tuple[Iterator[Asking], Plan]:
        names = names_in([self._text, *(given.raw for given in self._one.given)])
        records = iter(records_of(self._rows, [name for name in names if name not in self._namespace] or names))
        first = next(records, None)
        if first is None:
            return iter(()), Plan(rows=0, is_of_rows=True)
        if not any(name in first for name in names) and all(name in self._namespace for name in names):
            column = next(iter(first), "question")
            raise InvalidRequestError(
                "The prompt has no place to fill from the rows.",
                remedy=f"Write a column's name into it, with blanks inside the braces: `{{{{ {column} }}}}`.",
            )
        # What is wrong with the cell is wrong with all rows.
        asked_first = self._arms if missing(names, first) is None else []
        turns = [self._turn(arm, first) for arm in asked_first]
        asked = (each for record in chain([first], records) for each in self._of_record(record, names))
        rows = count_of(self._rows)
        return asked, Plan.of(
            self._arms, turns, rows=rows, is_of_rows=True, times=self._times, drawn=self._draws,
            clients=clients_of(asked_first),
        )

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
            factors = factors_of(record, arm.factors)
            for number in range(1, self._times + 1 if isinstance(turn, Turn) else 2):
                yield asking_of(turn, factors, number, self._times, arm.client)
