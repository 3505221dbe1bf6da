"""Which server answers: DeepSeek or another one with a key or a base URL, the embedded one without."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.client import Client
    from .api.exchange import Timeouts
    from .api.response import ChatCompletion
    from .api.stream import Stream

EMBEDDED = "embedded model"


class _Secret:
    """A key that no repr shows."""

    def __init__(self, value: str):
        self.value = value

    def __repr__(self) -> str:
        return "****"


_login: _Secret | None = None
_clients: dict[Any, Client] = {}


def login(key: str) -> None:
    """Use `key` from now on, in this process only; before the environment's."""
    global _login
    key = key.strip()
    _login = _Secret(key) if key else None


def logout() -> None:
    """Forget the key of `login`, and every connection made with it."""
    global _login
    _login = None
    _clients.clear()


def current_key() -> str | None:
    """The key that requests are sent with: that of `login`, else DEEPSEEK_API_KEY, else None."""
    return _login.value if _login else os.environ.get("DEEPSEEK_API_KEY") or None


def resolve(*, local: bool = False, base_url: str | None = None, timeout: Timeouts | float | None = None) -> Client:
    """The client of the server that the environment means; the same one again for the same server.

    `local` means the embedded server whatever else is set, `base_url` another server. Without them:
    DEEPSEEK_BASE_URL if set, DeepSeek if there is a key, else the embedded server. Raises a DeepSeekError
    that names both ways out where the embedded server cannot be had.
    """
    from .api.client import Client

    base_url = base_url or os.environ.get("DEEPSEEK_BASE_URL") or None
    key = current_key()
    if local or not (key or base_url):
        from .local.launch import ensure

        server = ensure()
        return _client((server.base_url, server.api_key, timeout), lambda: Client(
            server.base_url, server.api_key, timeout=timeout, name=EMBEDDED
        ))
    return _client((base_url, key, timeout), lambda: Client(base_url, key, timeout=timeout))


def named(name: str | None) -> Client | None:
    """The client of the server that a completion's `backend` names, or None where it is no longer known."""
    if name == EMBEDDED:
        return resolve(local=True)
    for client in _clients.values():
        if client.name == name:
            return client
    client = resolve()
    return client if client.name == name else None


def _client(identity: Any, make) -> Client:
    if identity not in _clients:
        _clients[identity] = make()
    return _clients[identity]


def chat(messages: Any, **fields: Any) -> ChatCompletion:
    """The whole answer of whichever server the environment means; see `Client.chat`."""
    return resolve().chat(messages, **fields)


def stream(messages: Any, **fields: Any) -> Stream:
    """The answer of whichever server the environment means, as it comes; see `Client.stream`."""
    return resolve().stream(messages, **fields)
