"""What other people's clients send and expect."""

from __future__ import annotations

import pytest

NOTE = {"type": "text", "text": "The secret word is "}
WORD = {"type": "text", "text": "heliotrope."}


def size(api, *messages) -> int:
    """How many tokens the model is given for `messages`."""
    response = api.post({"model": api.model, "messages": list(messages), "max_tokens": 1})
    assert response.status_code == 200, response.text
    return response.json()["usage"]["prompt_tokens"]


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_a_content_in_parts_is_read_as_one_text(api, role):
    before = [{"role": "user", "content": "Look."}]
    named = {}
    if role == "tool":
        before += [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
        named = {"tool_call_id": "c"}
    whole = size(api, *before, {"role": role, "content": NOTE["text"] + WORD["text"], **named})
    assert size(api, *before, {"role": role, "content": [NOTE, WORD], **named}) == whole
    assert size(api, *before, {"role": role, "content": [NOTE], **named}) < whole


def test_a_part_that_is_no_text_is_refused_by_its_name(refused):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    error = refused(messages=[{"role": "user", "content": [NOTE, picture]}])
    assert (error["status"], error["param"]) == (422, "messages[0].content")
    assert "it has a part of type 'image_url', and only parts of type 'text' can be read" in error["message"]


@pytest.mark.parametrize("part", [{"type": "text"}, {"type": "text", "text": None}, {}, None, "text", {"type": []}])
def test_a_part_without_a_text_is_refused(refused, part):
    error = refused(messages=[{"role": "user", "content": [part]}])
    assert (error["status"], error["param"]) == (422, "messages[0].content")


def test_a_developer_is_taken_for_the_system(api):
    question = {"role": "user", "content": "Hi"}
    system, developer = (
        size(api, {"role": role, "content": "Be brief."}, question) for role in ("system", "developer")
    )
    user = size(api, {"role": "user", "content": "Be brief."}, question)
    assert developer == system != user


@pytest.mark.parametrize("body", [{"model": None}, {}])
def test_a_model_has_to_be_named(api, body):
    response = api.post({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, **body})
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (422, "model")
    assert "deepseek-chat" in error["message"]


@pytest.mark.parametrize("prefix", ["", "/v1", "/beta"])
def test_each_model_can_be_looked_up(api, prefix):
    for listed in api.get(f"{prefix}/models").json()["data"]:
        assert api.get(f"{prefix}/models/{listed['id']}").json() == listed


def test_a_name_that_is_answered_can_be_looked_up_though_it_is_not_listed(todays):
    found = todays.get("/models/deepseek-v4-flash").json()
    assert (found["id"], found["object"]) == ("deepseek-v4-flash", "model")
    assert found["context_window"] == 4096


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/models/gpt-4", 404), ("GET", "/v1/models/gpt-4", 404), ("DELETE", "/models/deepseek-chat", 405),
    ("HEAD", "/models/deepseek-chat", 405),
])
def test_a_model_that_is_not_there_or_cannot_be_changed_is_refused(api, method, path, status):
    response = api.session.request(method, api.base_url + path)
    assert response.status_code == status
    if method != "HEAD":
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert status != 404 or "'gpt-4'" in error["message"] and "deepseek-chat" in error["message"]
