"""What is refused before the model is asked, and with which words."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from ..api.errors import InvalidRequestError
from ..api.request import ChatRequest
from ..api.text import heal
from .wire import error_body

ALIASES = ("deepseek-chat", "deepseek-coder")
"""Names of DeepSeek's models that the model on this machine answers to."""


class Refusal(Exception):
    """A request that is not answered: an HTTP status and an error in DeepSeek's shape."""

    def __init__(
        self, status: int, message: str, param: str | None = None, *,
        kind: str = "invalid_request_error", headers: dict[str, str] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = error_body(message, kind, param)


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


def check(body: dict[str, Any], *, beta: bool, model: str) -> ChatRequest:
    """The request in `body`, within the documented limits and what this server can do."""
    try:
        request = ChatRequest.from_wire(body)
    except InvalidRequestError as error:
        raise Refusal(422, error.message, error.field) from None
    known = (model, *ALIASES)
    if request.thinks:
        raise Refusal(400, "The model on this machine does not think before it answers (yet).", "model")
    if request.model not in known:
        raise Refusal(400, f"Model Not Exist: {request.model[:80]!r}. There is: {', '.join(known)}.", "model")
    if request.prefix is not None and not beta:
        raise Refusal(
            400, "prefix is a beta feature: set the base URL to this server's with /beta at its end to use it.",
            f"messages[{len(request.messages) - 1}].prefix",
        )
    if request.tools and request.tool_choice != "none":
        raise Refusal(400, "The model on this machine cannot call tools (yet).", "tools")
    if request.response_format and request.response_format.type != "text":
        raise Refusal(400, "The model on this machine has no JSON mode (yet).", "response_format")
    return request
