"""What a server sent can be saved, whatever it sent: as JSON, as a chat, as tables."""

import copy
import json
import pickle

import pytest

from ds_magic import Chat, ChatCompletion
from ds_magic.api.accumulator import Accumulator
from ds_magic.api.body import parse_body
from ds_magic.api.decoder import ChunkDecoder

HALF = "\ud83d"
DEEP = json.loads("[" * 300 + "]" * 300)
ODD = {
    "half a character": HALF,
    "half a character as a name": {HALF: HALF},
    "deep lists": DEEP,
    "deep objects": json.loads('{"a":' * 300 + "1" + "}" * 300),
    "null in a list": [None],
    "a huge number": 10**400,
    "not a number": float("nan"),
    "an empty list": [],
    "an empty object": {},
}
ENTRY = {"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -0.1, "bytes": None}]}
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHUNK = {
    "id": "c1",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "a", "tool_calls": [CALL]},
            "finish_reason": "stop",
            "logprobs": {"content": [ENTRY]},
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, "prompt_cache_hit_tokens": 1},
}


def places(value, path=()):
    """The paths of every value in parsed JSON, and of a field that we do not know in every object."""
    yield path
    inside = dict(enumerate(value)) if isinstance(value, list) else value
    if isinstance(value, dict):
        yield (*path, "unknown")
        yield (*path, HALF)
    if isinstance(inside, dict):
        for name, inner in inside.items():
            yield from places(inner, (*path, name))


def chunks_with(odd):
    """The chunk with `odd` in each of its places."""
    for path in places(CHUNK):
        if path:
            chunk = copy.deepcopy(CHUNK)
            holder = chunk
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = odd
            yield chunk


def answers_with(odd):
    """The answer that each of these chunks adds up to, and the one whose body it is."""
    for chunk in chunks_with(odd):
        payload = json.dumps(chunk).encode()
        accumulator = Accumulator()
        accumulator.add(ChunkDecoder().decode(payload), payload)
        yield ChatCompletion.from_wire(accumulator.wire())
        yield ChatCompletion.from_wire(parse_body(payload.replace(b'"delta"', b'"message"'), "their server"))


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_whatever_a_server_sent_can_be_saved(odd, tmp_path):
    for answer in answers_with(odd):
        again = ChatCompletion.from_wire(json.loads(answer.model_dump_json()))
        assert again.content == answer.content
        assert pickle.loads(pickle.dumps(answer)).content == answer.content
        chat = Chat("kept")
        chat.record("cell", [{"role": "user", "content": "Hi"}], answer)
        chat.save(tmp_path / "chat.json")
        assert Chat.load(tmp_path / "chat.json").messages == chat.messages
        assert repr(chat) and repr(answer)
        if answer.logprobs:
            for written in (answer.logprobs.to_csv, answer.logprobs.to_jsonl, answer.logprobs.to_pandas().to_csv):
                written(tmp_path / "table")
