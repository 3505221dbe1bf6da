"""Entries and streams that the tests of journals share."""

import math

import msgspec

from ds_magic.many.canonical import key_of
from ds_magic.many.entry import Entry, packed
from tests.servers.scripted import text_chunk

KEY = "sk-0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def entry(number=0, *, ended="whole", text="Hello", asked=None, ms=(10, 20), **fields):
    """An exchange whose question is its number."""
    wire = asked or {"messages": [{"role": "user", "content": f"question {number}"}], "stream": True}
    chunks = [text_chunk(text), text_chunk("", finish="stop", usage={"prompt_tokens": 3, "completion_tokens": 1})]
    head, deltas = packed(zip(ms, map(msgspec.json.encode, chunks), strict=True))
    known = {
        "key": key_of(wire, "golden"), "ended": ended, "backend": "golden", "model": "scripted", "sample": 0,
        "at": "2026-11-30T12:00:00Z", "ms": ms[-1], "request": msgspec.Raw(msgspec.json.encode(wire)),
        "head": head, "deltas": deltas, "ds_magic": "0.1.0",
    }
    return Entry(**{**known, **fields})


def probable(*tokens):
    """Chunks of a stream with a thought, each token with an alternative, and an end."""
    def of(token):
        other = {"token": "x", "logprob": math.log(0.25), "bytes": [120]}
        entries = [{"token": token, "logprob": math.log(0.5), "bytes": list(token.encode()), "top_logprobs": [
            {"token": token, "logprob": math.log(0.5), "bytes": list(token.encode())}, other]}]
        return text_chunk(token, logprobs={"content": entries})

    end = text_chunk("", finish="stop", usage={"prompt_tokens": 3, "completion_tokens": len(tokens)})
    return [text_chunk(reasoning="Hm."), *map(of, tokens), end]
