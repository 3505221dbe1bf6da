"""DeepSeek's service as it was in 2024 and in 2025 and as it is today: what it offers, refuses and requires.

`Service(era)` is a ScriptedServer; `posts` has the JSON of each chat request that was not refused, `refusals` the
messages of those that were. The bodies are the service's own words, where they are known.
"""

import itertools

from tests.servers.scripted import ScriptedServer, answered, completion, refused, streamed, text_chunk

OFFERS = {
    "2024": ["deepseek-chat", "deepseek-coder"],
    "2025": ["deepseek-chat", "deepseek-reasoner"],
    "today": ["deepseek-flash", "deepseek-v4-pro"],
}
FIRST = {era: names[0] for era, names in OFFERS.items()}
THOUGHT = "Let me see."
HELLO = {"token": "Hello", "logprob": -0.1, "bytes": list(b"Hello")}
TOKEN = {**HELLO, "top_logprobs": [HELLO, {"token": "Hi", "logprob": -3.0, "bytes": list(b"Hi")}]}


class Service(ScriptedServer):
    """Answers "Hello", or what `says` gives for a request; calls the first of its tools `calls` times, then answers.

    `takes_schema`: whether it takes a JSON Schema as `response_format`, as a gateway may and DeepSeek does not.
    """

    def __init__(self, era, *, says=lambda body: "Hello", calls=0, takes_schema=True):
        listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in OFFERS[era]]}
        super().__init__(self._chat, models=answered(listed))
        self.era, self.says, self.calls, self.takes_schema = era, says, calls, takes_schema
        self.posts, self.refusals, self._ids = [], [], itertools.count()

    def _chat(self, connection):
        body = connection.request.json
        problem = self._problem(body, beta="/beta/" in connection.request.path)
        if problem is not None:
            self.refusals.append(problem[1])
            return refused(problem[0], problem[1], code="invalid_request_error")(connection)
        self.posts.append(body)
        thinks = self._thinks(body)
        rounds = sum(message["role"] == "tool" for message in _since_the_user_spoke(body["messages"]))
        calls = bool(body.get("tools")) and rounds < self.calls and body.get("tool_choice") != "none"
        return self._answer(body, thinks, calls)(connection)

    def _thinks(self, body):
        if self.era == "2024":
            return False
        if self.era == "2025":
            return body["model"] == "deepseek-reasoner"
        return (body.get("thinking") or {}).get("type") != "disabled" and body.get("reasoning_effort") != "none"

    def _problem(self, body, *, beta):
        model, messages = body["model"], body["messages"]
        if model not in OFFERS[self.era]:
            if self.era == "today":
                names = ", ".join(OFFERS["today"])
                return 400, f"The supported API model names are {names}, but you passed {model}."
            return 400, "Model Not Exist"
        replayed = [each for each in messages if each["role"] == "assistant" and not each.get("prefix")]
        if self.era != "today":
            if any("reasoning_content" in each for each in replayed):
                return 400, "The reasoning_content of earlier messages must not be sent."
            if {"thinking", "reasoning_effort"} & body.keys():
                return 422, "thinking: unknown field"
        elif not 1 <= body.get("max_tokens", 1) <= 393_216:
            return 400, "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]."
        elif self._thinks(body):
            if body.get("tool_choice") not in (None, "none", "auto"):
                return 400, "tool_choice required and named are not supported in thinking mode."
            if body.get("tools") and any("reasoning_content" not in each for each in replayed):
                return 400, "Missing reasoning_content field in the assistant message."
        if messages[-1].get("prefix") and not beta:
            return 400, "prefix is a beta feature."
        functions = [each["function"] for each in body.get("tools") or []]
        if any(each.get("strict") for each in functions):
            if not beta or self.era != "today":
                return 400, "strict is a beta feature."
            if not all(each.get("strict") and _is_fit(each["parameters"]) for each in functions):
                return 400, "Invalid tool parameters schema for strict mode."
        if (body.get("response_format") or {}).get("type") == "json_schema" and not self.takes_schema:
            return 400, "response_format: This response_format type is unavailable now"
        if body.get("stream_options") and not body.get("stream"):
            return 400, "stream_options needs stream."
        return None

    def _answer(self, body, thinks, calls):
        text = None if calls else self.says(body)
        call = {"id": f"call_{next(self._ids)}", "type": "function", "function": {
            "name": body["tools"][0]["function"]["name"], "arguments": '{"a": 1, "b": 2}'}} if calls else None
        logprobs = {"content": [TOKEN]} if body.get("logprobs") and text else None
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        finish = "tool_calls" if calls else "stop"
        if not body.get("stream"):
            answer = completion(text, finish, model=body["model"], usage=usage)
            message = answer["choices"][0]["message"]
            message |= ({"reasoning_content": THOUGHT} if thinks else {}) | ({"tool_calls": [call]} if calls else {})
            answer["choices"][0]["logprobs"] = logprobs
            return answered(answer)
        named = {"model": body["model"]}
        chunks = [text_chunk("", **named)]
        if thinks:
            chunks.append(text_chunk(reasoning=THOUGHT, **named))
        if calls:
            chunks.append(text_chunk(**named))
            chunks[-1]["choices"][0]["delta"]["tool_calls"] = [{"index": 0, **call}]
        else:
            chunks.append(text_chunk(text, logprobs=logprobs, **named))
        if self.era == "today":  # usage rides on the last chunk, whether or not it was asked for
            return streamed(*chunks, text_chunk("", finish=finish, usage=usage, **named))
        chunks.append(text_chunk("", finish=finish, usage=None, **named))
        wants_usage = (body.get("stream_options") or {}).get("include_usage")
        return streamed(*chunks, *([{"choices": [], "usage": usage, **named}] if wants_usage else []))


def _is_fit(schema):
    """Whether a strict function may have this schema: the rules that are documented, for objects in objects."""
    if schema.get("type") == "object":
        is_closed = schema.get("additionalProperties") is False
        inner = schema.get("properties", {})
        return is_closed and set(schema.get("required", ())) == set(inner) and all(map(_is_fit, inner.values()))
    return not {"minLength", "maxLength", "minItems", "maxItems"} & schema.keys()


def _since_the_user_spoke(messages):
    return list(itertools.takewhile(lambda message: message["role"] != "user", reversed(messages)))


def reasonings(body):
    """What each earlier answer in a request was said to have thought, in order; None where it was not said."""
    return [each.get("reasoning_content") for each in body["messages"] if each["role"] == "assistant"]
