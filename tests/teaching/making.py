"""An answer to be guessed, with probabilities that halve, so that its score can be told by hand."""

from ds_magic import ChatCompletion, ChatRequest
from tests.browser.tables import entry


def shares(*names, first=0.5):
    """Alternatives of which each is half as likely as the one before."""
    return [(name, first / 2**at) for at, name in enumerate(names)]


CITY = shares(" Canberra", " Sydney", " Perth", " Melbourne", " Hobart", " Adelaide")
PIECE = shares(" Sydney", " Bris", " B", ",", "")
ENTRIES = [
    entry(" Canberra", 0.5, CITY),
    entry(",", 0.9, [(",", 0.9)]),
    entry(" not", 0.125, shares(" a", " the", " not")),
    entry(" Bris", 0.25, PIECE),
    entry("bane", 0.9, [("bane", 0.9)]),
    entry(".", 0.9, [(".", 0.9)]),
    entry("", 0.9, [("", 0.9)]),
]
PREFIX = "The capital of Australia is"


def answered(entries=ENTRIES, *, prefix=PREFIX, question="What is the capital of Australia?", **known):
    """An answer of these tokens; `known` goes to ChatCompletion.from_wire."""
    content = b"".join(bytes(each["bytes"]) for each in entries).decode(errors="replace")
    choice = {"message": {"content": content}, "logprobs": {"content": entries}, "finish_reason": "stop"}
    asked = ChatRequest.build(question, prefix=prefix, top_logprobs=20)
    known = {"backend": "embedded model", **known}
    return ChatCompletion.from_wire({"model": "tiny", "choices": [choice]}, request=asked, **known)
