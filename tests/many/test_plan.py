"""What is to be asked, counted and priced before it starts, and measured while it goes on."""

import io

import pytest

import ds_magic
from ds_magic import InvalidRequestError
from ds_magic.many.plan import Plan, money
from ds_magic.many.progress import Progress, ProgressLine
from tests.servers.scripted import ScriptedServer, answered, completion

PRICES = {"deepseek-flash": {"input": 1.0, "output": 1000.0}}
"""An answer of 3 tokens to 12 costs 0.003012."""


class Told:
    def __init__(self):
        self.all = []

    def progress(self, progress):
        self.all.append(progress)

    def close(self):
        """Nothing."""


@pytest.fixture
def server():
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    with ScriptedServer(answered(completion("red", model="deepseek-flash", usage=usage))) as server:
        yield server


def told_of(connect, server, ask=ds_magic.sweep, prompt="Go.", *rows, **options):
    """What a listener is told of an asking, one request after another."""
    told = Told()
    common = {"client": connect(server, model="deepseek-flash"), "listener": told, "concurrency": 1, "stream": False}
    ask(prompt, *rows, **common, **options)
    return told.all


@pytest.mark.parametrize(("plan", "says"), [
    (Plan(6, 100, values={"temperature": 3, "system": 2}), "3 temperatures × 2 systems × 100 samples: 600 answers"),
    (Plan(1, 100, values={}), "100 samples"),
    (Plan(2, 1, values={"top_p": 2}), "2 values of top_p"),
    (Plan(2, 1, 1000, {"model": 2}, is_of_rows=True), "1,000 rows × 2 models: 2,000 answers"),
    (Plan(2, 3, None, {"model": 2}, is_of_rows=True), "for each row 2 models × 3 samples: 6 answers"),
    (Plan(1, 1, None, {}, is_of_rows=True), "an answer for each row"),
    (Plan(1, 1, 1, {}, is_of_rows=True), "1 row"),
    (Plan(1, 1, values={"seed": 1}), "1 answer"),
    (Plan(1, 1, values={}, drawn=200), "200 samples drawn from one answer"),
    (Plan(2, 1, values={"model": 2}, drawn=200), "2 models, 200 samples drawn from each"),
])
def test_the_plan_is_said_in_a_line(plan, says):
    assert str(plan) == says


def test_the_plan_is_told_before_anything_is_sent(connect, server):
    class First(Told):
        def progress(self, progress):
            super().progress(progress)
            sent.append(len(server.requests))

    told, sent = First(), []
    options = {"temperature": [0, 0.5, 1], "system": ["a", "b"], "times": 2}
    ds_magic.sweep("Go.", client=connect(server), listener=told, stream=False, **options)
    assert sent[0] == 0 and {each.plan for each in told.all} == {
        "3 temperatures × 2 systems × 2 samples: 12 answers"
    } and (told.all[0].done, told.all[0].total) == (0, 12)


def test_a_terminal_has_the_plan_once_above_the_line():
    out = io.StringIO()
    line = ProgressLine(out)
    for done in (0, 1):
        line.progress(Progress(2, done, plan="2 samples", cost="spent 0.01"))
    line.close()
    first, _, rest = out.getvalue().partition("\n")
    assert first.endswith("2 samples") and "2 samples" not in rest and "spent 0.01" in rest


def test_the_cost_is_bounded_before_it_starts_and_measured_as_it_goes_on(connect, server):
    before, *during = told_of(connect, server, max_tokens=10, times=4, prices=PRICES)
    assert before.cost == "costs at most about 0.040"
    assert during[0].cost == "spent 0.0030 so far, about 0.012 in all" and during[-1].cost == "spent 0.012"


def test_without_a_most_of_tokens_no_bound_is_said(connect, server):
    before, *_ = told_of(connect, server, prompt="x" * 4_000_000, times=2, prices=PRICES)
    assert before.cost == "costs about 2.00 for what is asked, and more for the answers"
    before, *_ = told_of(connect, server, max_tokens=10, json=True, repair=1, prices=PRICES)
    assert "and more" in before.cost


@pytest.mark.parametrize("prices", [{}, None, {"other": {"input": 1, "output": 1}}, {"deepseek-flash": {"input": 1}}])
def test_a_price_that_nobody_gave_is_never_made_up(connect, server, prices):
    assert {each.cost for each in told_of(connect, server, max_tokens=10, times=3, prices=prices)} == {""}


def test_one_arm_without_a_price_leaves_the_sum_unsaid(connect, server):
    assert told_of(connect, server, model=["deepseek-flash", "other"], max_tokens=1, prices=PRICES)[0].cost == ""


def test_rows_are_priced_by_the_first(connect, server):
    before, *_ = told_of(connect, server, ds_magic.map, "{{ x }}", ["a"] * 50, max_tokens=10, prices=PRICES)
    assert before.cost == "costs at most about 0.50" and before.plan == "50 rows"


def test_what_was_in_a_journal_costs_nothing(connect, server, tmp_path):
    options = {"max_tokens": 1, "prices": PRICES, "journal": tmp_path / "run.jsonl", "cache": True}
    told_of(connect, server, times=2, **options)
    *_, last = told_of(connect, server, times=3, **options)
    assert last.cost == "spent 0.0030" and last.done == 3


def test_answers_without_figures_make_it_at_least(connect):
    with ScriptedServer(lambda connection: answered(completion(
        "red", model="deepseek-flash",
        usage={"prompt_tokens": 12, "completion_tokens": 3} if len(server.requests) == 1 else None,
    ))(connection)) as server:
        *_, last = told_of(connect, server, times=2, prices=PRICES)
    assert last.cost == "spent at least 0.0030"


def test_prices_that_are_none_are_refused_before_anything_is_sent(connect, server):
    with pytest.raises(InvalidRequestError, match="by model") as refused:
        told_of(connect, server, prices={"deepseek-flash": 3})
    assert '{"deepseek-flash": {"input"' in refused.value.remedy and not server.requests


@pytest.mark.parametrize(("amount", "says"), [
    (0, "0.00"), (0.0000123, "0.000012"), (0.012, "0.012"), (0.31, "0.31"), (12.3, "12.30"), (1234.5, "1,234.50"),
])
def test_an_amount_has_two_digits_at_least(amount, says):
    assert money(amount) == says
