"""Samples of one token that are drawn here, from the distribution that one request has."""

from __future__ import annotations

import random
from typing import Any

from ..api.addresses import EMBEDDED
from ..api.errors import DeepSeekError, InvalidRequestError
from ..api.fields import MOST_ALTERNATIVES, MOST_AT_EMBEDDED
from ..api.response import ChatCompletion
from ..logprobs.rows import Alternative
from .answers import Answers
from .odds import places
from .row import SAMPLE, Row

_MOST_SHOWN = 100
"""Alternatives that each sample carries, so that a thousand different ones do not each carry a thousand."""
NOTE = "Drawn here, from the distribution of one request: no server was asked for it."


def alternatives_at(server: str) -> int:
    """How many alternatives to ask `server` for, to draw from: the embedded one tells of its whole vocabulary."""
    return MOST_AT_EMBEDDED if server == EMBEDDED else MOST_ALTERNATIVES


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
        # The likeliest as a server would send them, and of the others what was drawn.
        shown = sorted({*known[:MOST_ALTERNATIVES], *filter(None, picked)}, key=lambda one: one.rank)[:_MOST_SHOWN]
        made = {each: _answer(answer, shown, each) for each in dict.fromkeys(picked)}
        for number, each in enumerate(picked, 1):
            factors = dict(row.factors) if times == 1 else {**row.factors, SAMPLE: number}
            rows.append(Row(factors, *made[each]))
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


def _answer(
    answer: ChatCompletion, shown: list[Alternative], choice: Alternative | None
) -> tuple[ChatCompletion | None, DeepSeekError | None]:
    if choice is None:
        return None, DeepSeekError(
            "The draw fell among the tokens that the server did not return.",
            remedy="Ask for each sample by itself: do without `draw`.",
        )
    text = choice.bytes.decode("utf-8", "replace")
    tops = [_entry(each) for each in shown]
    choices = [{
        "index": 0, "finish_reason": "length" if text else "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [{**_entry(choice), "top_logprobs": tops}]},
    }]
    made = ChatCompletion.from_wire(
        {**answer.model_dump(exclude={"choices"}), "choices": choices, "usage": None}, request=answer.request,
        backend=answer.backend, recorded=answer.recorded, notes=[*answer.notes, NOTE],
    )
    return made, None


def _entry(one: Alternative) -> dict[str, Any]:
    return {"token": one.token, "bytes": list(one.bytes), "logprob": one.logprob}
