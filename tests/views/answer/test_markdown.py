import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_magic.views.answer.markdown import markdown_to_html, safe_markdown
from tests.views.making import HOSTILE, Page

ALIGNED = "\\begin{align}\na &= b \\\\[4pt]\n- c &< d\n\\end{align}"
NESTED = r"\begin{matrix}\begin{matrix}a\end{matrix}\end{matrix}"


def page(text):
    return Page(f"<div>{markdown_to_html(text)}</div>")


def test_headings_lists_tables_and_emphasis_are_formatted():
    tags = page("# A\n\n- *b*\n\n1. **c**\n\n|d|e|\n|-|-|\n|~~f~~|`g`|\n\n> h").tags
    assert {"h3", "ul", "ol", "li", "em", "strong", "table", "th", "td", "s", "code", "blockquote"} <= set(tags)


def test_a_single_line_break_is_kept():
    assert "br" in page("Roses are red,\nviolets are blue").tags


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_inside_its_frame(text):
    page(text)


@given(st.text(alphabet=st.sampled_from("ab1 \n*_`~[]()<>!\"'&$\\|#-+>.:;=/{}\x00\x1b\ud800\u202e"), max_size=120))
def test_no_text_makes_markup_of_its_own(text):
    page(text)


def test_html_in_the_text_is_shown_as_it_was_typed():
    assert "<script>alert(1)</script>" in page("<script>alert(1)</script>").text


def test_links_lead_to_the_web_only():
    found = page("[a](https://a.org) <http://b.org> [c](javascript:x) [d](file:///etc) [e](/lab) [f](mailto:g@h.org)")
    assert found.links == ["https://a.org", "http://b.org", "mailto:g@h.org"]


def test_an_image_is_a_link_and_loads_nothing():
    found = page("![a cat](https://example.org/cat.png)")
    assert found.links == ["https://example.org/cat.png"]
    assert "[image: a cat]" in found.text


def test_control_characters_and_lone_surrogates_are_drawn():
    shown = page("a\x00b\x1bc \ud83d d\x9b").text
    assert "a␀b␛c \ufffd d\ufffd" in shown


def test_code_names_the_marks_that_reorder_it():
    assert "⟨U+202E⟩" in page("```\nif x: \u202e y\n```").text


@pytest.mark.slow
def test_a_deep_nesting_and_a_million_marks_cost_little():
    texts = [
        "*" * 1_000_000,
        "*" * 199_000,
        ">" * 190_000,
        "- " * 90_000,
        "[" * 190_000,
        "[](" * 60_000,
        "$a " * 60_000,
        "\\[\n" * 60_000,
        r"\begin{align}" * 100_000,
        r"\begin{align}" * 14_000,
        "\\begin{align}\n" * 14_000,
        "\\begin{matrix}\n" * 6_000 + "\\end{matrix}\n" * 6_000,
        "$$ a\n" + "\\begin{align}x\\end{align}\n" * 7_000,
        "`" * 190_000,
        "```\n" * 45_000,
        "*a **b " * 25_000,
        "a|b\n-|-\n" + "a|b\n" * 45_000,
        "[a]: b\n" * 25_000,
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for text in texts:
        markdown_to_html(text)
    # A quadratic rule would take many minutes here; this is no measurement of speed.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 120


def test_text_beyond_the_budget_is_shown_plain_and_whole():
    assert page("**" * 150_000).text.strip() == "**" * 150_000


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("It costs $5 and $10.", []),
        ("US$5, NZ$6", []),
        ("$ a $ and $b $", []),
        ("$x$ is 5", [r"\(x\)"]),
        ("so $x^2$, and \\(y\\).", [r"\(x^2\)", r"\(y\)"]),
        ("$$z$$", [r"\[z\]"]),
        ("\\[\nx\n+ y\n\\]", ["\\[\nx\n+ y\n\\]"]),
        ("`$x$` and \\$y\\$", []),
        ("```\n$$x$$\n```", []),
        ("a $<b>$", [r"\(<b>\)"]),
        (ALIGNED, [ALIGNED]),
        (f"so\n{ALIGNED}\nand", [ALIGNED]),
        (f"> {ALIGNED}".replace("\n", "\n> "), [ALIGNED]),
        (f"- {ALIGNED}".replace("\n", "\n  "), [ALIGNED]),
        (r"so \begin{gather*}x\end{gather*}.", [r"\begin{gather*}x\end{gather*}"]),
        (r"so \begin{cases}x\end{cases}.", [r"\[\begin{cases}x\end{cases}\]"]),
        (NESTED, [rf"\[{NESTED}\]"]),
        ("Then $$\n\\begin{split}\na\n\\end{split}\n$$", ["\\[\n\\begin{split}\na\n\\end{split}\n\\]"]),
        (f"```\n{ALIGNED}\n```", []),
        (r"`\begin{align}x\end{align}`", []),
        ("`a\n\\begin{align}\nx\n\\end{align}`", []),
        (r"\begin{align}`\end{align}`", []),
        (f"    {ALIGNED}".replace("\n", "\n    "), []),
        (r"\begin{align}x", []),
        (r"\begin{align}x\end{gather}", []),
        ("\\begin{align}x\n\n\\end{align}", []),
        (r"\\begin{align}x\end{align}", []),
        (r"\begin{align} \end{align}", []),
        (r"\begin{itemize}\item x\end{itemize}", []),
    ],
)
def test_tex_is_left_for_the_page_and_money_is_not(text, formulas):
    assert page(text).formulas == formulas


@pytest.mark.parametrize(
    "tex",
    [
        r"$\href{javascript:alert(1)}{x}$",
        r"\(\def\alpha{x}\)",
        r"$$\require{html}$$",
        r"\begin{align}\href{javascript:alert(1)}{x}\end{align}",
        "\\begin{align}\nx\n\\tag{1}\n\\end{align}",
        r"so \begin{cases}\def\alpha{x}\end{cases}",
        r"\begin{align}\verb\x\\href{javascript:alert(1)}{x}\end{align}",
    ],
)
def test_tex_that_reaches_beyond_its_formula_is_shown_as_code(tex):
    found = page(tex)
    assert found.formulas == []
    assert "code" in found.tags


def test_markdown_output_escapes_html_but_not_in_code():
    text = "a <b>x</b> `<i>` ![p](q)\n\n```\n<script>\n```"
    assert safe_markdown(text) == "a \\<b>x\\</b> `<i>` \\![p](q)\n\n```\n<script>\n```"


def test_a_code_span_that_is_also_written_out_escapes_both():
    assert "\\<i>" in safe_markdown("`<i>` and \\`<i>`")


def test_markdown_output_closes_a_fence_that_was_left_open():
    assert safe_markdown("```python\nx = 1") == "```python\nx = 1\n```"


@pytest.mark.parametrize(("text", "is_aligned"), [("שלום world", True), ("12: عاصمة", True), ("a שלום", False)])
def test_what_runs_right_to_left_says_so_in_a_word_that_an_untrusted_notebook_keeps(text, is_aligned):
    assert ("text-align:right" in markdown_to_html(text)) is is_aligned
    assert ("text-align:right" in markdown_to_html(f"| {text} |\n|---|\n")) is is_aligned
    assert "start" not in markdown_to_html(f"{text}\n\n| {text} |\n|---|\n")
    assert ("padding:0 2em 0 0" in markdown_to_html(f"1. {text}")) is is_aligned
