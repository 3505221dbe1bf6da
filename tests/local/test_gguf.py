"""The file's own description of its model."""

from __future__ import annotations

import pytest

from ds_magic.local import gguf
from ds_magic.local.model_failures import WeightsError
from ds_magic.local.models.names import short_name


def test_the_pieces_are_the_tokens_exact_bytes(model_file):
    pieces = gguf.read(model_file).pieces
    assert len(pieces) == 49152
    assert pieces[10813] == "😀".encode()[:2]
    assert b" the" in pieces
    assert all(bytes([byte]) in pieces for byte in b"az09 \n")


def test_the_marks_of_the_template_are_no_text(model_file):
    model = gguf.read(model_file)
    assert model.pieces[model.marks["<|im_end|>"]] == b""


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04 a wheel", b"GGUF\x03\0\0\0" + b"\xff" * 16])
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path, content):
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is not a GGUF model"):
        gguf.read(path)


@pytest.mark.parametrize(("file", "name"), [
    ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
    ("qwen3-0.6b-q8_0.gguf", "qwen3-0.6b"),
    ("model.gguf", "model"),
])
def test_a_model_is_called_by_its_file_without_the_quantization(tmp_path, file, name):
    assert short_name(file) == name
