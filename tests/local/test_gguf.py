"""The file's own description of its model."""

from __future__ import annotations

import struct

import pytest

from ds_magic.local.engine import gguf
from ds_magic.local.model_failures import WeightsError
from ds_magic.local.models.header import read_header
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


def header(*fields, count=None):
    """The bytes of a GGUF file with these fields: name, kind, and the value as it is written."""
    written = [struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value for name, kind, value in fields]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(fields) if count is None else count) + b"".join(written)


TOKENS, CONTEXT, ARCHITECTURE = b"tokenizer.ggml.tokens", b"llama.context_length", b"general.architecture"
STRING, ARRAY, NUMBER, LONG, FLOAT = 8, 9, 4, 10, 6
ONE = struct.pack("<I", 1)


@pytest.mark.parametrize("reads", [gguf.read, read_header])
@pytest.mark.parametrize("content", [
    b"", b"GG", b"GGUF", b"PK\x03\x04 a wheel", b"GGUF\x03\0\0\0" + b"\xff" * 16,
    b"GGUF" + struct.pack("<IQQ", 9, 0, 0),
    header(count=1),
    header((b"a", NUMBER, ONE), count=2**60),
    header((b"a", STRING, struct.pack("<Q", 2**64 - 1)), (b"b", NUMBER, ONE)),
    header((b"a", ARRAY, struct.pack("<IQ", NUMBER, 2**62))),
    header((b"a", ARRAY, struct.pack("<IQ", ARRAY, 1) * 50_000)),
    header((TOKENS, ARRAY, struct.pack("<IQ", STRING, 2**60))),
    header((TOKENS, ARRAY, struct.pack("<IQQ", STRING, 3, 2**63 - 20) + b"aa")),
    header((TOKENS, NUMBER, ONE)),
    header((CONTEXT, FLOAT, struct.pack("<f", float("inf")))),
])
def test_a_file_that_is_no_model_is_refused_in_words(tmp_path, reads, content):
    (tmp_path / "broken.gguf").write_bytes(content)
    with pytest.raises(WeightsError, match="is not a GGUF model"):
        reads(tmp_path / "broken.gguf")


@pytest.mark.parametrize("content", [
    header((ARCHITECTURE, NUMBER, ONE)),
    header((CONTEXT, STRING, struct.pack("<Q", 1) + b"x")),
    header((b"tokenizer.chat_template", NUMBER, ONE)),
    header((TOKENS, ARRAY, struct.pack("<IQQ", STRING, 1, 0)), (b"tokenizer.ggml.token_type", ARRAY,
           struct.pack("<IQII", NUMBER, 2, 1, 1))),
])
def test_a_model_whose_header_has_something_else_in_a_field_is_refused_before_it_is_loaded(tmp_path, content):
    (tmp_path / "odd.gguf").write_bytes(content)
    read_header(tmp_path / "odd.gguf")  # in a list it does no harm
    with pytest.raises(WeightsError, match="is not a GGUF model"):
        gguf.read(tmp_path / "odd.gguf")


def test_a_header_that_speaks_of_countless_layers_takes_no_memory_for_them(tmp_path):
    (tmp_path / "deep.gguf").write_bytes(header((b"llama.block_count", LONG, struct.pack("<Q", 2**40))))
    assert read_header(tmp_path / "deep.gguf").layers == 2**40


@pytest.mark.parametrize(("file", "name"), [
    ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
    ("qwen3-0.6b-q8_0.gguf", "qwen3-0.6b"),
    ("model.gguf", "model"),
])
def test_a_model_is_called_by_its_file_without_the_quantization(tmp_path, file, name):
    assert short_name(file) == name
