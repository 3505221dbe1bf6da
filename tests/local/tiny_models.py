"""GGUF files that a test makes, with a template and marks of one's own: of random weights, 110 KB each, which say
anything, or of such that recite what they are told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_SIZES = {"embedding": 32, "inner": 64, "heads": 2}


def write_model(
    path: Path, template: str | None = CHATML, *, marks: Sequence[str] = (), ids: Mapping[str, str] | None = None,
    words: Sequence[str] = (), context: int = 2048, seed: int = 0, name: str = "tiny",
    says: Mapping[str, str] | None = None, ends: Sequence[str] = ENDS, tokenizer: str = "smollm",
    begins: bool | None = False,
) -> Path:
    """A model whose tokens are the 256 bytes, `words` and what they begin with, `ends` (of ChatML), and `marks`.

    `says`: by token, a byte, word or mark, the one that all but surely follows it; the model looks at nothing else.
    The last of `ends` ends an answer, and the last but one begins a text where `begins` says so, or, with None, where
    llama.cpp knows it of `tokenizer`.
    `ids`: further ids of the tokenizer by name, as `{"fim_pre_token_id": "<|fim_prefix|>"}`, of marks.
    """
    letters = _alphabet()
    merged = ["".join(letters[byte] for byte in word.encode()) for word in words]
    spelt = list(dict.fromkeys(word[:end] for word in merged for end in range(2, len(word) + 1)))
    tokens = [*letters, *spelt, *ends, *marks]
    first = len(letters) + len(spelt)
    wide = _SIZES["embedding"] if says is None else -(-len(tokens) // 32) * 32
    heads = _SIZES["heads"] if says is None else wide // 32
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(name)
    writer.add_context_length(context)
    writer.add_embedding_length(wide)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_SIZES["inner"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(wide // heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * first + [gguf.TokenType.CONTROL] * (len(tokens) - first))
    writer.add_token_merges([f"{word[:-1]} {word[-1]}" for word in spelt] or [f"{letters[0]} {letters[1]}"])
    writer.add_bos_token_id(tokens.index(ends[-2]))
    writer.add_eos_token_id(tokens.index(ends[-1]))
    if begins is not None:
        writer.add_add_bos_token(begins)
    for field, mark in (ids or {}).items():
        writer.add_uint32(f"tokenizer.ggml.{field}", tokens.index(mark))
    if template is not None:
        writer.add_chat_template(template)
    if says is None:
        _add_weights(writer, len(tokens), seed)
    else:
        numbers = {token: number for number, token in enumerate(tokens)}
        spelling = {mark: mark for mark in (*ends, *marks)}
        pairs = [
            tuple(numbers[spelling.get(token) or "".join(letters[byte] for byte in token.encode())] for token in pair)
            for pair in says.items()
        ]
        _add_recitation(writer, len(tokens), wide, pairs)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_weights(writer: gguf.GGUFWriter, vocabulary: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    wide, inner = _SIZES["embedding"], _SIZES["inner"]
    shapes = {
        "token_embd": (vocabulary, wide), "output": (vocabulary, wide), "blk.0.attn_q": (wide, wide),
        "blk.0.attn_k": (wide, wide), "blk.0.attn_v": (wide, wide), "blk.0.attn_output": (wide, wide),
        "blk.0.ffn_gate": (inner, wide), "blk.0.ffn_up": (inner, wide), "blk.0.ffn_down": (wide, inner),
    }
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(wide, np.float32))


def _add_recitation(writer: gguf.GGUFWriter, vocabulary: int, wide: int, pairs: Sequence[tuple[int, ...]]) -> None:
    """A table of which token follows which: each is a direction of its own, and nothing is done to it on the way."""
    output = np.zeros((vocabulary, wide), np.float32)
    for token, following in pairs:
        output[following, token] = 1.5
    inner = _SIZES["inner"]
    weights = {"token_embd": np.eye(vocabulary, wide, dtype=np.float32), "output": output}
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights[f"blk.0.{name}"] = np.zeros((wide, wide), np.float32)
    for name, shape in (("gate", (inner, wide)), ("up", (inner, wide)), ("down", (wide, inner))):
        weights[f"blk.0.ffn_{name}"] = np.zeros(shape, np.float32)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        weights[name] = np.ones(wide, np.float32)
    for name, tensor in weights.items():
        writer.add_tensor(f"{name}.weight", tensor)


def _alphabet() -> list[str]:
    """GPT-2's way to write each byte as a printable character."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + others.index(byte)) for byte in range(256)]
