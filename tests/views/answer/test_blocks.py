import re
import resource
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.views.answer.blocks import MARKUP, Blocks, changed, encode, units
from ds_magic.views.answer.markdown import markdown_to_html

TEXT = """# Title

A paragraph with **bold** text
on two lines & more.

- one
- two
  - inner

1. first

   still first
2. second

```python
def f(x):

    return "<b>"
```

| a | b |
|---|---|
| 1 | 2 |

\\[
x
+ y
\\]

So
\\begin{align}
a &= b \\\\[4pt]
- c &< d
\\end{align}
and \\begin{cases} x
+ y \\end{cases} then.

\\begin{align} is not ended.

> quote

So $x^2$ costs $5 😀.
"""


def decoded(steps, source):
    """What the browser does with the steps."""
    wide = source.encode("utf-16-le")
    parts, at = [], 0
    for step in steps:
        if isinstance(step, str):
            parts.append(step)
        elif isinstance(step, list):
            parts.append(MARKUP[step[0]])
        else:
            if step > 0:
                parts.append(escape(wide[2 * at : 2 * (at + step)].decode("utf-16-le")))
            at += abs(step)
    return "".join(parts)


def streamed(text, sizes):
    """The HTML after all pieces, and the Blocks."""
    blocks, finished, at = Blocks(), [], 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        blocks.add(text[at : at + size])
        at += size
        formatted = blocks.format()
        finished += [html for _, html in formatted[0]] if formatted else []
    formatted = blocks.format(is_last=True)
    return "".join(finished + [html for _, html in formatted[0]]) if formatted else "".join(finished), blocks


@pytest.mark.parametrize("sizes", [[1], [3], [7, 2], [40], [1000]])
def test_blocks_that_come_in_pieces_are_those_of_the_whole(sizes):
    assert streamed(TEXT, sizes)[0] == markdown_to_html(TEXT)


@given(st.text(alphabet="ab \n-*1.#>$", max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_no_letter_is_lost_or_moved_between_blocks(text, sizes):
    html, _ = streamed(text, sizes)
    shown = unescape(re.sub("<[^>]*>", "", html))
    assert [letter for letter in shown if letter in "ab"] == [letter for letter in text if letter in "ab"]


@given(st.text(max_size=80))
def test_steps_make_the_html_from_the_source(text):
    from ds_magic.api.clean_text import for_page

    text = for_page(text)
    html = markdown_to_html(text)
    assert unescape(decoded(encode(html, text), text)) == unescape(html)


def test_steps_of_prose_are_small():
    text = "Once upon a time there was a village by the sea. " * 50
    assert len(repr(encode(markdown_to_html(text), text))) < 60


def test_only_steps_that_changed_are_sent():
    assert changed([1, "<b>", 5], [1, "<b>", 9, "</b>"]) == [2, 9, "</b>"]
    assert changed([], ["<p>", 3]) == [0, "<p>", 3]


def test_lengths_are_javascripts():
    assert units("a😀é") == 4


def test_a_long_block_is_formatted_a_bounded_number_of_times():
    text = "```python\n" + "x = 1  # one\n" * 2000
    blocks = Blocks()
    spent = 0
    for at in range(0, len(text), 10):
        blocks.add(text[at : at + 10])
        spent += len(blocks.raw) if blocks.format() else 0
    assert spent < 8 * len(text)


def test_plain_words_are_not_formatted_again():
    blocks = Blocks()
    blocks.add("A *word*")
    assert blocks.format() is not None
    blocks.add(" and more")
    assert blocks.format() is None
    assert blocks.format(is_last=True) is not None


def test_plain_words_after_a_finished_block_are_not_formatted():
    blocks = Blocks()
    blocks.add("One *word*.\n\nAnd more")
    assert blocks.format() == ([("One *word*.\n", '<p dir="auto">One <em>word</em>.</p>\n')], None)


@pytest.mark.parametrize("rest", ["    code", "> quote", "and *more"])
def test_what_does_not_look_as_its_text_is_formatted_after_a_finished_block(rest):
    blocks = Blocks()
    blocks.add("One.\n\n" + rest)
    assert blocks.format()[1] == markdown_to_html("\n" + rest)


def test_a_paragraph_is_finished_by_a_blank_line_and_a_list_is_not():
    blocks = Blocks()
    blocks.add("Words.\n\n")
    assert blocks.format()[0] == [("Words.\n", '<p dir="auto">Words.</p>\n')]
    blocks.add("- one\n\n")
    assert blocks.format()[0] == []


PIECES = ["a", "\n", "\n- b", "$$", "`", "```\n", " ", "> c", *(rf"\\{what}{{{name}}}" for what in ("begin", "end")
          for name in ("align", "cases"))]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_environments_that_come_in_pieces_are_those_of_the_whole(text, sizes):
    assert re.findall("mathjax_process.*?</span>", streamed(text, sizes)[0], re.DOTALL) == re.findall(
        "mathjax_process.*?</span>", markdown_to_html(text), re.DOTALL
    )


def test_an_environment_that_is_not_ended_yet_is_not_finished():
    blocks = Blocks()
    blocks.add("So:\n\n\\begin{align}\n- x\n")
    finished, growing = blocks.format()
    assert [source for source, _ in finished] == ["So:\n"] and "mathjax_process" not in growing
    blocks.add("\\end{align}\n")
    assert "mathjax_process" in blocks.format()[0][0][1]


@pytest.mark.slow
def test_openings_that_are_never_ended_cost_little():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for line in ("\\begin{align}\n", "\\[\n"):
        blocks = Blocks()
        for _ in range(100):
            blocks.add(line * 100)
            blocks.format()
    # A quadratic rule would take many minutes here; this is no measurement of speed.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 60
