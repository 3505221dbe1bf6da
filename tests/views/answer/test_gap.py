"""A gap that was filled, shown where it stands."""

import io

import pytest

from ds_magic import ChatCompletion, CompletionRequest
from ds_magic.api.delta import Delta
from ds_magic.views import make_view
from ds_magic.views.answer.gap import FEW, NEAR, NEAR_LINES, before, behind
from ds_magic.views.answer.static import (
    alive,
    mimebundle,
    numbered_html,
    to_html,
    to_markdown,
    to_text,
    unfinished_bundle,
)
from ds_magic.views.tokens.explorer.living import restored
from ds_magic.views.tokens.explorer.page import about
from tests.views.making import HOSTILE, Page


def answer(content="    return n", prompt="def f(n):\n", suffix="\n\nf(3)", tokens=None, **known):
    """An answer to a gap; `tokens`: how it is divided where it has probabilities."""
    logprobs = tokens and {"content": [
        {"token": each, "logprob": -4.0, "bytes": None, "top_logprobs": [{"token": each, "logprob": -4.0}]}
        for each in tokens
    ]}
    choice = {"index": 0, "message": {"content": content}, "logprobs": logprobs, "finish_reason": "stop"}
    request = CompletionRequest.of(prompt, suffix, logprobs=1 if tokens else None)
    return ChatCompletion.from_wire({"model": "tiny", "choices": [choice]}, request=request, **known)


def test_the_text_reads_as_one_and_the_gap_is_told_apart():
    page = Page(to_html(answer()))
    assert "def f(n):\n    return n\n\nf(3)" in page.text
    html = to_html(answer())
    assert '<span style="opacity:.65">def f(n):\n</span><b style="font-weight:normal">    return n</b>' in html


def test_it_is_no_markdown():
    html = to_html(answer("*a* # b", "# Title\n", "\n- one"))
    assert "<h" not in html and "<em>" not in html and "<li>" not in html


def test_only_what_was_filled_is_tinted():
    html = to_html(answer("n return n", "n", "n return n", ["n return", " n"]))
    assert html.count("background-color") >= 2
    given_, filled, rest = html.partition("<b style")[0], html.partition("<b style")[2].partition("</b>")[0], html
    assert "background-color" not in given_ and filled.count("background-color") == 2
    assert '<span style="opacity:.65">n return n</span>' in rest.partition("</b>")[2]


def test_the_tokens_are_numbered_for_a_page_that_explores_them():
    html = numbered_html(answer("ab", "ab", "ab", ["a", "b"]))
    assert '<span style="opacity:.65">ab</span><b style="font-weight:normal"><span class="dsx-g0">a</span>' in html


def test_of_an_empty_answer_the_token_that_ended_it_can_be_looked_at_in_the_gap():
    html = numbered_html(answer("", tokens=["   "]))
    assert '<span class="dsx-g0">···</span>' in html and "def f(n):\n···\n\nf(3)" in Page(html).text


def test_that_there_were_no_bytes_is_said():
    assert "no bytes" in to_html(answer("ab", tokens=["a", "b"]))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_on_either_side_and_in_the_gap_is_text(text):
    many = "\n".join([text] * 40)
    for prompt, content, suffix in ((text, "a", text), ("a", text, "b"), (many, text, many)):
        for each in (answer(content, prompt, suffix), answer(content, prompt, suffix, [content])):
            Page(to_html(each))
            to_text(each), to_markdown(each)


def test_beside_what_reorders_code_the_tokens_have_their_tints():
    html = to_html(answer("a\u202eb", tokens=["a", "\u202e", "b"])).partition("<b style")[2].partition("</b>")[0]
    assert html.count("background-color") == 2 and "<span>⟨U+202E⟩</span>" in html


def test_what_reorders_code_is_named():
    assert "\u202e" not in to_html(answer("a\u202eb", "c\u202ed", "e\u202ef"))


ANSWER = "application/vnd.ds-magic.answer+json"
LINES = "".join(f"line {at}\n" for at in range(100))


def test_what_is_far_away_is_folded():
    page = Page(to_html(answer("x", LINES, "\n" + LINES)))
    assert f"… {100 - NEAR_LINES} lines before" in page.text and page.tags.count("details") == 2
    assert page.text.count("line 50\n") == 2 and "line 99\nx\nline 0\n" in page.text


def test_nothing_is_lost_or_said_twice_between_far_and_near():
    for text in ("", "a", "\n", "\n" * 50, LINES, LINES + "end", "a" * 5000, ("a" * 500 + "\n") * 20):
        for side in (before(text), behind(text)):
            assert len(side.far) + len(side.near) == len(text) and len(side.near) < NEAR + NEAR
        assert before(text).far + before(text).near == text == behind(text).near + behind(text).far


def test_few_lines_are_not_folded():
    text = "a\n" * (NEAR_LINES + FEW - 1)
    assert not before(text).far and not behind(text).far
    assert before("a\n" * (NEAR_LINES + FEW)).folded == f"{FEW} lines"


def test_a_long_line_is_folded_by_its_characters():
    assert before("a" * (3 * NEAR)).folded == f"{2 * NEAR:,} characters"


def test_as_text_the_gap_stands_between_marks():
    assert to_text(answer()).startswith("def f(n):\n⟦    return n⟧\n\nf(3)")
    assert to_markdown(answer()).startswith("    def f(n):\n    ⟦    return n⟧\n    \n    f(3)")
    long = to_text(answer("x", LINES, "\n" + LINES))
    assert long.startswith("… 88 lines before\nline 88\n") and "line 10\n… 89 lines behind" in long


def test_an_empty_answer_is_said_to_be_one():
    assert "The answer is empty." in Page(to_html(answer(""))).text


def test_a_gap_at_the_end_has_nothing_behind_it():
    assert "⟦ there⟧\n\n" in to_text(answer(" there", "Once", None))


def shown_in_a_terminal(whole, out=None, deltas=()):
    out = out or io.StringIO()
    view = make_view("text", out=out)
    view.start(whole.request, "tiny")
    for text in deltas:
        view.delta(Delta.of({}, {"index": 0, "delta": {"content": text}}))
    view.finish(whole, None)
    return out.getvalue()


@pytest.mark.parametrize("deltas", [(), ("    ret", "urn n")])
def test_a_terminal_shows_both_sides(deltas):
    assert shown_in_a_terminal(answer(), deltas=deltas).startswith("def f(n):\n⟦    return n⟧\n\nf(3)\n")


def test_a_terminal_says_that_there_were_no_bytes():
    assert shown_in_a_terminal(answer("ab", tokens=["a", "b"])).count("Note: The service sent no bytes") == 1


def test_a_terminal_with_colours_dims_both_sides(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    said = shown_in_a_terminal(answer(), Terminal(), ["    return n"])
    dim = "\x1b[2m{}\x1b[0m".format
    assert said.startswith(f"{dim('def')} {dim('f(n):')}\n    return n\n\n{dim('f(3)')}\n")


def test_a_page_says_what_stood_on_both_sides():
    title, facts = about(answer("ab", "before", "behind", ["a", "b"]))
    assert title == "before" and facts[:2] == [("prompt", "before"), ("suffix", "behind")]
    assert not any("suffix" in value for _, value in facts[2:])


def test_an_output_is_alive_and_goes_on_with_the_same_gap():
    whole = answer("ab", "before", "behind", ["a", "b"])
    bundle, metadata = alive(whole, mimebundle(whole))
    [node] = restored(bundle[ANSWER], metadata["ds_magic"])
    assert node.answer.request == whole.request and node.answer.text == "beforeabbehind"


def test_an_output_does_not_hold_a_very_long_text_twice():
    whole = answer("ab", "x" * 30_000, "y" * 30_000, ["a", "b"])
    _, metadata = alive(whole, mimebundle(whole))
    assert metadata["ds_magic"]["answers"] == [None]


def test_what_is_kept_of_an_answer_that_has_not_ended_has_both_sides():
    request = answer(prompt="a <b>\n", suffix="\n</pre>").request
    html = unfinished_bundle("here", "tiny", "", "    half", "mark", request)["text/html"]
    assert "a <b>\n    half\n</pre>" in Page(html).text


def test_an_interrupted_answer_keeps_the_gap():
    bundle = mimebundle(answer("    ret", interruption="stopped"))
    assert "⟦    ret⟧" in bundle["text/plain"] and "stopped" in bundle["text/plain"]
