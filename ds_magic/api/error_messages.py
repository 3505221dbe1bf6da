"""The errors for answers that are none: a refusal, a body of another kind, one that ended too early."""

from __future__ import annotations

from typing import Any

from .addresses import place
from .clean_text import on_one_line
from .errors import (
    UNAVAILABLE,
    APIConnectionError,
    DeepSeekError,
    ServerError,
    StreamInterruptedError,
    class_for_status,
    described,
)
from .loose_json import LONGEST, parse_json


def refusal(
    url: str, status: int, body: bytes, *, retry_after: float | None, redirected_from: str | None
) -> DeepSeekError:
    """The error for an answer whose status is not 200, by what its body says."""
    known = _said(body) or {"message": f"{place(url)} answered with HTTP {status} and nothing else."}
    if redirected_from:
        known["message"] += f" (after a redirect from {redirected_from})"
    if status < 400:
        return APIConnectionError(f"HTTP {status} instead of an answer: {known['message']}", status=status)
    is_lasting = known.get("code") == UNAVAILABLE  # which is no overload: it does not pass
    kind = ServerError if is_lasting else class_for_status(status)
    error = kind(retry_after=retry_after, status=status, **known)
    if is_lasting:
        error.retryable = False
    if status == 404:
        error.remedy = "Check the base URL: the server does not know this address, or not this model."
    return error


def error_in_body(error: Any) -> DeepSeekError:
    """The error that stands, as a JSON value, in an answer whose status is 200."""
    known = described(error)
    code = known.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    return class_for_status(status or 500)(status=status, **known)


def error_in_stream(error: Any) -> StreamInterruptedError:
    """The error that stands, as a JSON value, in an event of a stream."""
    known = described(error)
    known["message"] = f"The server reported an error in the stream: {known['message']}"
    return StreamInterruptedError(**known)


def truncated(url: str) -> StreamInterruptedError:
    """The error for an answer whose end never came."""
    return StreamInterruptedError(f"The answer of {place(url)} ended before it was complete.")


def too_long(what: str) -> StreamInterruptedError:
    """The error for what would fill the memory before it ends."""
    return StreamInterruptedError(
        f"{what} is longer than {LONGEST >> 20} MB, and no answer is.",
        remedy="Check that the base URL is that of a chat-completions API, or ask for fewer alternatives.",
    )


def not_an_answer(url: str, body: bytes) -> DeepSeekError:
    """The error for a 200 whose body is not one of this API's."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        return truncated(url)
    said = f"text that is not JSON: {on_one_line(text, 200)}" if text else "an empty answer"
    return APIConnectionError(
        f"{place(url)} sent {said}", remedy="Check that the base URL is that of a chat-completions API."
    )


def _said(body: bytes) -> dict[str, Any] | None:
    """What a refused request's body says: an error object, JSON of another shape, or bare text."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return None
    try:
        parsed, _ = parse_json(body)
    except ValueError:
        return described(text)
    if isinstance(parsed, dict) and parsed.get("error"):
        return described(parsed["error"])
    if isinstance(parsed, dict) and (parsed.get("message") or parsed.get("detail")):
        return described({"message": parsed.get("message") or parsed.get("detail")})
    return described(text)
