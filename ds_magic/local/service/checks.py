"""What is refused before the model is asked, and with which words."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from ...api import strict
from ...api.clean_text import heal
from ...api.completion_request import CompletionRequest
from ...api.errors import InvalidRequestError
from ...api.fields import EFFORTS
from ...api.messages import NamedToolChoice, Thinking
from ...api.request import WHOLE_NUMBERS, ChatRequest
from ..answers import dialogue
from ..answers.answer import grammar_problem, wants_json
from ..answers.scoring import texts_of
from ..engine.sampling import ALTERNATIVES, MOST_IN_ALL
from ..server_options import DEFAULT_MAX_TOKENS
from .contract import Contract
from .refusal import Refusal


def check_key(authorization: str | None, key: str) -> None:
    """Refuse whoever does not know the key; what was sent instead is not repeated."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
        raise Refusal(
            401, "Authentication Fails: this server was started with another API key.", kind="authentication_error"
        )


def check_origin(host: str | None, origin: str | None, *, loopback_only: bool) -> None:
    """Refuse what a browser sends for a page of another origin.

    Such a page can send requests here, and by a name that resolves to 127.0.0.1 even read the
    answers; the first have an Origin, the second a Host that is not this machine's.
    """
    name = urlsplit(f"//{host or ''}").hostname or ""
    if loopback_only and not _is_loopback(name):
        raise Refusal(403, "This server answers only under the name of this machine: 127.0.0.1 or localhost.")
    if origin is not None and urlsplit(origin).netloc != host:
        raise Refusal(403, "This server does not answer to pages of other origins.")


def _is_loopback(name: str) -> bool:
    return name in ("localhost", "::1") or name.startswith("127.")


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object in a request's body."""
    try:
        body = heal(_json(raw))
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200] if isinstance(error, ValueError) else "it is nested too deep"
        raise Refusal(400, f"The body of the request is not JSON: {reason}") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body of the request must be a JSON object.")
    return body


def _json(raw: bytes) -> Any:
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        return json.loads(raw.decode("utf-8", "replace"))  # takes lone surrogates and deeper nesting


def check(body: dict[str, Any], *, beta: bool, contract: Contract) -> ChatRequest:
    """The request in `body` as it is to be answered, within what `contract` promises and this server can do."""
    if body.get("max_tokens") is None and "max_completion_tokens" in body:  # what newer clients call it
        body = {**body, "max_tokens": body["max_completion_tokens"]}
    effort = body.get("reasoning_effort")
    if isinstance(effort, str) and effort in EFFORTS:
        body = {**body, "reasoning_effort": EFFORTS[effort]}
    try:
        request = ChatRequest.from_wire(_read(body))
    except InvalidRequestError as error:
        raise Refusal(contract.invalid, error.message, error.field) from None
    request = contract.settled(request)
    _check_prefix(request, beta)
    _check_json_mode(request, contract)
    _check_tools(request, beta)
    _check_alternatives(request, contract)
    texts_of(request)
    if problem := grammar_problem(request):
        field, reason = problem
        raise Refusal(400, f"{field} is a JSON Schema that cannot be followed here: {reason}", field)
    return request


def check_text(body: dict[str, Any], contract: Contract) -> CompletionRequest:
    """The request for a text in `body`, as `check` has that for a chat."""
    try:
        request = CompletionRequest.from_wire(_read(body, "logprobs"))
    except InvalidRequestError as error:
        raise Refusal(contract.invalid, error.message, error.field) from None
    # No model thinks before a text, however it is called.
    return contract.settled(request.model_copy(update={"thinking": Thinking(type="disabled")}))


def _read(body: dict[str, Any], *more: str) -> dict[str, Any]:
    """`body` with whole numbers, of which JSON has no kind of its own: 3.0 is the integer 3, also in `more` fields."""
    if body.get("n") not in (None, 1):
        raise Refusal(400, "This server gives one answer a request: n must be 1.", "n")
    whole = {
        name: int(body[name]) for name in (*WHOLE_NUMBERS, *more)
        if isinstance(body.get(name), float) and body[name].is_integer()
    }
    return {**body, **whole}


def _check_alternatives(request: ChatRequest, contract: Contract) -> None:
    """More than the documented 20 are an extension; the whole vocabulary for each of many tokens is too much."""
    asked, tokens = request.top_logprobs or 0, request.max_tokens or DEFAULT_MAX_TOKENS
    if asked > ALTERNATIVES and asked * tokens > MOST_IN_ALL:
        raise Refusal(
            contract.invalid, f"top_logprobs is {asked}, for an answer of up to {tokens} tokens: "
            f"{asked * tokens:,} alternatives, and {MOST_IN_ALL:,} are sent with one answer.", "top_logprobs",
            remedy=f"Set max_tokens to {max(1, MOST_IN_ALL // asked)} or less, or top_logprobs to "
            f"{max(ALTERNATIVES, MOST_IN_ALL // tokens)} or less.",
        )


def _check_prefix(request: ChatRequest, beta: bool) -> None:
    if request.prefix is None:
        return
    field = f"messages[{len(request.messages) - 1}].prefix"
    if not beta:
        raise Refusal(
            400, "prefix is a beta feature: set the base URL to this server's with /beta at its end to use it.", field
        )
    _check_prefix_tokens(request, field + "_tokens")
    if wants_json(request):
        raise Refusal(400, "A prefix and response_format do not go together on this machine.", field)


def _check_prefix_tokens(request: ChatRequest, field: str) -> None:
    try:
        dialogue.beginning(request)
    except ValueError:
        raise Refusal(
            400, f"{field} must be lists of bytes, none of them empty, that spell the end of the content.", field
        ) from None


def _check_json_mode(request: ChatRequest, contract: Contract) -> None:
    wanted = request.response_format
    if wanted and wanted.type == "json_object":
        if not any("json" in (message.content or "").lower() for message in request.messages):
            raise Refusal(
                400, "The messages must contain the word 'json' in some form, to use response_format of type "
                "'json_object'.", "response_format",
            )
    elif wanted and wanted.type == "json_schema" and not isinstance((wanted.json_schema or {}).get("schema"), dict):
        field = "response_format.json_schema"
        raise Refusal(contract.invalid, f"{field}.schema must be a JSON Schema.", field)


def _check_tools(request: ChatRequest, beta: bool) -> None:
    names = [tool.function.name for tool in request.tools or []]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refusal(400, f"tools has two functions with the name {twice!r}.", "tools")
    # Elsewhere nobody is promised anything: other clients call functions strict unasked.
    if beta and (problem := strict.problem_with(request.tools or [])):
        raise Refusal(400, f"{problem.field}: {problem.name} cannot be strict: {problem.why}.", problem.field)
    choice = request.tool_choice
    if choice in (None, "none", "auto"):
        return
    if not names:
        raise Refusal(400, "tool_choice asks for a call, and there are no tools.", "tool_choice")
    if isinstance(choice, NamedToolChoice) and choice.function.name not in names:
        raise Refusal(400, f"tool_choice names {choice.function.name!r}, which is none of the tools.", "tool_choice")
