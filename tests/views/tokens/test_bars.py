import math
import re
from html.parser import HTMLParser

import pytest

from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.tokens.bars import Bars


def entry(text, p, alternatives=()):
    tops = [{"token": name, "logprob": math.log(share), "bytes": None} for name, share in [(text, p), *alternatives]]
    return {"token": text, "bytes": list(text.encode()), "logprob": math.log(p), "top_logprobs": tops}


def answer(*shares, **known):
    """A table whose tokens are called after their place, each with the share that is given and one rival."""
    rows = [entry(f" w{at}", share, [(f" r{at}", (1 - share) / 2)]) for at, share in enumerate(shares)]
    return LogprobTable.from_wire(rows, **known)


class Text(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data):
        self.text += data


def heads(form):
    """The places in the order in which they are shown."""
    return [int(at) for at in re.findall(r"w(\d+)", Text(form).text if form.startswith("<") else form)]


@pytest.mark.parametrize("form", [Bars.to_html, Bars.to_text])
def test_the_most_uncertain_place_comes_first(form):
    shown = form(Bars.of(answer(0.9, 0.3, 0.6)))
    places = re.findall(r"surprise (\d\.\d) bits", Text(shown).text if shown.startswith("<") else shown)
    assert places == ["1.7", "0.7", "0.2"]


def test_what_is_not_drawn_is_counted_where_the_vocabulary_is_known():
    assert "49,150 others" in Text(Bars.of(answer(0.5, model="smollm2")).to_html()).text
    assert "all others" in Text(Bars.of(answer(0.5)).to_html()).text


def test_what_is_not_drawn_and_what_is_make_a_whole():
    tops = [(f"t{at}", 0.02) for at in range(15)]
    text = Bars.of(LogprobTable.from_wire([entry("a", 0.6, tops)], vocabulary_size=100)).to_text()
    assert "95 others" in text and "32.0 %" in text  # 1 − 0.6 − 4 · 0.02


def test_a_vocabulary_that_is_drawn_whole_has_no_others():
    assert "others" not in Bars.of(answer(0.5, vocabulary_size=2)).to_text()


def test_all_tracks_are_of_one_width_on_one_left_edge():
    html = Bars.of(answer(0.9, 0.3, 0.6)).to_html()
    firsts = re.findall(r"<tr[^>]*><td style=\"([^\"]*)\"", html)
    assert len(set(firsts)) == 1 and "width:" in firsts[0]
    assert html.count("table-layout:fixed;width:100%") == 3


def test_more_than_six_places_are_folded_and_none_is_lost():
    html = Bars.of(answer(*[0.9 - at / 20 for at in range(10)])).to_html()
    seen, folded = html.split("<details>")
    assert seen.count("<table") == 6 and folded.count("<table") == 4
    assert "4 more places, all more certain" in folded


def test_a_place_is_asked_for_by_its_position_in_a_slice_too():
    table = answer(0.9, 0.3, 0.6)[1:]
    assert "w2" in table.bars(2).to_text() and "w1" not in table.bars(2).to_text().replace("w1 [", "")
    with pytest.raises(IndexError, match="no token at 0; places go from 1 to 2"):
        table.bars(0)


def test_a_token_shows_itself_as_bars_in_a_notebook_and_in_a_terminal():
    from IPython.lib.pretty import pretty

    token = answer(0.9, 0.3, model="smollm2")[1]
    assert "49,150 others" in Text(token._repr_html_()).text
    assert "▸" in pretty(token) and "30.0 %" in pretty(token)


def test_a_table_shows_itself_in_a_terminal_as_under_an_answer():
    from IPython.lib.pretty import pretty

    table = answer(0.9, 0.3)
    assert pretty(table) == Bars.of(table).to_text() and repr(table).startswith("LogprobTable(2 tokens")
    assert pretty(table[:0]) == repr(table[:0])


def test_a_share_above_zero_leaves_a_hair_and_one_that_is_not_known_an_empty_track():
    from ds_magic.views.tokens.style import bar

    assert "min-width:2px" in bar(1e-9)
    assert "min-width" not in bar(math.nan) and "min-width" not in bar(0.0)


def test_the_part_of_a_bar_that_is_not_sure_is_hollow():
    from ds_magic.views.tokens.style import bar

    drawn = bar(0.25, to=0.75)
    assert re.findall(r"width:([\d.]+)%", drawn) == ["25.0", "50.0"]
    assert drawn.count("border:1px solid") == 1


@pytest.mark.parametrize(("page", "name"), [((255, 255, 255), "light"), ((17, 17, 17), "dark")])
def test_the_bars_of_rivals_stand_out_from_the_page_by_3_to_1(page, name):
    from ds_magic.views.tokens.style import RIVAL
    from tests.views.tokens.test_tables import contrast, over

    *hue, alpha = map(float, re.findall(r"[\d.]+", RIVAL))
    assert contrast(over(hue, alpha, page), page) >= 3
    track = over((128, 128, 128), 0.16, page)
    assert contrast(over(hue, alpha, track), track) >= 2.4


def test_places_that_are_as_uncertain_to_a_reader_stand_as_they_are_read():
    places = re.findall(r"^(\d)  ", Bars.of(answer(0.57, 0.51, 0.69, 0.1)).to_text(), re.MULTILINE)
    assert places == ["3", "0", "1", "2"]
