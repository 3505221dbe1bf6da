"""A model that thinks and calls by marks of its own: its template, its tokens, and what it says."""

from __future__ import annotations

HERMES = (
    "{% if tools %}<|im_start|>system\nFunctions: {{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.reasoning_content %}<think>\n{{ message.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ message.content }}"
    "{% for call in message.tool_calls or [] %}"
    "{% if message.content or not loop.first %}{{ '\n' }}{% endif %}"
    '<tool_call>\n{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n'
    "</tool_call>"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""As Qwen3 has it."""
MARKS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]
WORDS = ["\n\n", "We", " add", " them", "It", " is"]
THINKS = {
    "\n": "We", "We": " add", " add": " them", " them": "</think>", "\n\n": "It", "It": " is", " is": "<|im_end|>",
}
FOR_EVER = {"\n": "We", "We": " add", " add": " them", " them": " add", "\n\n": "It", "It": " is", " is": "<|im_end|>"}
ENABLED = {"thinking": {"type": "enabled"}}
DISABLED = {"thinking": {"type": "disabled"}}


def prompts(api, *messages, **fields):
    """How many tokens a prompt with these messages has."""
    answer = api.chat(messages=[{"role": "user", "content": "Hi"}, *messages, {"role": "user", "content": "So?"}],
                      max_tokens=1, **fields)
    return answer["usage"]["prompt_tokens"]
