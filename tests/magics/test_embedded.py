"""Cells answered by the embedded model."""

import pytest


@pytest.fixture
def embedded(local_server, shell, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_BASE_URL", local_server.base_url)
    monkeypatch.setenv("DEEPSEEK_API_KEY", local_server.api_key)
    return shell


def test_a_cell_is_answered_with_probabilities(embedded):
    embedded.run_cell(
        '%%deepseek -t 0 -l 5 --max-tokens 3 --prefix "The capital of Australia is" -o answer\n'
        "What is the capital of Australia?"
    ).raise_error()
    answer = embedded.user_ns["answer"]
    assert "Canberra" in answer.content
    assert len(answer.logprobs) == answer.usage.completion_tokens
    assert answer.usage.prompt_tokens > 0


def test_the_servers_own_model_answers_where_none_was_named(embedded, local_server):
    embedded.run_cell("x = %deepseek --max-tokens 2 Hi").raise_error()
    assert embedded.user_ns["x"].model == local_server.model


def test_a_model_that_the_user_named_is_never_replaced(embedded, capsys, local_server):
    result = embedded.run_cell("%deepseek -m no-such-model Hi")
    assert type(result.error_in_exec).__name__ == "InvalidRequestError"
    assert local_server.model in capsys.readouterr().out
