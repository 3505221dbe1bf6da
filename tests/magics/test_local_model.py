"""`--local-model`: any model on this machine answers a cell."""

from __future__ import annotations

import os

import pytest

from ds_magic import backend
from ds_magic.local import launch
from ds_magic.magics.completer import completions
from ds_magic.magics.deepseek import DeepSeekMagics
from ds_magic.views.answer.facts import small_print
from tests.local.hermes import HERMES, MARKS, THINKS, WORDS
from tests.local.tiny_models import write_model
from tests.servers.hub import Hub


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """A hub with a model, and no other model anywhere; what a test has started ends with it."""
    for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    before = set(launch._servers)
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.commit = hub.put("ada/Tiny-GGUF", write_model(
            tmp_path / "tiny-Q4_K_M.gguf", HERMES, marks=MARKS, words=WORDS, says=THINKS
        ))
        yield hub
    for name in set(launch._servers) - before:
        launch._servers.pop(name).release()


@pytest.mark.model
def test_a_cell_is_answered_by_a_model_of_the_hub_which_thinks_by_its_own_template(shell, hub):
    shell.run_cell("%%deepseek --local-model hf:ada/Tiny-GGUF --thinking -l 3 -o answer\nHi").raise_error()
    answer = shell.user_ns["answer"]
    assert (answer.reasoning_content, answer.content) == ("We add them", "It is")
    assert "".join(token.text for token in answer.reasoning_logprobs) == "We add them"
    assert (answer.model, answer.backend) == ("tiny", "embedded model")
    assert answer.provenance.more.items() >= {"local_model": "hf:ada/Tiny-GGUF", "revision": hub.commit}.items()
    assert "tiny-Q4_K_M.gguf" in small_print(answer), "which of its files was taken is said under the answer"
    assert answer.as_cell().startswith("%%deepseek --local-model hf:ada/Tiny-GGUF ")
    assert answer.fork(1, " them").provenance.more["revision"] == hub.commit


@pytest.mark.model
@pytest.mark.parametrize("said", ["config", "environment"])
def test_what_is_set_says_which_model_local_means_and_not_that_it_answers(shell, hub, monkeypatch, said):
    if said == "config":
        shell.run_cell("%config DeepSeekMagics.local_model = 'hf:ada/Tiny-GGUF'").raise_error()
    else:
        monkeypatch.setenv("DS_MAGIC_LOCAL_MODEL", "hf:ada/Tiny-GGUF")
    shell.run_cell("%%deepseek --local --max-tokens 2 -o answer\nHi").raise_error()
    assert shell.user_ns["answer"].model == "tiny"
    shell.run_cell("d = %deepseek --dry-run Hi").raise_error()
    assert not any("on this machine" in note for note in shell.user_ns["d"].notes)
    monkeypatch.delenv("DEEPSEEK_BASE_URL")
    assert backend.resolve().chat("Hi", max_tokens=1).model == "tiny"


def test_what_was_set_is_forgotten_on_unload(bare_shell):
    from ds_magic.local.models.names import asked

    bare_shell.run_cell("%load_ext ds_magic").raise_error()
    bare_shell.run_cell("%config DeepSeekMagics.local_model = 'ollama:tiny'").raise_error()
    assert asked() == "ollama:tiny"
    bare_shell.run_cell("%unload_ext ds_magic").raise_error()
    assert asked() == ""


def test_a_dry_run_names_the_model_and_fetches_nothing(shell, hub):
    shell.run_cell("d = %deepseek --local-model hf:ada/Tiny-GGUF --dry-run Hi").raise_error()
    assert any(note.startswith("hf:ada/Tiny-GGUF, on this machine, would answer") for note in shell.user_ns["d"].notes)
    assert hub.requests == []


@pytest.mark.model
@pytest.mark.parametrize(("name", "said"), [
    ("hf:ada/nowhere", "has no repository ada/nowhere"),
    ("hf:ada", "names no model"),
    ("nowhere.gguf", "no such file"),
    ("ollama:tiny", "Ollama has no model tiny"),
])
def test_a_model_that_cannot_be_had_is_one_short_panel(shell, capsys, name, said):
    assert shell.run_cell(f"%%deepseek --local-model {name}\nHi").error_in_exec is not None
    panel = capsys.readouterr().out
    assert said in panel and "Traceback" not in panel and "Overloaded" not in panel
    assert len(panel.splitlines()) < 12


@pytest.mark.parametrize("other", ["--no-local", "--base-url http://127.0.0.1:9"])
def test_a_line_that_also_names_another_server_is_refused(shell, capsys, other):
    assert shell.run_cell(f"%%deepseek --local-model hf:ada/Tiny-GGUF {other}\nHi").error_in_exec is not None
    assert f"`{other.split()[0]}` another server" in " ".join(capsys.readouterr().out.replace("▌", " ").split())


def completed(shell, line):
    return completions(DeepSeekMagics.of(shell), line, 0, line)


@pytest.mark.parametrize("line", [
    "%%deepseek --local-model ", "%deepseek --local-model=", "%config DeepSeekMagics.local_model = '",
])
def test_tab_completes_the_models_on_this_machine_and_asks_nobody(shell, hub, tmp_path, monkeypatch, line):
    from ds_magic.local.models.obtain import obtained

    obtained("hf:ada/Tiny-GGUF")
    write_model(tmp_path / "mine.gguf")
    monkeypatch.chdir(tmp_path)
    asked = len(hub.requests)
    assert completed(shell, line)[1] == ["hf:ada/Tiny-GGUF/tiny-Q4_K_M.gguf", "mine.gguf", "tiny-Q4_K_M.gguf"]
    assert completed(shell, f"{line}hf:a") == ("hf:a", ["hf:ada/Tiny-GGUF/tiny-Q4_K_M.gguf"])
    assert len(hub.requests) == asked


@pytest.mark.model
def test_the_models_of_this_machine_are_listed_with_those_that_the_server_offers(shell, hub):
    shell.run_cell("models = %ds_models --local-model hf:ada/Tiny-GGUF").raise_error()
    models = shell.user_ns["models"]
    shell.run_cell("%deepseek --local-model hf:ada/Tiny-GGUF --max-tokens 1 Hi").raise_error()
    shell.run_cell("models = %ds_models --local").raise_error()
    listed = repr(shell.user_ns["models"])
    assert "tiny" in repr(models)
    assert "On this machine, for --local-model:\n" in listed
    assert "hf:ada/Tiny-GGUF/tiny-Q4_K_M.gguf · " in listed and "2,048 tokens · thinks · calls functions" in listed


@pytest.mark.model
def test_two_models_answer_in_one_kernel(shell, hub, tmp_path):
    other = write_model(tmp_path / "other.gguf", seed=1)
    for name in ("hf:ada/Tiny-GGUF", other, "hf:ada/Tiny-GGUF"):
        shell.run_cell(f"a = %deepseek --local-model {name} --max-tokens 1 Hi").raise_error()
        assert shell.user_ns["a"].model == ("other" if name is other else "tiny")
