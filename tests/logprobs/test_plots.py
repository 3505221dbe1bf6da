import math

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from ds_magic.logprobs import plots  # noqa: E402
from ds_magic.logprobs.table import LogprobTable  # noqa: E402


@pytest.fixture(autouse=True)
def close():
    yield
    matplotlib.pyplot.close("all")


def entry(text, p, alternatives=(), **fields):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in alternatives]
    return {"token": text, "bytes": None, "logprob": math.log(p), "top_logprobs": tops, **fields}


TOPS = [(" a", 0.6), (" b", 0.3), ("$\\frac{", 0.05)]
TABLE = LogprobTable.from_wire(
    [
        entry(" a", 0.6, TOPS),
        entry("$\\frac{", 0.05, TOPS),
        entry(" z", 0.01, TOPS),
        {**entry("\x00", 0.5, TOPS), "logprob": -9999.0},
        {**entry("lost", 0.5), "logprob": None},
    ],
    vocabulary_size=1000,
)


def texts(ax):
    ax.figure.canvas.draw()
    return [text.get_text() for text in [*ax.texts, *ax.get_yticklabels(), *ax.get_xticklabels()]]


def test_the_picture_of_surprisal_names_the_least_certain_tokens_and_has_the_entropy_band():
    ax = plots.surprisal(TABLE)
    assert "$\\frac{" in texts(ax) and "·z" in texts(ax)
    labels = ax.get_legend_handles_labels()[1]
    assert "entropy, between its bounds" in labels and "at least (not returned)" in labels


def test_the_picture_of_alternatives_has_the_chosen_token_and_everything_else():
    shown = texts(plots.alternatives(TABLE, 2, shown=2))
    assert shown[:4] == ["60.0 %", "30.0 %", "1.0 %", "9.0 %"]
    assert "everything else" in shown and "·z" in shown


def test_the_histogram_of_ranks_counts_what_lies_below_apart():
    ax = plots.ranks(TABLE)
    assert texts(ax)[:3] == ["1", "1", "2"]
    assert "> 3" in texts(ax)


def test_the_reliability_view_counts_fields_in_bins():
    table = LogprobTable.from_wire([entry("[1,", 0.95), entry("2,", 0.9), entry("3]", 0.15)])
    ax = plots.reliability(table.fields(), [True, True, False])
    assert sorted(texts(ax)[:2]) == ["1", "2"]
    with pytest.raises(ValueError):
        plots.reliability(table.fields(), [True])


def test_pictures_are_drawn_on_given_axes_and_of_empty_tables():
    ax = matplotlib.pyplot.subplots()[1]
    empty = TABLE[:0]
    assert plots.surprisal(empty, ax=ax) is ax
    for drawn in (plots.surprisal(empty), plots.ranks(empty), plots.reliability([], [])):
        drawn.figure.canvas.draw()


def test_a_token_without_alternatives_says_what_to_ask_for():
    with pytest.raises(ValueError, match="-l"):
        plots.alternatives(TABLE, 4)
