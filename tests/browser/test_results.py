"""Comparison, classification and their kin as they are drawn in JupyterLab: nothing is cut, all stands out."""

import pytest

from tests.browser.test_pictures import CONTRASTS, CUT, SETUP

RESULTS = """
import ds_magic
from ds_magic.logprobs.scores import Scores
cities = answer(entry(" Paris", 0.6, (" Lyon", 0.3), (" Marseille", 0.05)), entry(".", 0.7, (",", 0.2)))
other = answer(entry(" Lyon", 0.3, (" Paris", 0.6)), entry(", which is not the capital of anything", 0.5))
order = answer(entry('{"item": "', 0.9), entry("blue umbrellas", 0.4, ("umbrellas", 0.3)), entry('", "n": 3}', 0.8))
one = answer(entry("It is", 0.5), entry(" unlikely", 0.9), entry(" Paris", 0.6, (" Lyon", 0.3), (" Pa", 0.05)))
parts = answer(entry("It is", 0.5), entry(" un", 0.5), entry("likely", 0.01), entry(" Pa", 0.5, (" Paris", 0.2)))
table, free = cities.logprobs, other.logprobs
"""
CELLS = [
    "table.classify(['Paris', 'Lyon', 'Marseille'])",
    "ds_magic.compare(cities, other, names=('likeliest', 'drawn'))",
    "ds_magic.compare(one, parts, names=('one', 'a model with a long name, as those of today have'))",
    "table.at_temperature(1.5)",
    "free.windows(1)",
    "order.logprobs.fields()",
    "Scores([('Paris', table), ('Lyon, which is a city', free)])",
    "cities.tree()",
]


@pytest.fixture(scope="module")
def opened(pictures):
    """A notebook with each result, and the page that it is open in."""
    return pictures("results.ipynb", [SETUP + RESULTS, *CELLS])


@pytest.mark.parametrize("size", [100, 150])
@pytest.mark.parametrize("width", [1400, 1000, 600])
def test_nothing_is_cut_at_any_width_and_size(look, width, size):
    assert look(width, size=size).evaluate(CUT) == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_bars_and_words_stand_out_from_the_page(look, theme):
    page = look(theme=theme)
    drawn = ".jp-OutputArea-output td"
    bars, words = page.evaluate(CONTRASTS, [f"{drawn} div[style*='min-width:2px']", f"{drawn}, {drawn} bdi"])
    assert len(bars) >= 18 and min(bars) >= 3
    assert len(words) > 40 and min(words) >= 4.5
