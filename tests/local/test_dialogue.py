"""What of a conversation is put into words for a model that knows three roles."""

import pytest

from ds_magic import AssistantMessage, SystemMessage, UserMessage
from ds_magic.api.messages import FunctionCall, ToolCall
from ds_magic.local.answers.dialogue import turns

CALL = ToolCall(id="c", function=FunctionCall(name="add", arguments="{}"))


def test_who_speaks_reaches_the_model():
    said = turns([
        SystemMessage(content="Be brief.", name="host"), UserMessage(content="Hi", name="ada"),
        AssistantMessage(content="Hello", name="bot"), AssistantMessage(name="bot", tool_calls=[CALL]),
        UserMessage(content="Bye"),
    ])
    assert said == [
        ("system", "host: Be brief."), ("user", "ada: Hi"), ("assistant", "bot: Hello"),
        ("assistant", "bot: I call add."), ("user", "Bye"),
    ]


@pytest.mark.parametrize("role", ["user", "system"])
def test_a_name_makes_another_prompt_for_the_embedded_model(role, api):
    def size(**named):
        messages = [{"role": role, "content": "Hi", **named}, {"role": "user", "content": "Who spoke?"}]
        return api.chat(messages=messages, max_tokens=1)["usage"]["prompt_tokens"]

    assert size() < size(name="ada")
