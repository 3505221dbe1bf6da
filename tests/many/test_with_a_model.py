"""Many answers of the embedded model: drawn beside computed, arms beside each other, meanings counted."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import ds_magic
from ds_magic import Answers, Client
from tests.views.making import Page


@pytest.fixture
def model(local_server):
    with Client(local_server.base_url, local_server.api_key, model=local_server.model, name="embedded model") as client:
        yield client


ALL = {"temperature": 1, "top_p": 1, "frequency_penalty": 0}
"""What draws from the distribution as it is; left out, the model's own settings are in force: 0.2, 0.9 and 0.5."""


@pytest.mark.parametrize("fields", [ALL | {"prefix": "My favourite colour is"}, {}], ids=["all of it", "a cut"])
def test_a_hundred_samples_of_one_token_agree_with_the_computed_distribution(fields, model, row):
    began = time.monotonic()
    answers = ds_magic.sample("Name a colour.", 100, **fields, max_tokens=1, top_logprobs=20, seed=1, client=model)
    row("Many answers", what="100 samples of one token", seconds=f"{time.monotonic() - began:.2f}")
    counts = answers.counts()
    assert counts.total == 100 and counts.left_out == 0 and sum(each.n for each in counts) == 100
    assert 0.5 < sum(each.computed.low for each in counts) <= 1, "the returned tokens have most of the probability"
    for each in counts:
        assert each.computed is not None, "a draw is among the returned tokens, or bounded by their rest"
        # Four times the standard deviation: one of 30,000 draws lies beyond.
        room = 4 * (max(each.computed.high, 0.01) / 100) ** 0.5
        assert each.computed.low - room <= each.share <= each.computed.high + room, each
    assert "computed" in Page(counts._repr_html_()).text


def test_draws_of_this_machines_model_are_from_its_whole_distribution(model):
    answers = ds_magic.sample(
        "Name a colour.", 1000, draw=True, **ALL, prefix="My favourite colour is", seed=1, client=model
    )
    counts = answers.counts()
    assert not answers.failed and counts.total == 1000
    assert len(counts) > 100
    assert all(0 < each.computed.low <= each.computed.high < each.computed.low + 0.0005 for each in list(counts)[:50])
    assert len(answers[0].logprobs[0].alternatives) == 100, "the likeliest, and what was drawn of the others"


def test_three_system_prompts_stand_side_by_side(model):
    systems = {"a child": "You talk to a small child.", "a pirate": "You are a pirate.", "a judge": "You are a judge."}
    answers = ds_magic.sweep(
        "Say hello.", system=systems, temperature=0, max_tokens=12, top_logprobs=5, client=model
    )
    assert not answers.failed and answers.factors == {"system": tuple(systems)}
    html = answers._repr_html_()
    assert all(f"system {name}" in Page(html).text for name in systems) and "display:flex" in html
    assert [len(group) for group in answers.group_by("system").values()] == [1, 1, 1]
    assert answers.divergence().total == 3 and len(answers.tokens().to_pandas()) == sum(
        len(row.logprobs) for row in answers)


COUNTRIES = {"France": "Paris", "Australia": "Canberra", "Italy": "Rome", "Japan": "Tokyo"}


def test_five_samples_of_each_question_show_where_the_model_is_uncertain(model):
    found = ds_magic.map(
        "What is the capital of {{ country }}?", list(COUNTRIES), prefix="The capital of {{ country }} is",
        times=5, **ALL, max_tokens=5, stop=[".", ","], client=model,
    ).entropy(by="country")
    assert sorted(each.value for each in found) == sorted(COUNTRIES) and {each.n for each in found} == {5}
    assert all(0 <= each.entropy.semantic < 2.33 for each in found)
    assert "4 × country, 5 answers each" in Page(found._repr_html_()).text


def test_questions_with_right_answers_have_a_reliability_in_one_line(model):
    questions = [{"country": country, "right": city} for country, city in COUNTRIES.items()]
    answers = ds_magic.map(
        "What is the capital of {{ country }}?", questions, prefix="The capital of {{ country }} is",
        correct="right", contains=True, temperature=0, max_tokens=4, top_logprobs=5, client=model,
    )
    found = answers.reliability()
    assert found.n == 4 and found.right >= 2 and answers.to_pandas()["correct"].sum() == found.right
    assert sum(each.n for each in found) == 4


def test_branches_grown_by_hand_are_a_tree_with_what_each_fork_held(model):
    answer = ds_magic.ask(
        "What is the capital of Australia?", prefix="The capital of Australia is", max_tokens=6, temperature=0,
        top_logprobs=10, client=model,
    )
    answer.fork(0, rank=2, client=model)
    tree = Answers.of(answer).divergence()
    first, second = tree.root.branches
    assert tree.total == 2 and first.prob > second.prob > 0.2, "Canberra 57 %, Sydney 38 %"
    assert tree.root.fork.alternatives.top(2)[1].prob == pytest.approx(second.prob)


def test_five_samples_have_a_semantic_entropy(model):
    answers = ds_magic.sample(
        "What is the capital of France? Answer with one word.", 5, max_tokens=4, top_logprobs=5, seed=3, client=model
    )
    found = answers.entropy()
    assert sum(map(len, found.clusters)) == 5 and 0 <= found.semantic <= 2.33
    assert found.length_normalised.low > 0 and found.clusters[0][0].factors["sample"] in range(1, 6)


def test_the_workers_of_an_executor_ask_the_embedded_model_of_their_own_machine(local_server):
    here = Client("http://127.0.0.1:1", "of-no-use-there", model=local_server.model, name="embedded model")
    with here, ThreadPoolExecutor(2) as executor:
        answers = ds_magic.sample("Name a colour.", 3, max_tokens=2, top_logprobs=20, client=here, executor=executor)
    assert [row.ok for row in answers] == [True] * 3 and {row.answer.backend for row in answers} == {"embedded model"}
    assert all(row.logprobs for row in answers)
