"""A request that is not answered."""

from __future__ import annotations

from .wire import error_body


class Refusal(Exception):
    """An HTTP status and an error in DeepSeek's shape, for a request that is not answered."""

    def __init__(
        self, status: int, message: str, param: str | None = None, *,
        kind: str = "invalid_request_error", headers: dict[str, str] | None = None, **more: str,
    ):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = error_body(message, kind, param, **more)
