"""Cells answered by the embedded model."""

import pytest

pytestmark = pytest.mark.model


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


def test_a_gap_is_filled_with_probabilities_by_the_model_on_this_machine(embedded):
    embedded.run_cell(
        '%%deepseek --suffix " and it is a large city." -t 0 -l 5 --max-tokens 8 -o filled\nThe capital of France is'
    ).raise_error()
    filled = embedded.user_ns["filled"]
    assert "Paris" in filled.content and filled.request.suffix == " and it is a large city."
    assert filled.logprobs.n_alternatives.tolist() == [5] * len(filled.logprobs)
    assert filled.usage.completion_tokens >= len(filled.logprobs) > 0
    branch = filled.fork(0, " Lyon")
    assert branch.content.startswith(" Lyon") and branch.request.suffix == filled.request.suffix


@pytest.mark.parametrize(("line", "passed_over"), [
    ("-t 1 --top-p 0.97 --presence-penalty 1 --thinking", ["temperature, top_p, presence_penalty"]),
    ("-t 1 --top-p 0.5 --presence-penalty 1", []), ("-t 1 --seed 3 -m deepseek-flash", []),
    ("-t 0 --top-p 0.5 --seed 3", ["top_p, seed"]), ("-t 1 -m deepseek-reasoner", ["temperature"]),
])
def test_what_had_no_effect_with_the_model_on_this_machine_is_named_and_what_counted_is_not(
    line, passed_over, embedded
):
    embedded.run_cell(f"x = %deepseek {line} --max-tokens 8 Name a colour.").raise_error()
    notes = [note for note in embedded.user_ns["x"].notes if "effect" in note or "ignored" in note]
    assert [note.partition(":")[0] for note in notes] == passed_over


def test_the_servers_own_model_answers_where_none_was_named(embedded, local_server):
    embedded.run_cell("x = %deepseek --max-tokens 2 Hi").raise_error()
    assert embedded.user_ns["x"].model == local_server.model


def test_a_model_that_the_user_named_is_never_replaced(embedded, capsys, local_server):
    result = embedded.run_cell("%deepseek -m no-such-model Hi")
    assert type(result.error_in_exec).__name__ == "InvalidRequestError"
    assert local_server.model in capsys.readouterr().out


ADD = '''
def add(a: int, b: int) -> int:
    "Add two whole numbers."
    return a + b
'''


@pytest.fixture
def own(shell, monkeypatch):
    """A shell that starts the embedded server of its own accord, as one without a key does."""
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    return shell


def test_without_a_key_the_model_on_this_machine_answers(own):
    own.run_cell("x = %deepseek --max-tokens 2 Hi").raise_error()
    assert own.user_ns["x"].backend == "embedded model"


def test_local_answers_here_whatever_key_is_set(own, monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    own.run_cell("x = %deepseek --local --max-tokens 2 Hi").raise_error()
    assert own.user_ns["x"].backend == "embedded model"


def test_the_model_calls_a_function_and_answers_with_what_it_gave(own):
    own.run_cell(ADD)
    own.run_cell("%%deepseek --tools add --tool-choice add -t 0 --max-tokens 40\nWhat is 1234 plus 4321?").raise_error()
    answer = own.user_ns["_ds"]
    assert [call.result for call in answer.rounds[0].calls] == ["5555"]
    assert "5555" in answer.content


def test_an_answer_is_an_object_and_the_schema_goes_out_as_such(own):
    own.run_cell("%%deepseek --schema list[int] -t 0 --max-tokens 60 -o numbers\nCount from 1 to 5.").raise_error()
    numbers = own.user_ns["numbers"]
    assert all(isinstance(number, int) for number in numbers.parsed) and numbers.parsed
    assert numbers.request.response_format.type == "json_schema"


def test_json_mode_gives_an_object(own):
    own.run_cell("x = %deepseek --json -t 0 --max-tokens 40 Ada is 36. Name and age as JSON.").raise_error()
    assert isinstance(own.user_ns["x"].parsed, dict)


def test_thinking_is_kept_beside_the_answer_and_can_be_begun(own):
    own.run_cell("%%deepseek -m deepseek-reasoner --max-tokens 60 -o thought\nWhat is 3 + 4?").raise_error()
    assert own.user_ns["thought"].reasoning_content and own.user_ns["thought"].usage.reasoning_tokens
    own.run_cell(
        '%%deepseek --thinking --max-tokens 40 -o begun\nWhat is 3 + 4?\n'
        '@assistant prefix reasoning="3 + 4 = 7."\nThe sum is'
    ).raise_error()
    assert own.user_ns["begun"].text.startswith("The sum is")


def test_a_conversation_is_cached_by_the_server(own):
    own.run_cell("%%deepseek --chat lesson -t 0 --max-tokens 20\nWhat is the capital of Italy?").raise_error()
    own.run_cell("%%deepseek --chat lesson -t 0 --max-tokens 20\nAnd of Germany?").raise_error()
    own.run_cell("lesson = %ds_chats lesson").raise_error()
    prompt, cached, _ = own.user_ns["lesson"].turns[1].tokens
    assert 0 < cached < prompt
