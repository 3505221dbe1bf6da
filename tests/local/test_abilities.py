"""What a model's file says that it can do of itself."""

from __future__ import annotations

import pytest

from ds_magic.local.engine import gguf
from ds_magic.local.engine.abilities import abilities
from tests.local.tiny_models import CHATML, write_model

SWITCH = CHATML + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
TOOLS = CHATML + "{% if tools %}{{ tools | tojson }}{% endif %}{{ messages[-1].tool_calls }}"


def of(path):
    model = gguf.read(path)
    return abilities(model.template, model.marks)


@pytest.mark.parametrize(("template", "marks", "thinks"), [
    (CHATML, [], False),
    (SWITCH, [], True),
    (CHATML, ["<think>", "</think>"], True),
    (CHATML, ["<think>"], False),
    (CHATML + "[THINK]", [], True),
    (CHATML + "<|channel|>analysis<|message|>", [], True),
    (CHATML + "<|channel|>final", [], False),
    (None, [], False),
])
def test_a_model_thinks_whose_template_or_vocabulary_has_marks_for_it(tmp_path, template, marks, thinks):
    path = write_model(tmp_path / "model.gguf", template, marks=marks)
    assert of(path).thinks is thinks


def test_a_model_calls_functions_whose_template_takes_them(tmp_path):
    assert of(write_model(tmp_path / "calls.gguf", TOOLS)).calls
    assert not of(write_model(tmp_path / "plain.gguf")).calls


def test_smollm2_can_do_neither(model_file):
    can = of(model_file)
    assert not can.thinks and not can.calls and not can.efforts
