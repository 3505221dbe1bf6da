"""Sampling means what the API says: p^(1/T), and of that the top_p mass, cut by nothing else."""

from __future__ import annotations

import functools
import math
from collections import Counter

import pytest

from ds_magic.logprobs.table import LogprobTable

DRAWS = 250


@functools.cache  # a seed draws the same each time
def draws(api, prefix: str, times: int = DRAWS, **fields) -> Counter:
    """How often each token came first after `prefix`, in so many draws."""
    counts: Counter = Counter()
    for seed in range(times):
        answer = api.prefixed("Tell a story.", prefix, max_tokens=1, logprobs=True, seed=seed, **fields)
        counts[answer["choices"][0]["logprobs"]["content"][0]["token"]] += 1
    return counts


@functools.cache
def distribution(api, prefix: str) -> dict[str, float]:
    """The 20 likeliest tokens after `prefix` and their log-probabilities."""
    answer = api.prefixed("Tell a story.", prefix, max_tokens=1, logprobs=True, top_logprobs=20)
    return {
        rival["token"]: rival["logprob"]
        for rival in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    }


PREFIX = "Once upon a time, there was a little"


def assert_drawn(counts: dict[str, int], due: dict[str, float]) -> None:
    """A chi-square test of counts against what is due, the rare tokens taken together; its bound is generous."""
    common = [token for token, expected in due.items() if expected >= 5]
    rare = [token for token in due if token not in common]
    pairs = [(counts[token], due[token]) for token in common]
    if rare:
        pairs.append((sum(counts[token] for token in rare), sum(due[token] for token in rare)))
    chi_square = sum((seen - expected) ** 2 / expected for seen, expected in pairs)
    degrees = len(pairs) - 1
    # Wilson and Hilferty's approximation of the quantile at 1 − 10⁻⁴.
    limit = degrees * (1 - 2 / (9 * degrees) + 3.719 * math.sqrt(2 / (9 * degrees))) ** 3
    assert chi_square < limit, f"χ² = {chi_square:.1f} of {degrees} degrees, at most {limit:.1f}: {pairs}"


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.6])
def test_sampled_frequencies_follow_p_to_the_power_of_one_over_the_temperature(api, temperature):
    counts = draws(api, PREFIX, temperature=temperature)
    weights = {token: math.exp(logprob / temperature) for token, logprob in distribution(api, PREFIX).items()}
    among_top = sum(counts[token] for token in weights)
    assert_drawn(counts, {token: among_top * weight / sum(weights.values()) for token, weight in weights.items()})


def test_unlikely_tokens_are_drawn_as_often_as_they_should_be(api):
    """A hidden top_k of 40 or min_p of 0.05 would cut nearly all of them."""
    counts = draws(api, PREFIX, temperature=1.0)
    top = distribution(api, PREFIX)
    outside = DRAWS - sum(counts[token] for token in top)
    expected = DRAWS * (1 - sum(math.exp(logprob) for logprob in top.values()))
    assert abs(outside - expected) < 4 * math.sqrt(expected), f"{outside} of {DRAWS}, expected {expected:.0f}"


def test_top_p_keeps_the_likeliest_tokens_of_the_tempered_distribution(api):
    temperature, top_p = 0.5, 0.6
    weights = {token: math.exp(logprob / temperature) for token, logprob in distribution(api, PREFIX).items()}
    total, mass, nucleus = sum(weights.values()), 0.0, []
    for token, weight in weights.items():
        nucleus.append(token)
        mass += weight / total
        if mass >= top_p:
            break
    counts = draws(api, PREFIX, temperature=temperature, top_p=top_p)
    assert set(counts) == set(nucleus)


def test_temperature_0_is_the_likeliest_token_each_time(api):
    likeliest = next(iter(distribution(api, PREFIX)))
    for _ in range(5):
        answer = api.prefixed("Tell a story.", PREFIX, max_tokens=1, temperature=0)
        assert answer["choices"][0]["message"]["content"] == likeliest


@pytest.mark.parametrize("penalties", [{"presence_penalty": 2}, {"frequency_penalty": 1}, {"presence_penalty": -1},
                                       {"presence_penalty": 1, "frequency_penalty": 0.5}])
@pytest.mark.parametrize(("asked", "prefix"), [
    ("Say: no no no no no", None), ("Repeat: blue blue blue blue", None), ("Say: no no no", "No, no"),
])
def test_each_token_is_the_likeliest_after_penalties_on_what_the_answer_has_said(api, asked, prefix, penalties):
    fields = {"temperature": 0, "max_tokens": 16, "logprobs": True, "top_logprobs": 20, **penalties}
    body = api.prefixed(asked, prefix, **fields) if prefix else api.chat(asked, **fields)
    said = Counter(["No", ",", " no"] if prefix else [])
    for token in body["choices"][0]["logprobs"]["content"]:
        due = {
            rival["token"]: rival["logprob"] - penalties.get("frequency_penalty", 0) * said[rival["token"]]
            - penalties.get("presence_penalty", 0) * bool(said[rival["token"]])
            for rival in token["top_logprobs"]
        }
        assert due[token["token"]] >= max(due.values()) - 1e-3, (said, token["token"])
        said[token["token"]] += 1


def test_a_presence_penalty_gives_the_same_answer_without_log_probabilities(api):
    asked = ("Repeat: blue blue blue blue",)
    fields = {"presence_penalty": 2, "seed": 7, "temperature": 1, "max_tokens": 24}
    plain, looked_at = (api.chat(*asked, **fields, **more)["choices"][0] for more in ({}, {"logprobs": True}))
    assert plain["message"] == looked_at["message"] and plain["logprobs"] is None


@pytest.mark.parametrize(("temperature", "top_p"), [(1.4, 0.8), (0.7, 0.95)])
def test_400_draws_fall_as_the_computed_distribution_says(api, temperature, top_p):
    """Of the whole distribution, tempered and then cut: what is pruned is never drawn."""
    answer = api.prefixed("Tell a story.", PREFIX, max_tokens=1, logprobs=True, top_logprobs=49_152)
    row = LogprobTable.from_wire(answer["choices"][0]["logprobs"]["content"], model="smollm2")[0]
    (column,) = row.tempered(temperature, top_p=top_p).columns
    kept = [one.token for one in row.alternatives[: column.count[0]]]
    assert len(kept) == column.count[1] > 10 and column.kept.sum() == len(kept)
    counts = draws(api, PREFIX, 400, temperature=temperature, top_p=top_p)
    assert set(counts) <= set(kept)
    assert_drawn(counts, dict(zip(kept, (400 * column.low).tolist(), strict=False)))
