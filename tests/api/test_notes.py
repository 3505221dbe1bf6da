"""What has no effect, and how it is said under an answer."""

import pytest

from ds_magic import ChatCompletion, ChatRequest
from ds_magic.api.addresses import DEEPSEEK, EMBEDDED
from ds_magic.api.completion_request import CompletionRequest
from ds_magic.api.notes import without_effect

EVERYTHING = {
    "temperature": 0.5, "top_p": 0.5, "frequency_penalty": 1.0, "presence_penalty": 1.0, "seed": 1,
    "reasoning_effort": "high",
}
PENALTIES = {"frequency_penalty": 1.0, "presence_penalty": 1.0}
FLASH = {"backend": DEEPSEEK, "model": "deepseek-flash"}
OFF = {"thinking": False}


def notes(backend="elsewhere:1", model="m", reasoning=None, used=None, **fields):
    message = {"content": "Hi", "reasoning_content": reasoning}
    body = {"model": model, "choices": [{"message": message}], **({"provenance": used} if used else {})}
    request = ChatRequest.build("Hi", model=model, **fields)
    return without_effect(ChatCompletion.from_wire(body, request=request, backend=backend))


def test_what_counts_is_no_matter_for_a_note():
    assert notes(**EVERYTHING) == [] and notes(temperature=0.0, max_tokens=5) == []


@pytest.mark.parametrize("where", [
    {"backend": EMBEDDED, "model": "smollm2-135m-instruct"}, {"model": "deepseek-reasoner"},
])
def test_while_it_thought_it_was_not_drawn_as_asked(where):
    assert notes(reasoning="Hm.", **where, **EVERYTHING) == [
        "temperature, top_p, frequency_penalty, presence_penalty: ignored while the model thinks; "
        "`--no-thinking` makes it count."
    ]


def test_of_models_of_another_make_nobody_knows_what_counts_while_they_think():
    assert notes(reasoning="Hm.", **EVERYTHING) == []


def test_at_temperature_0_nothing_is_drawn():
    said = "no effect at temperature 0, where nothing is drawn; a temperature above 0 makes it count."
    assert notes(temperature=0.0, top_p=0.5, seed=1) == [f"top_p, seed: {said}"]
    thought = notes(reasoning="Hm.", model="deepseek-reasoner", temperature=0.0, seed=1)
    assert len(thought) == 1, "a thought is drawn, whatever the temperature"


def test_no_effort_counts_while_thinking_is_off():
    said = ["reasoning_effort: no effect while thinking is off; `--thinking` makes it count."]
    assert notes(thinking=False, reasoning_effort="max") == said
    assert notes(thinking=False, reasoning_effort="none") == [], "which says the same"


@pytest.mark.parametrize(("asked", "reasoning", "passed_over"), [
    ({"temperature": 0.5}, "Hm.", "temperature: ignored while the model thinks; `--no-thinking` makes it count."),
    ({"temperature": 0.5, **OFF}, None, ""),
    ({"temperature": 0.5}, None, "temperature: ignored while the model thinks; `--no-thinking` makes it count."),
    ({"temperature": 0.5, "reasoning_effort": "none"}, None, ""),
    ({"top_p": 0.5}, "Hm.", "top_p: raised to 0.95 while the model thinks; from 0.95 on it counts."),
    ({"top_p": 0.95}, "Hm.", ""),
    ({"top_p": 0.99, **OFF}, None, "top_p: DeepSeek's models keep it at 1 where they do not think; with `--thinking` "
     "it counts, from 0.95 on."),
    (PENALTIES, "Hm.", "frequency_penalty, presence_penalty: DeepSeek's models take no account of it any more; with "
     "the model on this machine (`--local`) it counts."),
    ({"presence_penalty": 1.0, **OFF}, None, "presence_penalty: DeepSeek's models take no account of it any more; "
     "with the model on this machine (`--local`) it counts."),
])
def test_todays_models_of_deepseek_take_less(asked, reasoning, passed_over):
    """One that may think, and has thought of nothing, has thought all the same."""
    assert notes(**FLASH, reasoning=reasoning, **asked) == ([passed_over] if passed_over else [])


def test_of_filling_gaps_it_is_not_known_what_counts():
    request = CompletionRequest.of("a", "b", model="deepseek-flash", temperature=0.5, top_p=0.5, presence_penalty=1.0)
    body = {"model": "deepseek-flash", "choices": [{"message": {"content": "Hi"}}]}
    assert without_effect(ChatCompletion.from_wire(body, request=request, backend=DEEPSEEK)) == []


def test_a_retired_model_of_deepseek_is_none_of_todays():
    assert notes(DEEPSEEK, "deepseek-chat", **EVERYTHING) == []


@pytest.mark.parametrize(("asked", "used", "passed_over"), [
    ({"temperature": 0.5}, {"temperature": 0.5}, []),
    ({"temperature": 0.5}, {"temperature": 0.6}, ["temperature"]),
    ({"top_p": 0.5, **OFF}, {"top_p": 0.5}, []),
    ({"seed": 1, **OFF, "temperature": 0.0}, {"seed": 1, "temperature": 0.0}, ["seed"]),
    ({"presence_penalty": 1.0, **OFF}, {"presence_penalty": 1.0}, []),
])
def test_a_server_that_says_with_what_it_drew_is_believed(asked, used, passed_over):
    """Also where it thought of nothing: with another temperature than was asked for."""
    found = notes(model="deepseek-flash", used=used, **asked)
    assert [note.partition(":")[0] for note in found] == passed_over
    assert all("ignored while" in note for note in found if note.startswith("temperature"))
    found = notes(model="deepseek-flash", reasoning=None if "thinking" in asked else "Hm.", used=used, **asked)
    assert [note.partition(":")[0] for note in found] == passed_over
