"""Bounds hold against whole distributions of the embedded model, of which a table sees the top."""

import numpy as np
import pytest

from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.table import LogprobTable

EQUAL = 1e-12


def test_the_engines_sums_are_one_to_within_the_error_that_is_allowed_for(whole):
    sums = [np.exp(each.logprobs).sum() for each in whole]
    assert max(abs(sum_ - 1) for sum_ in sums) < SOFTMAX_ERROR
    assert max(sums) > 1 + 1e-5, "float32 sums of a vocabulary are not 1: else there is nothing to allow for"


@pytest.mark.parametrize("k", [20, 5, 1])
@pytest.mark.parametrize("temperature", [0.3, 0.7, 1, 1.3, 2, 5])
def test_shares_at_a_temperature_are_within_their_bounds(whole, k, temperature):
    for each in whole:
        tempered = LogprobTable.from_wire([each.entry(k)], model="SmolLM2").at_temperature(temperature)
        true = np.exp((each.logprobs - each.logprobs[0]) / temperature)
        true /= true.sum()
        assert (tempered.low <= true[:k] + EQUAL).all() and (true[:k] <= tempered.high + EQUAL).all()
        assert tempered.rest_low[0] - EQUAL <= true[k:].sum() <= tempered.rest_high[0] + EQUAL


@pytest.mark.parametrize("k", [20, 5, 1])
@pytest.mark.parametrize("chosen", [0, 30])
def test_the_entropy_is_within_its_bounds(whole, k, chosen):
    for each in whole:
        row = LogprobTable.from_wire([each.entry(k, chosen)], model="SmolLM2")[0]
        p = np.exp(each.logprobs)
        p /= p.sum()
        entropy = -float(np.sum(p * np.log2(np.where(p > 0, p, 1))))
        assert row.entropy_low - EQUAL <= entropy <= row.entropy_high + EQUAL
