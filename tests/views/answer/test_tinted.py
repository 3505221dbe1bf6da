import html as markup
import math
import re

import pytest

from ds_magic.api.response import ChatCompletion
from ds_magic.logprobs.table import LogprobTable
from ds_magic.views.answer.markdown import markdown_to_html
from ds_magic.views.answer.tinted import TITLES_LIMIT, tinted
from ds_magic.views.tokens.tints import class_of, classes
from tests.views.making import HOSTILE, Page


def entry(token, p=0.9, rivals=()):
    tops = [{"token": name, "logprob": math.log(share)} for name, share in [(token, p), *rivals]]
    text = token if isinstance(token, bytes) else token.encode(errors="replace")
    name = text.decode(errors="replace")
    return {"token": name, "bytes": list(text), "logprob": math.log(p), "top_logprobs": tops if rivals else []}


def table(*tokens):
    """Of tokens, an uncertain one as `(token, p)`."""
    return LogprobTable.from_wire([entry(*each) if isinstance(each, tuple) else entry(each) for each in tokens])


def tints(html):
    """(text, alpha) of everything that has a tint."""
    found = re.findall(r'<span style="background-color:rgba\([\d,]+,([\d.]+)\)[^>]*>(.*?)</span>', html, re.S)
    return [(markup.unescape(re.sub("<[^>]*>", "", text)), float(alpha)) for alpha, text in found]


def words(html):
    return [text for text, _ in tints(html)]


def shown(text, made):
    return tinted(markdown_to_html(text), text, made)


def test_an_uncertain_word_is_tinted_where_it_stands_and_the_text_is_the_same():
    made = table("A ", "**", ("bold", 0.2), "** word")
    html = shown("A **bold** word", made)
    assert words(html) == ["bold"] and "<strong><span" in html
    assert Page(html).text == Page(markdown_to_html("A **bold** word")).text


def test_a_token_that_markup_divides_is_tinted_in_each_part():
    assert words(shown("a *b* c", table("a", (" *b", 0.2), "* c"))) == [" ", "b"]


@pytest.mark.parametrize(
    "text",
    ["# A head\n\nand text", "- one\n- two\n\n3. three", "> quoted", "| a | b |\n|---|---|\n| c | d |",
     "```python\nx = 1\n```", "`code`", "[link](https://example.org/a)", "a  \nb", "1 < 2 & 3",
     "emoji 🚀 and ünïcode", "ab\u202ecd"],
)  # fmt: skip
def test_every_kind_of_block_carries_the_tints_of_its_own_words(text):
    pieces = re.findall(r"\w+|\W+", text)
    made = LogprobTable.from_wire([entry(each, 0.1 if each.strip().isalnum() else 0.9) for each in pieces])
    html = shown(text, made)
    plain = Page(markdown_to_html(text)).text
    assert Page(html).text == plain
    expected = [each for each in pieces if each.isalnum() and each in plain and each not in ("https", "example", "org")]
    assert "".join(words(html)).startswith("".join(expected)[:4])
    assert set(words(html)) >= set(expected) - {"python", "a", "3"}


def test_lines_whose_blanks_the_formatter_takes_away_are_tinted():
    made = table("- one\n  ", ("two", 0.2), " *three*\n   ", ("four", 0.2))
    assert words(shown("- one\n  two *three*\n   four", made)) == ["two", "four"]


def test_a_formula_is_tinted_as_a_whole_and_can_still_be_typeset():
    made = table("so ", "$", ("x", 0.1), "^2", "$", " is")
    html = shown("so $x^2$ is", made)
    assert "\\(x^2\\)" in Page(html).formulas
    assert words(html) == ["\\(x^2\\)"]


def test_the_first_five_alternatives_are_read_where_the_pointer_rests():
    rivals = [(f"r{at}", 0.05 - at / 1000) for at in range(8)]
    html = markup.unescape(shown("yes", table(("yes", 0.5, rivals))))
    assert "0: 50.0 %, rank 1\nyes 50.0 %\nr0 5.0 %" in html and "r3" in html and "r4" not in html


def test_a_prefix_has_no_tint_and_what_follows_has_its_own():
    answer = ChatCompletion.from_wire(
        {"choices": [{"message": {"content": " Paris."}, "logprobs": {"content": [entry(" Paris", 0.2), entry(".")]}}]},
        request=request(prefix="The **capital** is"),
    )
    html = answer._repr_mimebundle_()["text/html"]
    assert words(html)[0] == " Paris"
    assert html.index("given as the prefix") < html.index("capital") < html.index("Paris")


def request(**fields):
    from ds_magic.api.request import ChatRequest

    return ChatRequest.build("q", **fields)


def test_a_json_answer_is_tinted_as_code():
    answer = ChatCompletion.from_wire(
        {"choices": [{"message": {"content": '{"a": 12}'},
                      "logprobs": {"content": [entry('{"a": '), entry("12", 0.2), entry("}")]}}]},
        request=request(response_format={"type": "json_object"}),
    )  # fmt: skip
    assert words(answer._repr_mimebundle_()["text/html"])[0] == "12"


def test_the_reasoning_is_tinted_in_its_own_place():
    lists = {"content": [entry("42", 0.9)], "reasoning_content": [entry("\nhmm", 0.01), entry(" well", 0.9)]}
    message = {"content": "42", "reasoning_content": "\nhmm well"}
    html = ChatCompletion.from_wire({"choices": [{"message": message, "logprobs": lists}]})._repr_mimebundle_()[
        "text/html"
    ]
    folded = re.search(r"<details.*?</details>", html, re.S).group()
    assert [word.strip() for word in words(folded)] == ["hmm"]


def test_a_character_of_several_tokens_is_tinted_once_with_its_parts():
    parts = [entry(bytes([byte]), 0.3) for byte in "🚀".encode()]
    html = shown("a🚀b", LogprobTable.from_wire([entry("a"), *parts, entry("b")]))
    assert words(html) == ["🚀"] and "4 tokens make one character" in html


@pytest.mark.parametrize(
    ("content", "tokens", "expected"),
    [
        ("a cat", ["a", " cat", " sat"], ["a", " cat"]),  # the tokens go on past a stop
        ("a dog", ["a", " cat"], ["a", " "]),  # as far as they agree
        ("a cat sat", ["a", " cat"], ["a", " cat"]),  # there are fewer of them
        ("\r\na\r\nb", ["\r\n", "a", "\r\n", "b"], ["a", "b"]),
    ],
)
def test_tokens_that_do_not_spell_the_text_tint_what_they_spell(content, tokens, expected):
    html = shown(content, LogprobTable.from_wire([entry(token, 0.2) for token in tokens]))
    assert [word for word in words(html) if word.strip("\n")] == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    made = LogprobTable.from_wire([entry(character, 0.2, [(text[:40], 0.1)]) for character in text[:400]])
    Page(shown(text[:400], made))


def test_titles_are_given_to_the_least_certain_as_far_as_they_have_room():
    rivals = [(f"<{at}>&", 0.05) for at in range(5)]
    made = LogprobTable.from_wire([entry(" w", 0.9, rivals) for _ in range(4000)] + [entry(" last", 0.01, rivals)])
    html = shown(" w" * 4000 + " last", made)
    titles = sum(len(title) for title in re.findall(r' title="[^"]*"', html))
    assert TITLES_LIMIT * 0.9 < titles <= TITLES_LIMIT
    assert re.search(r'title="[^"]*"> last</span>', html)


def test_an_answer_of_600_tokens_with_its_tints_stays_under_200_kb():
    rivals = [(f" alternative{at}", 0.04) for at in range(19)]
    tokens = [entry(f" word{at}", 0.2, rivals) for at in range(600)]
    content = "".join(token["token"] for token in tokens)
    body = {"choices": [{"message": {"content": content}, "logprobs": {"content": tokens}}]}
    assert len(ChatCompletion.from_wire(body)._repr_mimebundle_()["text/html"].encode()) < 200_000


@pytest.mark.parametrize("logprob", [-0.01, -1.0, -2.5, -3.3, -9.0, -9999.0, None])
@pytest.mark.parametrize("rivals", [[], [0.3, 0.2], [0.005, 0.004]])
def test_a_token_has_the_same_class_while_it_streams_and_afterwards(logprob, rivals):
    tops = [{"token": f"r{at}", "logprob": math.log(share)} for at, share in enumerate(rivals)]
    one = {"token": "a", "bytes": [97], "logprob": logprob, "top_logprobs": tops}
    after = int(classes(LogprobTable.from_wire([one]))[0])
    if logprob == -9999.0 and not rivals:
        assert (class_of(one), after) == (4, -1)  # nothing at all is known of it
    else:
        assert class_of(one) == max(after, 0)


def test_each_choice_has_its_own_tints_and_bars_and_the_legend_what_occurs_in_the_reasoning_too():
    def choice(index, word, p, **more):
        return {"index": index, "message": {"content": word, **more},
                "logprobs": {"content": [entry(word, p, [("x", 0.04)])]}}  # fmt: skip

    first = choice(0, "one", 0.9, reasoning_content="hm")
    first["logprobs"]["reasoning_content"] = [entry("hm", 0.001)]
    answer = ChatCompletion.from_wire({"choices": [first, choice(1, "two", 0.2)]})
    html = answer._repr_mimebundle_()["text/html"]
    first_html, second_html = html.split("Choice 2 of 2")
    assert "two" in words(second_html) and "20.0 %" in second_html and "90.0 %" in first_html
    assert "≥ 7" in words(first_html)  # the reasoning's class, in the legend
