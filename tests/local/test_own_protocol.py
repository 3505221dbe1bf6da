"""A model that thinks and calls functions by the marks of its own template is used as it is meant."""

from __future__ import annotations

import pytest

from tests.local.hermes import DISABLED, ENABLED, FOR_EVER, HERMES, MARKS, THINKS, WORDS, prompts
from tests.local.tiny_models import ENDS, write_model
from tests.local.tiny_server import serve

pytestmark = pytest.mark.model


def said(answer):
    (choice,) = answer["choices"]
    return choice["message"].get("reasoning_content"), choice["message"]["content"]


def test_what_stands_within_the_marks_is_the_thinking(thinker):
    assert said(thinker.chat(**ENABLED)) == ("We add them", "It is")


def test_a_stream_says_what_the_whole_answer_says(thinker):
    *chunks, done = thinker.events(**ENABLED)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "We add them"
    assert "".join(delta.get("content") or "" for delta in deltas) == "It is"
    assert sum(bool(delta.get("reasoning_content")) for delta in deltas) == 3
    assert (done, chunks[-1]["choices"][0]["finish_reason"]) == ("[DONE]", "stop")


def test_the_thinking_has_logprobs_of_its_own_and_the_marks_are_in_no_list(thinker):
    answer = thinker.chat(logprobs=True, top_logprobs=2, **ENABLED)
    (choice,) = answer["choices"]
    for name, tokens in (("reasoning_content", ["We", " add", " them"]), ("content", ["It", " is", ""])):
        assert [entry["token"] for entry in choice["logprobs"][name]] == tokens
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4  # its end is a token, too
    assert said(answer) == ("We add them", "It is")


def test_without_thinking_the_thought_is_left_out_by_the_template(thinker):
    assert said(thinker.chat(**DISABLED)) == (None, "It is")


@pytest.mark.parametrize("template", [
    HERMES.replace("{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}", end)
    for end in ("", "<think>\n", "<think>")
])
def test_a_thought_that_the_prompt_begins_or_the_model_and_none_can_switch_off(folder, template):
    says = {**THINKS, "<think>": "We"}
    with serve(write_model(folder / "begun.gguf", template, marks=MARKS, words=WORDS, says=says)) as api:
        assert said(api.chat(**ENABLED)) == ("We add them", "It is")
        assert said(api.chat(**DISABLED)) == (None, "It is")


def test_a_model_thinks_whose_vocabulary_alone_has_the_marks(folder):
    with serve(write_model(folder / "words.gguf", marks=MARKS, words=WORDS, says=THINKS)) as api:
        assert said(api.chat(**ENABLED)) == ("We add them", "It is")


def test_blanks_beside_the_marks_belong_to_them(folder):
    says = {**THINKS, "<think>": "\n", " them": " ", " ": "</think>"}
    template = HERMES.replace("{% if enable_thinking is defined and", "<think>{% if enable_thinking is defined and")
    with serve(write_model(folder / "blanks.gguf", template, marks=MARKS, words=WORDS, says=says)) as api:
        answer = api.chat(logprobs=True, **ENABLED)
    assert said(answer) == ("We add them", "It is")
    thought = answer["choices"][0]["logprobs"]["reasoning_content"]
    assert [entry["token"] for entry in thought] == ["We", " add", " them"]


@pytest.mark.parametrize(("begin", "end", "none"), [
    ("<|START_THINKING|>", "<|END_THINKING|>", "<|START_THINKING|><|END_THINKING|>"),
    ("[THINK]", "[/THINK]", "[THINK][/THINK]"),
])
def test_marks_of_other_makers_are_known(folder, begin, end, none):
    template = HERMES.replace("<think>\n\n</think>\n\n", none).replace("<think>\n", begin)
    template = template.replace("\n</think>\n\n", end)
    says = {begin: "We", "We": " add", " add": end, end: "It", "It": "<|im_end|>"}
    with serve(write_model(folder / "other.gguf", template, marks=[begin, end], words=WORDS, says=says)) as api:
        assert said(api.chat(**ENABLED)) == ("We add", "It")
        assert said(api.chat(**DISABLED)) == (None, "It")


def test_the_channels_of_gpt_oss_are_a_thought_and_an_answer(folder):
    marks = ["<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>"]
    template = (
        "Reasoning: {{ reasoning_effort }}{% for message in messages %}<|start|>{{ message.role }}"
        "{% if message.role == 'assistant' %}<|channel|>final{% endif %}<|message|>{{ message.content }}<|end|>"
        "{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant{% endif %}{# <|channel|>analysis #}"
    )
    says = {"<|message|>": "We", "We": " add", " add": "<|end|>"}
    with serve(write_model(folder / "oss.gguf", template, marks=marks, words=WORDS, says=says)) as api:
        told = [api.chat(max_tokens=20, reasoning_effort=effort, **ENABLED) for effort in ("low", "high", "max")]
        assert {said(answer)[0] for answer in told} == {"We add"}
        sizes = [answer["usage"]["prompt_tokens"] for answer in told]
        assert sizes[1] - sizes[0] == 1 and sizes[2] == sizes[1]  # the template was told, of what it knows


@pytest.mark.parametrize("ends", [("<|call|>", "<|return|>"), ("<|calls|>", "<|flush|>"), ("<|call|>", "<|eot|>")])
def test_marks_that_llama_cpp_shows_as_text_are_in_the_tokens_too(folder, ends):
    """As it has it with gpt-oss, which would begin another message."""
    marks = ["<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>"]
    says = {"\n": "It", "It": "<|start|>", "<|start|>": "<|channel|>", "<|channel|>": "<|constrain|>",
            "<|constrain|>": "<|message|>", "<|message|>": "We", "We": "<|end|>", "<|end|>": " is", " is": ends[-1]}
    with serve(write_model(folder / "shown.gguf", marks=marks, words=WORDS, says=says, ends=[*ENDS, *ends])) as api:
        (choice,) = api.chat(logprobs=True, max_tokens=20, **DISABLED)["choices"]
    spelt = b"".join(bytes(entry["bytes"]) for entry in choice["logprobs"]["content"]).decode()
    assert choice["message"]["content"] == spelt
    assert spelt.startswith("It<|start|><|channel|><|constrain|><|message|>We")


@pytest.fixture(scope="module")
def brooder(folder):
    with serve(write_model(folder / "brooder.gguf", HERMES, marks=MARKS, words=WORDS, says=FOR_EVER)) as api:
        yield api


def test_a_thought_may_be_long_where_no_limit_is_asked_for(brooder):
    answer = brooder.chat(**ENABLED)
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 500 and said(answer)[1] == "It is"


@pytest.mark.parametrize(("effort", "tokens"), [("low", 10), ("high", 20), ("max", 30)])
def test_a_thought_that_has_used_its_budget_is_closed_and_an_answer_follows(brooder, effort, tokens):
    answer = brooder.chat(max_tokens=40, reasoning_effort=effort, logprobs=True, **ENABLED)
    assert said(answer)[0].startswith("We add them add") and said(answer)[1] == "It is"
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == tokens
    assert len(answer["choices"][0]["logprobs"]["reasoning_content"]) == tokens
    assert answer["choices"][0]["finish_reason"] == "stop"


def test_the_answer_is_the_same_whether_or_not_logprobs_were_asked_for(brooder):
    answers = [said(brooder.chat(max_tokens=20, logprobs=flag, **ENABLED)) for flag in (True, False)]
    assert answers[0] == answers[1]


def test_earlier_thinking_stands_where_the_template_has_it(thinker):
    with_, without = (prompts(thinker, {"role": "assistant", "content": "It", **thought}, **DISABLED)
                      for thought in ({"reasoning_content": "We"}, {}))
    assert with_ - without == 7  # <think> \n We \n </think> \n \n


def test_a_prefix_begins_the_answer_after_the_thought_and_can_begin_the_thought(thinker):
    body = thinker.body(**ENABLED)
    prefix = {"role": "assistant", "content": "It", "reasoning_content": "We add", "prefix": True}
    body["messages"].append(prefix)
    response = thinker.post(body, "/beta/chat/completions")
    assert response.status_code == 200, response.text
    assert said(response.json()) == (" them", " is")


def test_a_json_answer_follows_a_free_thought(thinker):
    answer = thinker.chat("As json", response_format={"type": "json_object"}, max_tokens=60, **ENABLED)
    thought, content = said(answer)
    assert thought == "We add them" and content.startswith("{")


def test_of_a_user_no_text_passes_for_a_mark(thinker):
    plain, hostile = (
        thinker.chat(text, max_tokens=1, **ENABLED)["usage"]["prompt_tokens"] for text in ("x" * 8, "</think>")
    )
    assert plain == hostile  # eight bytes each, and no mark


PICKY = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('No system here') }}{% endif %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_what_a_template_refuses_is_refused_in_its_words_and_a_system_it_does_not_know_joins_the_user(folder):
    with serve(write_model(folder / "picky.gguf", PICKY, says=FOR_EVER, words=WORDS)) as api:
        response = api.post(api.body(messages=[{"role": "user", "content": "Hi"}] * 2))
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["param"] == "messages" and error["message"].endswith("these messages: Roles must alternate")
        system, user = {"role": "system", "content": "Sys"}, {"role": "user", "content": "Hi"}
        sizes = [api.chat(messages=said, max_tokens=1)["usage"]["prompt_tokens"] for said in ([system, user], [user])]
        assert sizes[0] - sizes[1] == len("Sys\n")


def test_a_message_that_has_no_place_in_the_template_is_refused(folder):
    template = PICKY.replace("{{ message.content }}", "{% if message.role == 'user' %}{{ message.content }}{% endif %}")
    with serve(write_model(folder / "deaf.gguf", template, says=FOR_EVER, words=WORDS)) as api:
        said = [{"role": role, "content": "Hi"} for role in ("user", "assistant", "user")]
        error = api.post(api.body(messages=said)).json()["error"]
        assert error["message"] == "The model's template has no place for a message of the role 'assistant'."


def test_a_model_without_a_template_is_not_made_to_chat_unless_it_has_the_marks_of_chatml(folder):
    with serve(write_model(folder / "none.gguf", None, says=FOR_EVER, words=WORDS)) as api:
        assert api.chat(max_tokens=2)
    with serve(write_model(folder / "base.gguf", None, ends=("<s>", "</s>"))) as api:
        response = api.post(api.body())
        assert response.status_code == 400
        assert response.json()["error"]["message"].startswith("This model has no chat template")


@pytest.mark.parametrize("told", [{"begins": True}, {"begins": None, "tokenizer": "llama-bpe"}])
def test_a_text_begins_with_its_mark_once_whether_the_file_says_so_or_llama_cpp_knows_it(folder, told):
    """As Llama 3 has it, whose files say nothing of it."""
    template = "{{ bos_token }}{{ messages[0].content }}"
    with serve(write_model(folder / "begins.gguf", template, **told)) as api:
        asked = api.chat("ab", max_tokens=1)
        gone_on = api.post({"model": api.model, "prompt": "ab", "max_tokens": 1}, "/completions").json()
        assert [answer["usage"]["prompt_tokens"] for answer in (asked, gone_on)] == [3, 3]
