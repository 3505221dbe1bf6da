"""Branching: an answer is continued from a token that was chosen differently.

The text up to the token and what stands there instead are sent as a prefix, which the server continues. The embedded
server is told the tokens, too, and goes on after just these. Others tokenise the prefix anew, so that tokens beside the
branching point may fall otherwise than in the parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .api.nearest import nearest
from .logprobs.refused import ASK

if TYPE_CHECKING:
    from pathlib import Path

    from .api.client import Client
    from .api.request import ChatRequest
    from .api.response import ChatCompletion
    from .logprobs.rows import Alternative, Token
    from .logprobs.table import LogprobTable
    from .run import Observer
    from .stop import Stop
    from .views.tokens.explorer.page import WrittenPage
    from .views.tokens.explorer.widget import Explorer


@dataclass(frozen=True)
class Branch:
    """How a branch came to be.

    `position`: the token where it left its parent, an index into both tables (None where there were no logprobs).
    `char`: the characters of the content that both share. `replaced` and `instead`: the text that stood there (empty
    where the answer ended) and the one that was forced. `prob`: the probability of `instead` at that place, None where
    it was not returned. `base`: the prefix that the whole tree has from its user, not part of any content.
    """

    position: int | None
    char: int
    replaced: str
    instead: str
    prob: float | None
    base: str


def fork(
    answer: ChatCompletion,
    token: str | int,
    instead: str | None = None,
    *,
    rank: int | None = None,
    client: Client | None = None,
    observers: Sequence[Observer] = (),
    stop: Stop | str | Sequence[str] | None = None,
    **fields: Any,
) -> ChatCompletion:
    """The answer continued from `token`, where `instead` stands now: a ChatCompletion with a parent.

    `token` is a position in `answer.logprobs`, or a text: the first token that is it, or holds it. `instead` is a
    text (the token's leading blank is kept), or `rank` names the alternative. `fields` are request fields
    that replace the answer's own. `client` is needed for an answer of a Client of your own. `observers` are shown what
    comes; `stop.set()` ends it from any thread. Its content is the whole answer, `.parent` the one it left, `.branch`
    says where; the shared part and the forced token are `forced` in its table. Raises InvalidRequestError where the
    place or the text cannot be had, or any other DeepSeekError, its `.partial` being the branch as far as it came.
    """
    from .api.errors import DeepSeekError
    from .backend import is_asked_again
    from .conversation.turn import Seats, Turn
    from .stop import told_apart

    stop, fields = told_apart(stop, fields)
    point = _branching_point(answer, token, instead, rank)
    client = client or _client_of(answer)
    takes_tokens = is_asked_again(client, answer) and bool(answer.request and answer.request.messages)
    tokens = _tokens(answer, point) if takes_tokens else []
    turn = Turn(_request(answer, point, tokens, fields), run_tools=False, notes=tuple(_shifts(answer, point, tokens)))
    try:
        reply = turn.answer(client, Seats(*observers), stop)
    except DeepSeekError as error:
        if error.partial is not None:
            error.partial = _grow(answer, point, error.partial)
        raise
    return _grow(answer, point, reply)


def _branching_point(answer: ChatCompletion, token: str | int, instead: str | None, rank: int | None) -> Branch:
    if (instead is None) == (rank is None):
        raise _refusal("Say what stands there instead: a text, or rank=2 for the second most likely token.")
    table = answer.logprobs
    base = answer.branch.base if answer.branch else (answer.request and answer.request.prefix) or ""
    if not table:
        return _by_text(answer, token, instead, base)
    position = token if isinstance(token, int) else _find(table, token)
    if not -len(table) <= position < len(table):
        raise _refusal(f"There is no token {position}: the answer has {len(table):,}, from 0.")
    row = table[position]
    start = int(table.glyph[row.position])
    if start != row.position:
        raise _refusal(
            f"Token {row.position} is inside a character that begins with token {start}.",
            remedy=f"Branch at token {start}, with a whole character instead.",
        )
    offset = answer.content.find(table.text_content)
    if offset < 0 and table.text_content.startswith(answer.content) and row.char_start <= len(answer.content):
        offset = 0  # a stop string ended the answer inside a token
    offset = 0 if table.matches_content else offset
    if offset < 0:
        raise _refusal("The tokens do not spell the content, so that no place in it can be told.")
    if offset and answer.branch is None and answer.content[:offset].endswith(base):
        base = ""  # this server repeats the prefix in its content
    choice = _alternative(row, instead, rank)
    text = choice if isinstance(choice, str) else choice.bytes.decode("utf-8")
    prob = None if isinstance(choice, str) or choice.prob != choice.prob else choice.prob
    return Branch(row.position, row.char_start + offset, table.text_at(row.position), text, prob, base)


def _by_text(answer: ChatCompletion, token: str | int, instead: str | None, base: str) -> Branch:
    if not isinstance(token, str) or instead is None:
        raise _refusal(
            "The answer has no logprobs, so that its tokens are not known.",
            remedy="Ask with -l, or name the text to replace and a text to stand there instead.",
        )
    char = answer.content.find(token)
    if char < 0 or not token:
        raise _refusal(f"{token!r} does not occur in the answer.")
    return Branch(None, char, token, instead, None, base)


def _find(table: LogprobTable, text: str) -> int:
    """The first token that is `text`, but for blanks around; else the first that `text` begins in."""
    wanted = text.strip()
    for position, token in enumerate(table.token):
        if token == text or (wanted and token.strip() == wanted):
            return position
    spelling = table.find(text)
    if len(spelling):
        return int(spelling.position[0])
    near = nearest(wanted, dict.fromkeys(token.strip() for token in table.token))
    raise _refusal(f"{text!r} does not occur in the answer." + (f" Did you mean {near!r}?" if near else ""))


def _alternative(row: Token, instead: str | None, rank: int | None) -> Alternative | str:
    """What is to stand at the token: an alternative that was returned, or a text of the user's own."""
    if rank is not None:
        ranked = {one.rank: one for one in row.alternatives}
        if rank not in ranked:
            raise _refusal(f"There is no alternative of rank {rank} at token {row.position}: {len(ranked)} came.")
        choice = ranked[rank]
        try:
            whole = choice.bytes.decode("utf-8")
        except UnicodeDecodeError:
            raise _refusal(
                f"The alternative {choice.label} is a part of a character, and a text cannot end inside one.",
                remedy="Choose another alternative, or a text.",
            ) from None
        if not whole:
            raise _refusal("That alternative ends the answer: there is nothing to continue.")
        return choice
    if not instead:
        raise _refusal("There is no text to stand there instead.")
    blank = row.text[: len(row.text) - len(row.text.lstrip())]
    spelt = [instead] if instead[:1].isspace() else [blank + instead, instead]
    for text in spelt:
        for one in row.alternatives:
            if one.bytes == text.encode("utf-8", "replace"):
                return one
    return spelt[0]


def _client_of(answer: ChatCompletion) -> Client:
    from . import backend

    client = backend.client_of(answer)
    if client is None:
        raise _refusal(
            f"This answer came from {answer.backend or 'an unknown server'}, and the environment means another one.",
            remedy="Give the server's client: answer.fork(…, client=client).",
        )
    return client


def _tokens(answer: ChatCompletion, point: Branch) -> list[bytes]:
    """The tokens that the branch's prefix ends with, for a server that continues from tokens; none where not known."""
    if point.position is None:
        return []
    tokens = [*answer.logprobs.bytes[: point.position], point.instead.encode("utf-8", "replace")]
    content = answer.content[: point.char] + point.instead
    return tokens if all(tokens) and content.encode("utf-8", "replace").endswith(b"".join(tokens)) else []


def _shifts(answer: ChatCompletion, point: Branch, tokens: list[bytes]) -> Iterator[str]:
    """What there is to say, before it is asked, of tokens that may fall otherwise than in the parent."""
    from .views.tokens.tree import BOUNDARIES

    if tokens:
        return
    yield BOUNDARIES
    if (point.base + answer.content[: point.char])[-1:].isspace() and point.instead[:1].isspace():
        yield f"{point.instead!r} stands after white space here, and may become one token with it."


def _request(answer: ChatCompletion, point: Branch, tokens: list[bytes], fields: dict[str, Any]) -> ChatRequest:
    from .api.completion_request import CompletionRequest
    from .api.request import ChatRequest

    asked = answer.request
    if asked is None:
        raise _refusal("It is not known what was asked: this answer has no request.")
    begun = point.base + answer.content[: point.char] + point.instead
    messages = list(asked.messages)
    if messages and asked.prefix is not None:
        messages.pop()
    prefix = {
        "role": "assistant",
        "prefix": True,
        "content": begun,
        "prefix_tokens": [list(token) for token in tokens] or None,
        "reasoning_content": answer.reasoning_content,
    }
    kept = {
        name: getattr(asked, name)
        for name in type(asked).model_fields
        if name not in ("messages", "prompt", "stream", "stream_options") and getattr(asked, name) not in (None, {})
    }
    if "model" not in asked.model_fields_set:
        kept.pop("model", None)
    kept |= {"stream": True, "stream_options": {"include_usage": True}} | fields
    if kept["stream"] is False:
        kept.pop("stream_options")
    if isinstance(asked, CompletionRequest):
        return asked.of(begun, **kept)
    return ChatRequest.build([*messages, {key: value for key, value in prefix.items() if value is not None}], **kept)


def _grow(parent: ChatCompletion, point: Branch, reply: ChatCompletion) -> ChatCompletion:
    """The branch: the shared part, the forced text and the reply, as one completion with a parent."""
    body = reply.model_dump(exclude={"choices"})
    choice = reply.choice.model_dump()
    shared = parent.content[: point.char] + point.instead
    choice["message"]["content"] = shared + _continuation(reply.content, point.base + shared)
    choice["message"]["reasoning_content"] = parent.reasoning_content
    table, sent = parent.logprobs, parent.choice.logprobs
    if choice.get("logprobs") and point.position is not None and table and sent and sent.content:
        before = [entry for entry in sent.content.wire() if isinstance(entry, dict)]
        after = choice["logprobs"].get("content") or []
        choice["logprobs"]["content"] = [*_forced(before, table[point.position], point), *after]
    return (
        type(parent)
        .from_wire(
            {**body, "choices": [choice]},
            request=reply.request,
            timing=reply.timing,
            backend=reply.backend,
            recorded=reply.recorded,
            interruption=reply.interruption,
            notes=reply.notes,
        )
        .adopted_by(parent, point)
    )


def _continuation(content: str, prefix: str) -> str:
    """What came after the prefix: DeepSeek sends only that, llama.cpp repeats the prefix before it."""
    return content[len(prefix) :] if content.startswith(prefix) else content


def _forced(before: list[dict[str, Any]], row: Token, point: Branch) -> list[dict[str, Any]]:
    """The wire's entries of what the branch was given: the parent's up to `row`, and one for the text instead."""
    shared = [{**entry, "forced": True} for entry in before[: row.position]]
    numbers = [one.logprob for one in row.alternatives if one.bytes == point.instead.encode("utf-8", "replace")]
    forced = {
        "token": point.instead,
        "bytes": list(point.instead.encode("utf-8", "replace")),
        "logprob": numbers[0] if point.prob is not None and numbers else None,
        "top_logprobs": before[row.position].get("top_logprobs") or [],
        "forced": True,
    }
    return [*shared, forced]


def explorer(answer: ChatCompletion) -> Explorer:
    """The explorer over an answer, with branching."""
    from .views.tokens.explorer.widget import Explorer

    _refuse_without_tables(answer)
    return Explorer(answer, fork=fork)


def export(answer: ChatCompletion, path: str | Path | None = None) -> WrittenPage:
    """Write the explorer over an answer, its reasoning and its branches as one HTML file."""
    from .views.tokens.explorer.page import write_page

    _refuse_without_tables(answer)
    return write_page(answer, path)


def _refuse_without_tables(answer: ChatCompletion) -> None:
    tables = (answer.reasoning_logprobs, *(each.logprobs for _, each in BranchTree(answer)))
    if not any(tables):
        len(answer.logprobs)  # where there are none, it says whether they were asked for
        raise _refusal("The answer has no token probabilities.", ASK)


class BranchTree:
    """An answer and all its branches; iterating gives (depth, completion), parents first."""

    def __init__(self, root: ChatCompletion) -> None:
        self.root = root

    def __iter__(self) -> Iterator[tuple[int, ChatCompletion]]:
        return self._walk(self.root, 0)

    def _walk(self, answer: ChatCompletion, depth: int) -> Iterator[tuple[int, ChatCompletion]]:
        yield depth, answer
        for child in answer.branches:
            yield from self._walk(child, depth + 1)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def requests(self) -> int:
        """How many requests were spent: one for the answer and one for each branch."""
        return len(self)

    def __repr__(self) -> str:
        from .views.tokens.tree import tree_text

        return tree_text(self)

    def _repr_html_(self) -> str:
        from .views.tokens.tree import tree_html

        return tree_html(self)


def tree(answer: ChatCompletion) -> BranchTree:
    """The tree that `answer` belongs to, from its root."""
    while answer.parent is not None:
        answer = answer.parent
    return BranchTree(answer)


def _refusal(message: str, remedy: str = "Name another token, or another text to stand there.") -> Exception:
    from .api.errors import InvalidRequestError

    return InvalidRequestError(message, remedy=remedy)
