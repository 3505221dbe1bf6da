"""Asking many times: one question again and again, over factors, or filled from rows; one Runner runs it all."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..api.addresses import EMBEDDED
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.recorded import RECORDING
from ..api.shorthand import as_messages
from ..conversation.filling import Filler
from ..conversation.turn import Turn, turn_for
from ..stop import Stop, interrupts_heard, second_interrupt, told_apart
from .answers import Answers
from .factors import Arm, arms_of
from .marked import check
from .pace import AT_HOME, Limits
from .plan import Arm as AnyArm
from .plan import Costs, Plan, Reckoned
from .progress import Listener, Nobody, Progress, Watcher, listening
from .records import count_of, missing, names_in, records_of
from .remarks import in_vain, looked_at, spared, unmoved, unwritten, without_effect
from .row import SAMPLE, Row
from .runner import Runner
from .servers import FACTORS, recording, servers_of
from .task import Asking

if TYPE_CHECKING:
    from ..api.client import Client

_RUNNING = ("client", "stop", "listener", "executor", "prices", *Limits.__dataclass_fields__)
_RECORDED = ("journal", "cache", "replay", "speed")


def sample(prompt: Any, times: int = 10, *, draw: bool = False, **options: Any) -> Answers:
    """The answers to one question, asked `times` times.

    `prompt` and `options` as for `ds_magic.ask` (`system`, `prefix`, `tools`, `schema`, every request field), but for
    a chat; and how it is run, as for `sweep`. With a `seed` each sample has one of its own: seed, seed + 1, …

        ds_magic.sample("Name a colour.", 100, max_tokens=1, top_logprobs=20).counts()

    Where an answer is a single token, one request with `top_logprobs=20` has the distribution that samples are drawn
    from, and `.counts()` puts both beside each other. With `draw=True` there is that one request only, and the samples
    are drawn from it here, which is noted on each; a draw of what was not returned (by any server but the embedded one,
    whose whole distribution is asked for) is a row that failed.
    """
    running, fields = _parted(options)
    if not draw:
        return _swept(running, fields, prompt, times)
    from .drawn import alternatives_at, drawn

    most = min(alternatives_at(server.client.server) for server in running["servers"])
    whole = {"top_logprobs": most, **fields, "max_tokens": 1}
    return drawn(_swept(running, whole, prompt, 1), times, fields.get("seed"))


def sweep(prompt: Any, *, times: int = 1, **options: Any) -> Answers:
    """The answers to one question for each combination of values, each asked `times` times.

        ds_magic.sweep("Name a colour.", temperature=[0, 0.5, 1], model=["deepseek-flash", "deepseek-v4-pro"])
        ds_magic.sweep("What is a cell?", system={"to a child": "You talk to a child.", "to a biologist": "Be exact."})

    `prompt` and `options` as for `ds_magic.ask`, but for a chat. A list (or tuple, range, set, array) of values varies
    a field; a dict does so too, and its keys are what the values are called. Where a field's own value is a list
    (`stop`, `tools`) a list of lists varies it, where it is a dict (`extra`, `schema`, `response_format`, …) a list
    of dicts. All combinations are checked before the first is asked, and the first sample of each is asked before the
    second of any.

    How it is run: `client`, or `local_model` as `ds_magic.local_model` takes it (several of either are a factor, too);
    `stop` (a Stop, whose `set()` ends it from any thread with what is there, or texts that end an answer);
    `concurrency` (requests in flight; where it is not given 8 at first and 64 at most, of the embedded model 4),
    `in_flight` (at most, where that is more), `requests_per_minute`, `tokens_per_minute`, `token_budget` (tokens after
    which nothing new is begun); `journal`, `cache`, `replay` and `speed` as for `Client`: with `journal="run.jsonl",
    cache=True` a run that was broken off asks only what is missing, and a whole one nothing; `listener` (told how far
    it is; without it a line in a terminal); `prices` (yours for a million tokens, as in `%config
    DeepSeekMagics.prices`: what it may cost is said before it starts); `executor`, whose workers ask in place of
    threads of this process: any of `concurrent.futures`, dask's `client.get_executor()`, ipyparallel's
    `client.executor()`. It stays yours. Each request is sent to them with the API key, over the cluster's own
    connections, and the embedded server is that of a worker's machine; functions, journal and limits stay here. A
    failure is a row.
    Raises DeepSeekError where nothing was answered for a reason that all share, such as a wrong key.
    """
    running, fields = _parted(options)
    return _swept(running, fields, prompt, times)


def _swept(running: dict[str, Any], fields: dict[str, Any], prompt: Any, times: int) -> Answers:
    arms = _arms(running, fields)
    turns = [_turn(running, prompt, arm, arm.fields) for arm in arms]
    rows = (
        asking_of(turn, arm.factors, number, times, arm.client)
        for number in range(1, times_of(times) + 1)
        for arm, turn in zip(arms, turns, strict=True)
    )
    return answers_to(running, rows, Plan.of(arms, turns, times=times, clients=clients_of(arms)))


def map(
    template: Any, rows: Any, *, times: int = 1, correct: Any = None, contains: bool = False, **options: Any
) -> Answers:
    """The answers to a question for each row, `{{ column }}` filled from it as in a cell.

        ds_magic.map("What is the capital of {{ country }}?", ["France", "Chad"], temperature=0).to_pandas()

    `template`: a text or messages; `system` and `prefix` are filled, too. `rows`: a DataFrame, a Series, a list, a
    dict (its keys are `{{ key }}`) or any iterable, which is read no faster than it is asked; each of mappings,
    dataclasses, or values, which stand under the template's one name. The columns are the factors of the answers
    (`sample` is `sample_`). A row that lacks a value fails, and no other. `correct`: the column with the right answers,
    or a function of a Row, and `contains`, as for `Answers.marked`. `options` as for `sweep`, which may vary, too.
    """
    running, fields = _parted(options)
    arms = _arms(running, fields)
    messages = as_messages(template)
    names = names_in([*(each.get("content") for each in messages), *(arm.fields.get(name) for arm in arms
                                                                      for name in ("system", "prefix"))])
    if not names:
        raise InvalidRequestError(
            "The template has no place to fill from the rows.",
            remedy="Write a column's name into it, with blanks inside the braces: `{{ question }}`.",
        )
    records = iter(records_of(rows, names))
    first = next(records, None)
    if first is None:
        return Answers(notes=["There were no rows."])
    # What is wrong with the template is wrong with all rows.
    asked_first = arms if missing(names, first) is None else []
    turns = [_filled(running, messages, arm, first) for arm in asked_first]
    if correct is not None:
        check(correct, factors_of(first, {}))
    asked = (
        each for record in chain([first], records) for arm in arms
        for each in _of_record(running, messages, arm, record, names, times)
    )
    plan = Plan.of(
        arms, turns, times=times_of(times), rows=count_of(rows), is_of_rows=True, clients=clients_of(asked_first)
    )
    answers = answers_to(running, asked, plan)
    return answers if correct is None else answers.marked(correct, contains=contains)


def _of_record(
    running: Mapping[str, Any], messages: list[Any], arm: Arm, record: dict[str, Any], names: list[str], times: int
) -> Iterator[Asking]:
    factors = factors_of(record, arm.factors)
    turn: Turn | None = None
    error: DeepSeekError | None = None
    lacking = missing(names, record)
    if lacking is not None:
        error = InvalidRequestError(
            f"`{{{{ {lacking} }}}}`: the row has no value there.", field=lacking, remedy="Leave such rows out."
        )
    else:
        try:
            turn = _filled(running, messages, arm, record)
        except DeepSeekError as caught:
            error = caught
    if turn is None:
        yield asking_of(error, factors, 1, times)
        return
    for number in range(1, times_of(times) + 1):
        yield asking_of(turn, factors, number, times, arm.client)


def _filled(running: Mapping[str, Any], messages: list[Any], arm: Arm, record: Mapping[str, Any]) -> Turn:
    fill = Filler(record)
    asked = [{**each, "content": fill(each["content"])} if each.get("content") else each for each in messages]
    texts = {name: fill(arm.fields[name]) for name in ("system", "prefix") if isinstance(arm.fields.get(name), str)}
    return _turn(running, asked, arm, {**arm.fields, **texts})


def _parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How it is run, with the servers and a client, and the fields of what is asked."""
    if options.get("chat") is not None:
        raise InvalidRequestError(
            "Several answers are turns of no conversation: there is one next turn.", field="chat",
            remedy="Give the messages before as `prompt`: `[*chat.messages, question]`.",
        )
    running = {name: options[name] for name in _RUNNING if name in options}
    recorded = {name: options[name] for name in _RECORDED if name in options}
    others = {k: v for k, v in options.items() if k not in (*_RUNNING, *_RECORDED, *FACTORS, "chat")}
    stop, fields = told_apart(running.get("stop"), others)
    servers = servers_of(options, recorded)
    if (executor := running.get("executor")) is not None:
        from .elsewhere import Elsewhere

        begin = Elsewhere(executor).begin
        servers = [each._replace(client=each.client.beginning(begin)) for each in servers]
    return {**running, "stop": stop, "client": servers[0].client, "servers": servers}, fields


def _arms(running: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Arm]:
    """All combinations of what is asked, of each server."""
    return [server.asked(arm) for server in running["servers"] for arm in arms_of(fields)]


def clients_of(arms: Iterable[AnyArm]) -> list[Client]:
    """Who is asked each of the arms; none where it is one for all."""
    return [arm.client for arm in arms if arm.client is not None]


def _turn(running: Mapping[str, Any], messages: Any, arm: Arm, fields: Mapping[str, Any]) -> Turn:
    return turn_for(arm.client or running["client"], messages, **fields)


def numbered(turn: Turn, number: int) -> Turn:
    """The turn of a sample: with a seed of its own, where there is one."""
    seed = turn.request.seed
    if seed is None or number == 1:
        return turn
    from dataclasses import replace

    return replace(turn, request=turn.request.model_copy(update={"seed": seed + number - 1}))


def asking_of(
    turn: Turn | DeepSeekError | None, factors: Mapping[str, Any], number: int, times: int,
    client: Client | None = None,
) -> Asking:
    """The sample of this number, of so many, and of whom where there are several; or why it cannot be asked."""
    named = {**factors, SAMPLE: number} if times > 1 else factors
    if isinstance(turn, DeepSeekError) or turn is None:
        return Asking(named, None, turn, number)
    return Asking(named, numbered(turn, number), sample=number, client=client)


def factors_of(record: Mapping[str, Any], varied: Mapping[str, Any]) -> dict[str, Any]:
    """A row's columns, then what is varied besides. What is varied steps aside for a column of its name; a column
    `sample` is `sample_`, since that is what the sample's number is called.
    """
    columns = {f"{SAMPLE}_" if name == SAMPLE else name: value for name, value in record.items()}
    return columns | {f"{name}_" if name in record else name: value for name, value in varied.items()}


def times_of(times: int) -> int:
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise InvalidRequestError(
            f"`times` is {times!r:.60}, and must be a whole number, 1 or more.", field="times", value=times,
            remedy="Say how often each is asked.",
        )
    return times


def answers_to(running: Mapping[str, Any], rows: Iterable[Asking], plan: Plan) -> Answers:
    """Run them all. Raises what every row would have met, where no row was answered."""
    costs = Costs(running.get("prices"), plan, running["client"])
    said = {name: running[name] for name in Limits.__dataclass_fields__ if running.get(name) is not None}
    clients = list(dict.fromkeys(plan.clients)) or [running["client"]]
    is_at_home = any(each.name == EMBEDDED for each in clients) and running.get("executor") is None
    at_home = {"concurrency": AT_HOME} if is_at_home and "in_flight" not in said else {}
    limits = Limits(**{**at_home, **said})
    listener: Listener = running.get("listener") or listening(sys.stderr)
    stop: Stop | None = running["stop"]
    watcher: Watcher | None = running.get("watcher")
    came = list[Row]()
    with recording(clients):
        rows, changed = looked_at(running["client"], rows, is_counted=plan.total is not None)
        vain = in_vain(running["client"], plan)
        beforehand = [*vain.values(), *([changed] if changed else [])]
        if not isinstance(listener, Nobody):
            asked = f"{plan} · {RECORDING}" if running["client"].name == RECORDING else str(plan)
            listener = Reckoned(listener, asked, costs, " ".join(beforehand))
            listener.progress(Progress(plan.total))
        elif running.get("listener") is None:
            for note in vain.values():
                running["client"].tell(note)
        runner = Runner(
            running["client"], limits=limits, stop=stop, listener=listener, kept=costs.add, watcher=watcher
        )
        results = runner.run(rows, plan.total)
        try:
            with interrupts_heard(runner.interrupt):
                came.extend(results)
        except KeyboardInterrupt as interrupt:
            runner.close()
            if (again := second_interrupt(interrupt)) is not None:
                raise again from None
            came.extend(results)
    if runner.fatal is not None and not any(row.answer is not None for row in came):
        raise runner.fatal
    more = [*without_effect(came, plan, vain), *spared(came), *unwritten(came), *unmoved(came, plan)]
    return Answers(came, [*beforehand, *runner.notes, *more])
