"""What can go wrong, each with what to do next.

    DeepSeekError
    ├── AuthenticationError         401   the key is wrong or missing
    ├── InsufficientBalanceError    402   the account is used up
    ├── InvalidRequestError         400, 422, other 4xx, and what we refuse before sending
    ├── RateLimitError              429   too many requests
    ├── ServerError                 500 and other 5xx
    │   └── ServerOverloadedError   503
    ├── APIConnectionError          the server could not be reached, or does not speak this API
    │   └── APITimeoutError         it did not answer in time
    └── StreamInterruptedError      the stream ended before `[DONE]`, or an error came in it

Only what may pass by itself is tried again (`retryable`): 429, 500, 503, and connections that failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import conveniences
from .clean_text import for_report, on_one_line
from .loose_json import written

if TYPE_CHECKING:
    from .response import ChatCompletion


class DeepSeekError(Exception):
    """Something went wrong between the request and its answer.

    `message`: what happened, without keys. `status`: the HTTP status, or None. `remedy`: what to do
    next, a sentence. `partial`: the ChatCompletion of what had arrived, or None. `field`, `code`,
    `type`: what the server named, or None; a `code` is text or a number. `retry_after`: seconds the server asks
    to wait, or None. Whatever of it is text can be shown, wherever it came from.
    """

    status_code: int | None = None
    default_remedy = "Look at the message; `%ds_why` shows where it was raised."
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        remedy: str | None = None,
        partial: ChatCompletion | None = None,
        field: str | None = None,
        code: Any = None,
        type: str | None = None,
        retry_after: float | None = None,
    ):
        self.message = for_report(str(message))
        super().__init__(self.message)
        self.status = self.status_code if status is None else status
        self.remedy = for_report(remedy or self.default_remedy)
        self.partial = partial
        self.field = _named(field)
        self.code = code if isinstance(code, int | float) else _named(code)
        self.type = _named(type)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message

    @property
    def remedy(self) -> str:
        """What to do next, a sentence. A traceback of plain Python ends with it, too."""
        return self._remedy

    @remedy.setter
    def remedy(self, remedy: str) -> None:
        self._remedy = remedy
        self.__notes__ = [f"→ {remedy}"]

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: what an error is made with differs from class to class, and what it holds does not."""
        return _unpickled, (type(self), self.message), self.__dict__

    def _render_traceback_(self, *_: Any) -> list[str]:
        """What IPython shows, in any cell: a short panel rather than a traceback."""
        return conveniences.error_shown(self)


def _unpickled(kind: type[DeepSeekError], message: str) -> DeepSeekError:
    return kind.__new__(kind, message)


def _named(value: Any) -> str | None:
    """What somebody calls a thing, as a short text, whatever it is in JSON."""
    if value is None:
        return None
    return on_one_line(for_report(value if isinstance(value, str) else written(value)), 200)


class AuthenticationError(DeepSeekError):
    """401: the API key is wrong, or there is none."""

    status_code = 401
    default_remedy = "Set a valid key with `%ds_login`, or in the environment variable DEEPSEEK_API_KEY."


class InsufficientBalanceError(DeepSeekError):
    """402: the account's balance is used up."""

    status_code = 402
    default_remedy = "Top up the account, or answer with the model on this machine: `--local`."


class InvalidRequestError(DeepSeekError):
    """400, 422 or another 4xx: the request breaks a rule. `status` is None where we refused to send it.

    `field`, `value`, `limit`: what broke which documented limit, where that is known.
    """

    default_remedy = "Change the field that the message names."

    def __init__(self, message: str, *, value: Any = None, limit: str | None = None, **known: Any):
        super().__init__(message, **known)
        self.value = value
        self.limit = limit


class RateLimitError(DeepSeekError):
    """429: too many requests at once."""

    status_code = 429
    default_remedy = "Wait a little and run it again, with fewer requests at the same time."
    retryable = True


class ServerError(DeepSeekError):
    """500, or another 5xx: the server failed."""

    status_code = 500
    default_remedy = "It is not your request: run it again in a little while."
    retryable = True


class ServerOverloadedError(ServerError):
    """503: the server has too much to do."""

    status_code = 503
    default_remedy = "The server is overloaded: wait a little and run it again."


class APIConnectionError(DeepSeekError):
    """The server could not be reached, or what answered does not speak this API."""

    default_remedy = "Check the network and the base URL, or answer with the model on this machine: `--local`."


class APITimeoutError(APIConnectionError):
    """The server did not answer within the time allowed."""

    default_remedy = "Run it again, or allow more time with `--timeout`."


class StreamInterruptedError(DeepSeekError):
    """The stream ended before `[DONE]`, or an error object came in it; `partial` holds what had arrived."""

    default_remedy = "Run it again for the whole answer."


_BY_STATUS: dict[int, type[DeepSeekError]] = {
    401: AuthenticationError,
    402: InsufficientBalanceError,
    429: RateLimitError,
    503: ServerOverloadedError,
}


def class_for_status(status: int) -> type[DeepSeekError]:
    """The error class that a refusal with this HTTP status is raised as."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ServerError if status >= 500 else InvalidRequestError


NO_BETA = (
    "This server seems to have no `/beta`, where a prefix, a fork, a gap and strict functions are served: leave that "
    "out, or ask a server that has it, such as the model on this machine: `--local`."
)
"""The remedy where a beta address is not there."""

FORCED_CALL = "Switch thinking off with `--no-thinking`, or leave out `--tool-choice`."
"""The remedy where a model that thinks is to be made to call a function."""

UNAVAILABLE = "model_unavailable"
"""The `code` with which the embedded server says that its model cannot be had: trying again is no use."""


def described(error: Any) -> dict[str, Any]:
    """What an error object of the wire says: `message`, `type`, `field`, `code` and, from ours, `remedy`.

    `error` is the object under "error", or whatever stands there instead.
    """
    if not isinstance(error, dict):
        return {"message": on_one_line(str(error), 300)}
    message = error.get("message")
    return {
        "message": on_one_line(str(message if message else error), 600),
        "type": error.get("type"),
        "field": error.get("param"),
        "code": error.get("code"),
        "remedy": on_one_line(error["remedy"], 600) if isinstance(error.get("remedy"), str) else None,
    }


def bare(error: DeepSeekError, masked: Callable[[str], str]) -> DeepSeekError:
    """The error as it may be shown: without the frames it passed and its cause, whose locals may hold headers.

    `masked` takes the client's key out of what the server said.
    """
    error.message = masked(error.message)
    error.args = (error.message,)
    for name in ("remedy", "field", "type", "code"):
        said = getattr(error, name)
        if isinstance(said, str):
            setattr(error, name, masked(said))
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)
