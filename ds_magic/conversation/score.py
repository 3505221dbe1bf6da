"""How likely given texts are as the answer: asked of the embedded server at once, elsewhere token by token."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .. import backend
from ..api.addresses import EMBEDDED
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.model_choice import thinks_unless_told
from ..api.request import ChatRequest

if TYPE_CHECKING:
    from ..api.client import Client
    from ..api.response import ChatCompletion
    from ..logprobs.rows import Alternative
    from ..logprobs.scores import Scores
    from ..logprobs.table import LogprobTable

ALTERNATIVES = 20
NOT_RETURNED = -9999.0
TOKENISED_ANEW = (
    "This server was asked for one token after the other, each after a prefix that it tokenised anew: where there are "
    "several ways to part a text into tokens, the probability is that of the one with the longest tokens that came."
)


def score(
    messages: Any,
    continuations: str | Iterable[str],
    *,
    client: Client | None = None,
    allow_requests: int = 0,
    **fields: Any,
) -> Scores:
    """How likely each of `continuations` is as the answer to `messages`, token by token.

    `scores["yes"].logprob` is the sum in nats, `.per_byte` the same over the text's length, `.share` what falls to it
    of all that were given, `.logprobs` the LogprobTable of its tokens. It is the log-probability that the answer begins
    so, whatever follows. With `prefix=` (or a last message that is one) the texts go on after it: begin them with the
    blank that a word begins with. `fields`: as for `chat`; `client`: which server, else the one that the environment
    means. The scores of one text under two models are laid side by side by `ds_magic.compare(one, other)`.

    The embedded server needs one request and gives exact numbers, by the field `score` that it has beside DeepSeek's.
    Elsewhere a token takes a request, and one that is not among the 20 alternatives ends its text with a bound. Such
    requests are counted first, and sent where `allow_requests` is as many as there may be; else InvalidRequestError
    says how many. Raises a DeepSeekError.
    """
    texts = [continuations] if isinstance(continuations, str) else list(continuations)
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise InvalidRequestError("There is nothing to score: give one or more texts, none of them empty.")
    client = client or backend.resolve()
    request = _request(client, messages, fields)
    if client.server == EMBEDDED:
        return _at_once(client, request, texts)
    return _by_tokens(client, request, texts, allow_requests)


def _request(client: Client, messages: Any, fields: dict[str, Any]) -> ChatRequest:
    request = ChatRequest.build(messages, **{"top_logprobs": ALTERNATIVES, **fields, "stream": None})
    for name, is_there in (
        ("tools", request.tools), ("response_format", request.response_format), ("thinking", request.thinks),
    ):
        if is_there:
            raise InvalidRequestError(
                f"`{name}` does not go with `score`: the texts are to be the answer itself.", field=name,
                remedy="Leave it out; where the model thinks, ask with thinking=False.",
            )
    model = request.model if "model" in request.model_fields_set else client.model
    if request.thinking is None and thinks_unless_told(model):
        request = request.changed(thinking=False)
    return request


def _at_once(client: Client, request: ChatRequest, texts: list[str]) -> Scores:
    from ..logprobs.scores import Scores

    completion = client.chat(request.changed(extra={**request.extra, "score": texts}))
    if len(completion.choices) != len(texts):
        raise DeepSeekError(f"{len(texts)} texts were to be scored, and {len(completion.choices)} came back.")
    entries = [choice.logprobs.content if choice.logprobs else None for choice in completion.choices]
    tables = [
        (text, _table(completion, each.columns() if each else None, text))
        for text, each in zip(texts, entries, strict=True)
    ]
    return Scores(tables, completion.notes)


def _by_tokens(client: Client, request: ChatRequest, texts: list[str], allowed: int) -> Scores:
    from ..logprobs.scores import Scores, bound_last

    most = _most_requests(texts)
    if allowed < most:
        few = max(len(set(texts)), most // 4)
        raise InvalidRequestError(
            f"{client.name} tells of one token a request: {'these texts' if len(texts) > 1 else 'this text'} would "
            f"take {f'some {few:,} requests, at most {most:,}' if few < most else f'at most {most:,} requests'}.",
            field="allow_requests", value=allowed,
            remedy=f"Allow them with allow_requests={most}, or ask the model on this machine, which needs one.",
        )
    asked: dict[str, ChatCompletion] = {}
    tables = []
    for text in texts:
        entries: list[dict[str, Any]] = []
        told, fitting = 0, None
        while told < len(text):
            begun = text[:told]
            if begun not in asked:
                asked[begun] = _next_token(client, request, begun)
            alternatives = asked[begun].logprobs[0].alternatives
            fitting = _fitting(alternatives, text[told:])
            piece = fitting.bytes.decode() if fitting else text[told:]
            entries.append({
                "token": piece,
                "bytes": list(piece.encode("utf-8", "replace")),
                "logprob": fitting.logprob if fitting else NOT_RETURNED,
                "top_logprobs": [
                    {"token": one.token, "bytes": list(one.bytes), "logprob": one.logprob} for one in alternatives
                ],
            })
            told += len(piece)
        table = _table(asked[""], entries, text)
        if fitting is None:
            bound_last(table)
        tables.append((text, table))
    return Scores(tables, [*dict.fromkeys(note for each in asked.values() for note in each.notes), TOKENISED_ANEW])


def _next_token(client: Client, request: ChatRequest, begun: str) -> ChatCompletion:
    """The answer's next token after `begun`, with its alternatives."""
    if begun:
        messages = list(request.messages)
        prefix = (request.prefix or "") + begun
        if request.prefix is not None:
            messages.pop()
        request = ChatRequest.build(
            [*messages, {"role": "assistant", "content": prefix, "prefix": True}],
            **{name: getattr(request, name) for name in request.model_fields_set if name != "messages"},
        )
    answer = client.chat(request.changed(max_tokens=1, temperature=0))
    if not answer.logprobs or not answer.logprobs[0].alternatives:
        raise InvalidRequestError(
            f"{client.name} sends no alternatives of a token, so that nothing can be scored there.",
            remedy="Ask another server or model; the one on this machine has them.",
        )
    return answer


def _fitting(alternatives: Iterable[Alternative], rest: str) -> Alternative | None:
    """The longest alternative that `rest` begins with, whole characters of it; None where none came."""
    raw = rest.encode("utf-8", "replace")
    fitting = [one for one in alternatives if one.bytes and raw.startswith(one.bytes) and one.logprob == one.logprob]
    whole = [one for one in fitting if len(one.bytes) == len(raw) or raw[len(one.bytes)] & 0xC0 != 0x80]
    return max(whole, key=lambda one: len(one.bytes), default=None)


def _most_requests(texts: Sequence[str]) -> int:
    """In how many places a token may begin: after each different beginning of a text, itself left out."""
    count, last = 0, ""
    for text in sorted(set(texts)):
        shared = len(os.path.commonprefix((last, text)))
        count += len(text) - min(shared + 1, len(last))
        last = text
    return count


def _table(completion: ChatCompletion, entries: Any, text: str) -> LogprobTable:
    from ..logprobs.table import LogprobTable

    return LogprobTable.from_wire(
        entries, content=text, provenance=completion.provenance, top_logprobs=ALTERNATIVES, model=completion.model
    )
