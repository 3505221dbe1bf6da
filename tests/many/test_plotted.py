"""A metric of several answers by a factor, as a line or as bars."""

import math

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

from ds_magic import Answers  # noqa: E402
from ds_magic.many.measured import measured  # noqa: E402
from ds_magic.many.row import Row  # noqa: E402
from tests.many.scripted_answers import answer, entry  # noqa: E402
from tests.views.making import completion  # noqa: E402


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


@pytest.fixture
def answers():
    return Answers(
        Row({"temperature": t, "system": s, "sample": n}, answer(entry("ab"[n % 2] if t else "a", 0.9 - 0.1 * n * t)))
        for t in (1, 0) for s in ("child", "poet") for n in range(5)
    )


def names(ax):
    return [each.get_text() for each in ax.get_legend().get_texts()]


def test_without_a_word_it_takes_what_says_most_by_the_number_that_was_varied(answers):
    ax = answers.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("temperature", "perplexity")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1"]
    assert set(names(ax)) == {"an answer", "its interval at 95 %", "mean"}
    line = next(each for each in ax.lines if each.get_linestyle() == "-")
    assert list(line.get_xdata()) == [0, 1] and line.get_ydata()[0] == pytest.approx(1 / 0.9)


def test_by_a_category_it_is_bars_from_zero_on(answers):
    ax = answers.plot("tokens", by="system")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["child", "poet"] and ax.get_xlim()[0] == 0
    assert [bar.get_width() for bar in ax.patches] == [1, 1] and ax.get_ylim() == (1.5, -0.5)


def test_the_page_is_seen_through_it(answers):
    for ax in (answers.plot(), answers.plot(by="system")):
        assert ax.figure.get_facecolor()[3] == ax.get_facecolor()[3] == 0


def test_samples_have_an_entropy_and_an_agreement_for_each_thing_that_was_asked(answers):
    for metric, at_one in (("entropy", -0.4 * math.log2(0.4) - 0.6 * math.log2(0.6)), ("agreement", 0.6)):
        found = measured(answers, metric, "temperature")
        assert [each.value for each in found] == [0, 1] and found.of == "the samples of one system"
        assert found.measures[1].values == pytest.approx([at_one, at_one]), metric
        assert found.measures[1].interval is None, "of two values there is none"
    assert answers.plot("agreement").get_ylim() == (0, 1.02)


def test_what_is_right_is_a_share_with_its_interval(answers):
    marked = answers.marked(lambda row: row.content == "a")
    found = measured(marked)
    assert found.metric == "correct" and [each.mean for each in found] == [1, 0.6]
    assert found.measures[1].interval == pytest.approx((0.313, 0.832), abs=1e-3)
    assert "share that is right" in marked.plot().get_ylabel()


def test_the_interval_of_a_mean_lies_around_it_and_is_the_same_each_time(answers):
    (_, each) = measured(answers, "perplexity", "temperature")
    low, high = each.interval
    assert min(each.values) < low < each.mean < high < max(each.values) and each.interval == (low, high)


def test_a_bound_is_drawn_as_one_and_makes_the_mean_one():
    censored = {**entry("z", 0.4, b=0.3), "logprob": -9999.0, "top_logprobs": entry("b", 0.9)["top_logprobs"]}
    rows = Answers(Row({"t": t, "sample": n}, answer(censored if t and n else entry("a", 0.5)))
                   for t in (0, 1) for n in range(2))
    found = measured(rows, "perplexity")
    assert found.measures[1].least == pytest.approx([200], rel=0.02) and found.measures[1].interval is None
    assert "mean, at least so much" in names(rows.plot())
    assert "mean, at least so much" in names(rows.plot(by="t", metric="perplexity"))


def test_a_column_of_the_data_frame_is_a_metric_and_what_is_missing_is_counted():
    rows = Answers([Row({"t": t, "size": s}, completion("x")) for t, s in ((0, 1), (0, 3), (1, 5), (1, None))])
    assert [each.mean for each in measured(rows, "size", "t")] == [2, 5]
    assert "1 without one left out" in rows.plot("size", by="t").get_xlabel()


@pytest.mark.parametrize(("asked", "said"), [
    ({"metric": "perplexty"}, "There is no metric 'perplexty'.*entropy, agreement.*perplexity"),
    ({"by": "model"}, "There is no factor 'model'. There are temperature, system, sample"),
    ({"metric": "content"}, "Of no answer the content is known.*numbers"),
    ({"metric": "correct"}, "Of no answer the correct is known.*marked"),
    ({"metric": "entropy", "by": "sample"}, "times=5"),
])
def test_what_is_not_there_is_said_with_what_there_is(answers, asked, said):
    with pytest.raises(ValueError, match=said):
        answers.plot(**asked)


def test_where_nothing_was_varied_it_says_so():
    with pytest.raises(ValueError, match="Nothing was varied"):
        Answers(Row({"sample": n}, completion("x")) for n in range(3)).plot()


def test_names_are_no_formulas():
    bad = r"$\frac{$"
    for by, metric in ((bad, "x"), ("x", bad)):
        ax = Answers(Row({by: each, metric: each}, completion("x")) for each in range(2)).plot(metric, by=by)
        ax.figure.canvas.draw()
        assert bad in (ax.get_xlabel(), ax.get_ylabel())
    ax = Answers(Row({"$a$": each}, completion("x")) for each in (r"$\frac{", "b")).plot()
    ax.figure.canvas.draw()
    assert r"$\frac{" in [tick.get_text() for tick in ax.get_yticklabels()]
