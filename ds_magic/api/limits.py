"""The documented limits of a request, as data: light to import, so that help and completion can say them."""

MOST_STOPS = 16
MOST_TOOLS = 128
MOST_ALTERNATIVES = 20

EFFORTS = {
    "none": "none", "minimal": "low", "low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max",
    "ultra": "max",
}
"""How much a model thinks: every word that may be said for it, and which of none, low, high and max it means."""

LIMITS = {
    "messages": "a list of at least one message, each with role system, user, assistant or tool",
    "model": "the name of a model",
    "frequency_penalty": "a number from -2 to 2",
    "presence_penalty": "a number from -2 to 2",
    "max_tokens": "a whole number, 1 or more",
    "response_format": '{"type": "text"} or {"type": "json_object"}',
    "stop": f"a string, or a list of at most {MOST_STOPS} strings",
    "stream": "true or false",
    "stream_options": '{"include_usage": true or false}, only with stream: true',
    "temperature": "a number from 0 to 2",
    "top_p": "a number from 0 to 1",
    "tools": f"a list of at most {MOST_TOOLS} functions; each of another name, of 1 to 128 of A-Z a-z 0-9 _ -",
    "tool_choice": '"none", "auto", "required", or {"type": "function", "function": {"name": …}}',
    "logprobs": "true or false",
    "top_logprobs": f"a whole number from 0 to {MOST_ALTERNATIVES}, only with logprobs: true",
    "thinking": '{"type": "enabled"} or {"type": "disabled"}',
    "reasoning_effort": f"{', '.join([*EFFORTS][:-1])} or {[*EFFORTS][-1]}",
}
"""The documented limit of each field of a request, in words."""
