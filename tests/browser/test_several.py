"""Several answers together as they are drawn in JupyterLab: nothing is cut, all stands out, a click shows more."""

import pytest

from tests.browser.accessible import troubles
from tests.browser.test_pictures import CONTRASTS, CUT, SETUP

ROWS = """
from ds_magic import Answers
from ds_magic.many.row import Row
SAID = {"Paris": 0.57, "Lyon": 0.3, "Marseille": 0.05}
def said(city, *more, **fields):
    return answer(entry(" " + city, SAID[city], *((" " + each, p) for each, p in SAID.items() if each != city)), *more)
words = [entry(f" word{n}", 0.05 + 0.9 * (n * 7 % 11) / 11, (" another", 0.02)) for n in range(40)]
crossed = Answers(Row({"temperature": t, "system": s, "sample": n}, said("Paris", *words[n:]))
                  for t in (0, 0.5, 1) for s in ("to a child", "to a biologist") for n in range(2))
cities = [("Paris", "Lyon")[n % 5 == 0] for n in range(40)]
asked = Answers(Row({"country": f"country {n // 5}", "right": "Paris", "sample": n}, said(city))
                for n, city in enumerate(cities))
parted = Answers(Row({"sample": n}, said(city, *words[:12])) for n, city in enumerate(SAID))
"""
CELLS = [
    "crossed",
    "asked.entropy(by='country')",
    "asked.reliability('right')",
    "Answers(asked[:10]).counts()",
    "said('Paris').logprobs[0].tempered([0, 0.5, 1, 2], top_p=0.9)",
    "parted.divergence()",
]


@pytest.fixture(scope="module")
def opened(pictures):
    """A notebook with each picture, and the page that it is open in."""
    return pictures("several.ipynb", [SETUP + ROWS, *CELLS])


@pytest.mark.parametrize("size", [100, 150])
@pytest.mark.parametrize("width", [1400, 1000])
def test_nothing_is_cut_at_any_width_and_size(look, width, size):
    assert look(width, size=size).evaluate(CUT) == []


def test_nor_on_a_narrow_page(look):
    assert look(600).evaluate(CUT) == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_bars_intervals_and_words_stand_out_from_the_page(look, theme):
    page = look(theme=theme)
    drawn = ".jp-OutputArea-output td"
    bars, intervals, words = page.evaluate(
        CONTRASTS, [f"{drawn} div[style*='height:0.85em;min-width']", f"{drawn} div[style*='border-top:2px']",
                    f"{drawn} bdi, {drawn}:not(:has(*))"])
    assert len(bars) >= 20 and sorted(bars)[len(bars) // 3] >= 3, "those that are pruned are paler"
    assert len(intervals) >= 5 and min(intervals) >= 3
    assert len(words) > 40 and min(words) >= 4.5


def test_bars_of_a_column_begin_at_one_edge(look):
    edges = look().evaluate("""() => [...document.querySelectorAll('.jp-OutputArea-output table')]
      .filter((table) => !table.closest('details')).map((table) =>
      [...table.rows].map((row) => [...row.cells].map((cell) => Math.round(cell.getBoundingClientRect().left))))""")
    assert len(edges) == 5
    for rows in edges:
        assert len({tuple(row) for row in rows}) == 1


def test_an_interval_lies_under_the_end_of_its_bar(look):
    places = look().evaluate("""() => [...document.querySelectorAll("td div[style*='border-top:2px']")].map((line) => {
      const drawn = line.closest('td').firstElementChild.firstElementChild;
      const bar = drawn.getBoundingClientRect();
      const { left, right, top } = line.getBoundingClientRect();
      return { end: drawn.style.width ? bar.right : bar.left, left, right, below: top - bar.bottom };
    })""")
    assert places and all(each["left"] - 2 <= each["end"] <= each["right"] + 2 for each in places)
    assert all(0 < each["below"] < 6 for each in places)


def test_a_click_on_a_fork_shows_what_it_held_and_on_an_end_the_whole_text(look):
    page = look()
    first, last = page.locator("summary").first, page.locator("summary").last
    assert not page.locator("text=it held").is_visible()
    first.click()
    last.click()
    assert page.locator("text=it held").is_visible() and page.locator("details[open] >> text=row 2").is_visible()
    for each in (first, last):
        each.click()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_of_the_pictures_hinders_a_reader(look, theme):
    assert troubles(look(theme=theme), ".jp-OutputArea-output .mathjax_ignore") == []
