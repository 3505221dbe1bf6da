import pytest

from ds_magic.api.errors import InvalidRequestError
from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from ds_magic.api.usage import Timing
from ds_magic.views.answer.static import error_bundle, mimebundle, to_html, to_markdown, to_text, unfinished_bundle
from tests.views.making import HOSTILE, Page, completion, prefixed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_makes_no_markup_wherever_it_stands(text):
    made = completion(text, reasoning=text, calls=[(text, text)], finish=text, notes=[text], interruption=text)
    made.model = text
    made._backend = text
    page = Page(to_html(made))
    assert "script" not in page.tags
    to_text(made).encode()
    to_markdown(made).encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_and_markdown_hold_no_control_characters(text):
    made = completion(text, reasoning=text, calls=[(text, text)], finish=text, notes=[text])
    for kind in ("text/plain", "text/markdown"):
        assert not [character for character in mimebundle(made)[kind] if ord(character) < 32 and character != "\n"]


def test_an_error_and_what_to_do_are_two_sentences_and_a_command_is_code():
    bundle = error_bundle(InvalidRequestError("<b> is wrong", remedy="Try `%ds_login`."))
    assert Page(bundle["text/html"]).text == "■ <b> is wrong→ Try %ds_login."
    assert bundle["text/plain"] == "<b> is wrong\n→ Try `%ds_login`."


def test_the_last_line_says_where_it_ran():
    assert "embedded model" in Page(to_html(completion())).text


def test_the_figures_are_on_one_line():
    usage = {
        "prompt_tokens": 1234,
        "completion_tokens": 56,
        "prompt_cache_hit_tokens": 1024,
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    line = "1,234 tokens in (1,024 cached) · 56 out (40 reasoning) · first after 0.42 s · 61.3 tokens/s"
    assert line in Page(to_html(completion(usage=usage))).text
    assert line in to_text(completion(usage=usage))


def test_figures_that_nobody_gave_are_left_out():
    made = completion(usage={"completion_tokens": None}, timing=Timing(None, 2.0))
    text = Page(to_html(made)).text
    assert "None" not in text
    assert "tokens" not in text


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        ("length", "cut off at 56 tokens, the server's own limit: --max-tokens asks for more"),
        ("content_filter", "content filter"),
        ("tool_calls", "called a tool"),
        ("insufficient_system_resource", "the server ran out of resources"),
        ("a_new_reason", "a_new_reason"),
    ],
)
def test_a_finish_other_than_stop_is_said_in_words(finish, words):
    assert words in Page(to_html(completion(finish=finish))).text
    assert words in to_text(completion(finish=finish))


def test_that_it_ended_by_itself_is_small_print():
    assert "61.3 tokens/s · stop" in Page(to_html(completion())).text
    assert "■" not in Page(to_html(completion())).text


def test_a_cut_names_the_limit_that_was_asked_for():
    made = completion(finish="length", request=ChatRequest.build("q", max_tokens=20))
    assert "cut off at max_tokens = 20" in to_text(made)


@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "text/plain"])
def test_an_interruption_is_visible_in_every_form(kind):
    assert "stopped: this answer is partial" in mimebundle(completion(interruption="stopped", finish=None))[kind]


def test_reasoning_is_folded_and_shown_as_it_is():
    page = Page(to_html(completion(reasoning="I *think* $x$"), thinking_seconds=12.2))
    assert "details" in page.tags
    assert "Thought for 12 s" in page.text
    assert "I *think* $x$" in page.text
    assert page.formulas == []


def test_reasoning_without_a_known_time_is_called_reasoning():
    assert "Reasoning" in Page(to_html(completion(reasoning="hm"))).text


def test_a_prefix_and_its_continuation_are_one_text_told_apart():
    html = to_html(completion(" Canberra.", request=prefixed("The **capital** is")))
    page = Page(html)
    assert "The capital is Canberra." in page.text
    marked = html.split("given as the prefix")
    assert len(marked) == 4, "each run of the prefix is marked"
    assert "Canberra" not in "".join(part.split("</span>")[0] for part in marked[1:])
    assert "The **capital** is Canberra." in to_text(completion(" Canberra.", request=prefixed("The **capital** is")))


def test_tool_calls_show_name_and_arguments():
    page = Page(to_html(completion(None, calls=[("get_weather", '{"city": "Łódź"}')], finish="tool_calls")))
    assert "get_weather" in page.text
    assert '"city": "Łódź"' in page.text
    assert "empty" not in page.text


def test_arguments_that_are_no_json_are_shown_as_they_came():
    page = Page(to_html(completion(None, calls=[("f", '{"a": ')])))
    assert '{"a": ' in page.text
    assert "no valid JSON" in page.text


def test_every_choice_is_shown():
    body = {"choices": [{"index": at, "message": {"content": f"word{at}"}} for at in range(3)]}
    made = ChatCompletion.from_wire(body, request=ChatRequest.build("q"))
    for text in (Page(to_html(made)).text, to_text(made)):
        assert all(f"word{at}" in text and f"Choice {at + 1} of 3" in text for at in range(3))


def test_the_words_before_the_first_token_are_the_prefix():
    tops = [{"token": " Canberra", "logprob": -0.5}, {"token": " Sydney", "logprob": -1.2}]
    entry = {"token": " Canberra", "logprob": -0.5, "bytes": None, "top_logprobs": tops}
    body = {"choices": [{"message": {"content": " Canberra"}, "logprobs": {"content": [entry]}}]}
    made = ChatCompletion.from_wire(body, request=ChatRequest.build("q", prefix="The capital of Australia is"))
    assert "Australia is [·Canberra]" in to_text(made)
    assert " ".join(Page(to_html(made)).text.split()).count("Australia is ·Canberra surprise") == 1


def test_probabilities_stand_under_the_choice_that_they_are_of():
    tops = [{"token": "Yes", "logprob": -1.0}, {"token": "No", "logprob": -1.2}]
    body = {"choices": [{"index": at, "message": {"content": one["token"]}, "logprobs": {"content": [
        {**one, "bytes": None, "top_logprobs": tops[at : at + 1]}]}} for at, one in enumerate(tops)]}  # fmt: skip
    made = ChatCompletion.from_wire(body)
    for text in (Page(to_html(made)).text, to_text(made), to_markdown(made)):
        assert text.count("36.8 %") == text.count("30.1 %") == 1
        assert text.index("Choice 1") < text.index("36.8 %") < text.index("Choice 2") < text.index("30.1 %")


@pytest.mark.parametrize("content", ["", None])
def test_an_empty_answer_says_that_it_is_empty(content):
    assert "The answer is empty." in Page(to_html(completion(content))).text
    assert "The answer is empty." in to_text(completion(content))


def test_a_completion_without_choices_is_shown():
    assert "The answer is empty." in Page(to_html(ChatCompletion.from_wire({}))).text


def test_notes_are_shown():
    assert "Note: temperature is ignored" in to_text(completion(notes=["temperature is ignored"]))


def test_json_mode_is_shown_as_code():
    request = ChatRequest.build("json", response_format={"type": "json_object"})
    page = Page(to_html(completion('{"a": "*b*"}', request=request)))
    assert "pre" in page.tags
    assert '{"a": "*b*"}' in page.text


def test_only_the_formulas_of_an_answer_are_typeset():
    page = Page(to_html(completion("$a$ and $5", reasoning="$b$", calls=[("f", '"$c$"')], notes=["$d$"])))
    assert page.formulas == [r"\(a\)"]
    assert to_html(completion()).startswith('<div class="mathjax_ignore tex2jax_ignore"')


def test_a_functions_name_has_no_markup_in_plain_text():
    made = completion("", calls=[("get_weather", "{}")])
    assert "calls get_weather:" in to_text(made) and r"calls get\_weather:" in to_markdown(made)


def test_an_answer_of_white_space_says_so():
    made = completion(" \n\t ")
    assert "only white space" in to_text(made) and "only white space" in Page(to_html(made)).text


def test_overrides_of_direction_are_named_in_plain_text():
    assert "\u202e" not in to_text(completion("a\u202eb")) and "⟨U+202E⟩" in to_text(completion("a\u202eb"))


def test_what_is_kept_of_an_answer_has_paragraphs_as_the_answer_will():
    kept = unfinished_bundle("b", "m", "", "One,\nand so on.\n \n\n  Two & a half.\n", "mark")["text/html"]
    assert '<p dir="auto">One,\nand so on.</p><p dir="auto">  Two &amp; a half.</p>' in kept
