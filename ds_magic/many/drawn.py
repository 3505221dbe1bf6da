"""Samples of one token that are drawn here, from the distribution that one request has."""

from __future__ import annotations

import random

from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.response import ChatCompletion
from ..logprobs.rows import Alternative, Token
from .answers import Answers
from .odds import places
from .rows import SAMPLE, Row

NOTE = "Drawn here, from the distribution of one request: no server was asked for it."


def drawn(answers: Answers, times: int, seed: int | None = None) -> Answers:
    """`times` rows for each answer, whose only token is drawn from its distribution at the temperature in force.

    An answer that failed is a row as it is; where all did, the error of the first is raised. Raises InvalidRequestError
    where one has no distribution.
    """
    if answers and all(row.error is not None for row in answers):
        raise next(row.error for row in answers if row.error is not None)
    chance = random.Random(seed)
    rows = []
    for row in answers:
        if row.error is not None:
            rows.append(row)
            continue
        answer, table = row.answer, row.logprobs
        own = [token for token in table if not token.forced and token.n_alternatives] if table else []
        if answer is None or len(own) != 1:
            raise InvalidRequestError(
                "There is no distribution of one token to draw from.",
                remedy="Ask a server that gives token probabilities, or do without `draw`.",
            )
        used = table.provenance
        temperature, top_p = (1.0 if each is None else each for each in (used.temperature, used.top_p))
        (place,) = places(table, [own[0].position - int(table.position[0])], temperature, top_p)
        known = [one for one in own[0].alternatives if one.prob == one.prob]
        rest = max(0.0, 1.0 - sum(low for low, _ in place.shares)) if place.rest else 0.0
        weights = [low for low, _ in place.shares]
        picked = chance.choices([*known, None], [*weights, rest], k=times)
        rows += [
            _row(row, answer, own[0], each, number if times > 1 else None) for number, each in enumerate(picked, 1)
        ]
    return Answers(rows, [*answers.notes, NOTE])


def one_token_note(answers: Answers, times: int) -> list[str]:
    """What to say of samples of one token each: that one request for each arm has what they were drawn from."""
    came = [row.answer for row in answers if row.answer is not None]
    if not came or any(answer.reasoning_content or answer.tool_calls for answer in came):
        return []
    n = -(-len(answers) // times)
    requests, have, places = ("One request", "has", "") if n == 1 else (f"{n:,} requests", "have", " each")
    return [
        f"{requests} with `-l 20` {have} the distribution{places} that these samples of one token are drawn from, in "
        f"place of {len(answers):,}; `--draw` asks no more than that, and draws the samples from it."
    ]


def _row(
    row: Row, answer: ChatCompletion, token: Token, choice: Alternative | None, number: int | None
) -> Row:
    factors = dict(row.factors) if number is None else {**row.factors, SAMPLE: number}
    if choice is None:
        error = DeepSeekError(
            "The draw fell among the tokens that the server did not return.",
            remedy="Ask for each sample by itself: do without `draw`.",
        )
        return Row(factors, None, error)
    body = answer.model_dump()
    text = choice.bytes.decode("utf-8", "replace")
    tops = [{"token": each.token, "bytes": list(each.bytes), "logprob": each.logprob} for each in token.alternatives]
    entry = tops[choice.rank - 1]
    choices = [{
        "index": 0, "finish_reason": "length" if text else "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [{**entry, "top_logprobs": tops}]},
    }]
    made = ChatCompletion.from_wire(
        {**body, "choices": choices, "usage": None}, request=answer.request, backend=answer.backend,
        recorded=answer.recorded, notes=[*answer.notes, NOTE],
    )
    return Row(factors, made)
