"""What has no effect, and how it is said under an answer."""

import pytest

from ds_magic import ChatCompletion, ChatRequest
from ds_magic.api.notes import without_effect

EVERYTHING = {
    "temperature": 0.5, "top_p": 0.5, "frequency_penalty": 1.0, "presence_penalty": 1.0, "seed": 1,
    "reasoning_effort": "high",
}


def notes(backend="elsewhere:1", model="m", reasoning=None, **fields):
    message = {"content": "Hi", "reasoning_content": reasoning}
    request = ChatRequest.build("Hi", **fields)
    body = {"model": model, "choices": [{"message": message}]}
    return without_effect(ChatCompletion.from_wire(body, request=request, backend=backend))


def test_what_counts_is_no_matter_for_a_note():
    assert notes(**EVERYTHING) == [] and notes(temperature=0.0, max_tokens=5) == []


def test_while_it_thought_it_was_not_drawn_as_asked():
    assert notes(reasoning="Hm.", **EVERYTHING) == [
        "temperature, top_p, frequency_penalty, presence_penalty: ignored while the model thinks; "
        "`--no-thinking` makes it count."
    ]


def test_at_temperature_0_nothing_is_drawn():
    assert notes(temperature=0.0, top_p=0.5, seed=1) == [
        "top_p, seed: no effect at temperature 0, where nothing is drawn."
    ]
    assert len(notes(reasoning="Hm.", temperature=0.0, seed=1)) == 1, "a thought is drawn, whatever the temperature"


def test_no_effort_counts_while_thinking_is_off():
    assert notes(thinking=False, reasoning_effort="max") == ["reasoning_effort: no effect while thinking is off."]


@pytest.mark.parametrize(("model", "reasoning", "said"), [
    ("deepseek-flash", None, ["top_p", "frequency_penalty, presence_penalty"]),
    ("deepseek-flash", "Hm.", ["temperature, top_p", "frequency_penalty, presence_penalty"]),
    ("deepseek-chat", None, []),
])
def test_todays_models_of_deepseek_take_less(model, reasoning, said):
    found = notes("DeepSeek", model, reasoning, **EVERYTHING)
    assert sorted(note.partition(":")[0] for note in found) == sorted(said)
