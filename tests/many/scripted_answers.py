"""Completions with token probabilities, and scripts that answer by what they were asked."""

import math

from ds_magic.api.request import ChatRequest
from ds_magic.api.response import ChatCompletion
from tests.servers.scripted import answered, completion


def entry(token, prob, **others):
    """A token as the wire has it: its probability, and those of its rivals by their texts."""
    tops = sorted({**others, token: prob}.items(), key=lambda each: -each[1])
    spelt = [{"token": text, "bytes": list(text.encode()), "logprob": math.log(p)} for text, p in tops]
    return {**next(each for each in spelt if each["token"] == token), "top_logprobs": spelt}


def body(*entries, finish="length", **fields):
    """The body of an answer of these tokens."""
    made = completion("".join(each["token"] for each in entries), finish, **fields)
    made["choices"][0]["logprobs"] = {"content": list(entries)}
    return made


def answer(*entries, request=None, **fields):
    """The same as a completion."""
    request = request or ChatRequest.build("q", logprobs=True, top_logprobs=5, temperature=1)
    return ChatCompletion.from_wire(body(*entries, **fields), request=request, backend="scripted")


def echo(connection):
    """A script that says what the user said."""
    said = connection.request.json["messages"][-1]["content"]
    answered(completion(said))(connection)


def asked_of(server):
    """What users said, in the order in which it arrived."""
    return [each.json["messages"][-1]["content"] for each in server.requests]
