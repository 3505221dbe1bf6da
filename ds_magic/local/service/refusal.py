"""A request that is not answered."""

from __future__ import annotations

import json


class Refusal(Exception):
    """An HTTP status and an error in DeepSeek's shape, for a request that is not answered.

    `more` stands beside the error's own fields.
    """

    def __init__(
        self, status: int, message: str, param: str | None = None, *,
        kind: str = "invalid_request_error", headers: dict[str, str] | None = None,
        code: str = "invalid_request_error", **more: str,
    ):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        error = {"message": message, "type": kind, "param": param, "code": code, **more}
        self.body = json.dumps({"error": error}).encode()
