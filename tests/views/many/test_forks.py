"""The tree in which answers part, and what a click shows."""

from ds_magic import Answers
from ds_magic.many.row import Row
from tests.many.scripted_answers import answer, entry
from tests.views.making import HOSTILE, Page, completion

RIVALS = {" red": 0.3, " re": 0.6}


def test_a_fork_shows_what_it_held_and_which_of_it_was_taken():
    rows = [Row({}, answer(entry("It", 0.9), entry(text, RIVALS[text], **RIVALS, other=0.05))) for text in RIVALS]
    html = Answers(rows).divergence()._repr_html_()
    assert html.count("<details>") == 3 and "it held" in Page(html).text and "5.0 %" in Page(html).text
    held = html[html.index("it held") :]
    assert 'font-weight:bold">·red<' in held and 'font-weight:bold">·re<' in held
    assert 'font-weight:bold">other<' not in held and ">other<" in held


def test_an_end_shows_the_whole_text_and_its_rows():
    tree = Answers(Row({"sample": n}, completion(text)) for n, text in enumerate(["It is\nred", "It is\nred", "No"]))
    page = Page(tree.divergence()._repr_html_()).text
    assert "It is\nred" in page and "rows 0, 1" in page and "row 2" in page


def test_hostile_texts_stay_text():
    page = Page(Answers(Row({}, completion(text)) for text in HOSTILE).divergence()._repr_html_())
    assert "script" not in page.tags
