import math
from xml.etree import ElementTree

import pytest
from jupyter_client.manager import start_new_kernel

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

from ds_magic.logprobs import plots  # noqa: E402
from ds_magic.logprobs.table import LogprobTable  # noqa: E402


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


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


def contrast(a, b):
    """WCAG's contrast of two colours."""
    lights = []
    for colour in (a, b):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(colour)]
        lights.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05)
    return max(lights) / min(lights)


def overlaps(boxes):
    """Pairs of boxes of which one covers a part of the other."""
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])  # JupyterLab's light and dark
def test_a_figure_of_ours_lets_the_page_be_seen_and_reads_on_it(page):
    for ax in (plots.surprisal(TABLE), plots.alternatives(TABLE, 0), plots.ranks(TABLE), plots.reliability([], [])):
        assert ax.figure.get_facecolor()[3] == ax.get_facecolor()[3] == 0
        inks = [text.get_color() for text in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]]
        inks += [ax.xaxis.label.get_color(), ax.spines["left"].get_edgecolor(), plots.HUE]
        assert min(contrast(ink, page) for ink in inks) > 3.5


def test_a_notebook_puts_no_white_behind_it_in_a_dark_theme():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        code = "%matplotlib inline\nfrom ds_magic.logprobs.table import LogprobTable\n"
        code += "LogprobTable.from_wire([{'token': 'a', 'logprob': -1.0}]).plot()\nNone"
        shown = []
        client.execute_interactive(code, output_hook=shown.append, timeout=60)
        (picture,) = [one["content"] for one in shown if one["msg_type"] == "display_data"]
        assert "image/png" in picture["data"]
        assert "needs_background" not in str(picture["metadata"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_for_a_paper_there_is_ink_and_on_axes_of_the_users_their_colour():
    assert {tick.get_color() for tick in plots.ranks(TABLE, ink="black").get_xticklabels()} == {"black"}
    with matplotlib.rc_context({"text.color": "purple"}):
        ax = plots.surprisal(TABLE, ax=pyplot.subplots()[1])
    assert ax.xaxis.label.get_color() == "purple" and ax.figure.get_facecolor()[3] == 1


def test_a_saved_picture_has_text_as_text_and_nothing_cut_off(tmp_path):
    plots.alternatives(TABLE, 2, shown=2).figure.savefig(tmp_path / "x.svg")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    said = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "·z" in said and "997 others" in said and "60.0 %" in said
    assert 4 < float(root.get("width").removesuffix("pt")) / 72 < 8


def test_at_200_tokens_no_name_covers_another():
    words = [entry(f" word{i}", 0.001 + i / 1e6, [(" a", 0.9)]) for i in range(200)]
    ax = plots.surprisal(LogprobTable.from_wire(words))
    ax.figure.canvas.draw()
    assert 2 <= len(ax.texts) <= 6
    assert not overlaps([text.get_window_extent() for text in ax.texts])
    assert not overlaps([tick.get_window_extent() for tick in ax.get_xticklabels() if tick.get_text()])
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1


def test_a_short_answer_has_its_tokens_below_the_axis():
    assert "·a" in [tick.get_text() for tick in plots.surprisal(TABLE).get_xticklabels()]


def test_a_chosen_token_that_was_not_returned_is_drawn_with_its_bound():
    assert "at most 0.28 %" in texts(plots.alternatives(TABLE, 3))


def test_the_picture_of_surprisal_names_the_least_certain_tokens_and_has_the_entropy_band():
    ax = plots.surprisal(TABLE)
    assert "$\\frac{" in texts(ax) and "·z" in texts(ax)
    labels = ax.get_legend_handles_labels()[1]
    assert "entropy, between its bounds" in labels and "at least (not returned)" in labels


def test_the_picture_of_alternatives_has_the_chosen_token_and_everything_else():
    shown = texts(plots.alternatives(TABLE, 2, shown=2))
    assert shown[:4] == ["60.0 %", "30.0 %", "1.0 %", "9.0 %"]
    assert "997 others" in shown and "·z" in shown
    without_size = LogprobTable.from_wire([entry(" a", 0.6, TOPS)])
    assert "all others" in texts(plots.alternatives(without_size, 0))


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
    ax = pyplot.subplots()[1]
    empty = TABLE[:0]
    assert plots.surprisal(empty, ax=ax) is ax
    for drawn in (plots.surprisal(empty), plots.ranks(empty), plots.reliability([], [])):
        drawn.figure.canvas.draw()


def test_a_token_without_alternatives_says_what_to_ask_for():
    with pytest.raises(ValueError, match="-l"):
        plots.alternatives(TABLE, 4)
