"""Where requests meets us: the key, watched connections, and their exceptions in our words."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection

from .addresses import DEEPSEEK_URL, host_of, is_loopback, place
from .clean_text import on_one_line
from .errors import (
    APIConnectionError,
    APITimeoutError,
    DeepSeekError,
    InvalidRequestError,
    StreamInterruptedError,
)
from .paced import PacedResponse, TooSlow
from .secret import Secret

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Accept-Encoding": "identity",
    "User-Agent": "ds_magic",
}

MOST_KEPT = 256
"""Connections to one server that are kept to be used again."""

_opening = threading.local()


class KeyAuth(AuthBase):
    """Puts the key into a request's header. As an auth object, since a netrc file would replace a header."""

    def __init__(self, key: Secret):
        self.key = key

    @property
    def is_sendable(self) -> bool:
        """Whether the key can stand in a header, as every real one can."""
        return all("!" <= character <= "~" for character in self.key.reveal())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.key.reveal()}"
        return request

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyAuth) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return "KeyAuth(****)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client that has a key is not pickled or copied: the key would be in it")


def no_key(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands in for "no key", so that requests does not take one from a netrc file."""
    return request


class _Watched(HTTPConnection):
    """A connection that tells whoever opens it which socket it uses, before it waits for the answer.

    Without this a thread that waits for the headers could not be woken by another.
    """

    response_class = PacedResponse

    def getresponse(self) -> Any:
        on_socket = getattr(_opening, "on_socket", None)
        if on_socket is not None:
            on_socket(self.sock)
        return super().getresponse()


class WatchedAdapter(HTTPAdapter):
    """requests' adapter, its connections watched."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, _Watched):
            pool.ConnectionCls = type("WatchedConnection", (_Watched, pool.ConnectionCls), {})
        return pool

    def close(self) -> None:
        """Close the idle connections. requests only forgets them, and they stay open as long as an error holds them."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  (urllib3's own container, which is not iterable)
                pool: Any = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()


class _Session(requests.Session):
    """A session that prepares but once what is the same in all requests to an address, which has no key and no cookie.

    Many short requests would spend a sixth of their time on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._prepared: dict[tuple[Any, Any], requests.PreparedRequest] = {}

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        known = self._prepared.get((request.method, request.url))
        if known is None:
            known = super().prepare_request(requests.Request(request.method, request.url, request.headers, auth=no_key))
            known.headers.pop("Cookie", None)
            self._prepared[request.method, request.url] = known
        prepared = known.copy()
        if len(self.cookies):
            prepared.prepare_cookies(self.cookies)
        prepared.prepare_body(request.data, None)
        prepared.prepare_auth(request.auth or no_key, "")
        return prepared


@contextlib.contextmanager
def watching(on_socket: Callable[[socket.socket], None]) -> Iterator[None]:
    """While it lasts, `on_socket` is told each socket that this thread's requests use."""
    _opening.on_socket = on_socket
    try:
        yield
    finally:
        _opening.on_socket = None


def make_session(base_url: str) -> requests.Session:
    """A session for one server. Proxies and netrc of the environment are not for loopback."""
    session = _Session()
    session.mount("http://", WatchedAdapter(pool_maxsize=MOST_KEPT))
    session.mount("https://", WatchedAdapter(pool_maxsize=MOST_KEPT))
    session.hooks["response"].append(_without_body_of_redirect)
    session.trust_env = not is_loopback(base_url)
    return session


def _without_body_of_redirect(response: requests.Response, *_: Any, **__: Any) -> None:
    """requests would read the body of a redirect to its end, which may never come."""
    if response.is_redirect:
        response.raw.close()


def opening_error(error: Exception, url: str, connect: float, idle: float) -> DeepSeekError:
    """Our error for what was raised before there was an answer."""
    if isinstance(error, DeepSeekError):
        return error
    where = place(url)
    if isinstance(error, requests.ConnectTimeout):
        return APITimeoutError(f"{where} did not accept a connection within {connect:g} s.")
    if isinstance(_root(error), TooSlow):
        return APITimeoutError(f"{where} began to answer, and did not come to the end of its headers in {idle:g} s.")
    if isinstance(error, requests.Timeout):
        return APITimeoutError(f"{where} sent nothing for {idle:g} s.")
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema):
        return InvalidRequestError(
            f"The base URL {place(url)!r} does not begin with http:// or https://.", field="base_url",
            remedy=f"Give the whole address, such as {DEEPSEEK_URL}.",
        )
    if isinstance(error, requests.exceptions.InvalidURL | urllib3.exceptions.LocationValueError):
        return InvalidRequestError(
            f"The base URL {place(url)!r} is not an address.", field="base_url",
            remedy=f"Give the whole address, such as {DEEPSEEK_URL}.",
        )
    if isinstance(error, requests.exceptions.SSLError):
        return APIConnectionError(f"No secure connection to {where}: {on_one_line(str(_root(error)), 200)}")
    if isinstance(error, requests.exceptions.ProxyError):
        return APIConnectionError(f"The proxy on the way to {where} refused: {on_one_line(str(_root(error)), 200)}")
    root = _root(error)
    if isinstance(root, socket.gaierror | urllib3.exceptions.NameResolutionError):
        return APIConnectionError(f"The name {host_of(url)!r} is not known: is there a network?")
    if isinstance(root, http.client.HTTPException) and not isinstance(root, OSError):
        return APIConnectionError(f"What {where} sent is no answer of HTTP: {_reason(root)}.")
    failure = APIConnectionError(f"No connection to {where}: {_reason(root)}.")
    passes = isinstance(root, OSError | urllib3.exceptions.ProtocolError)
    failure.retryable = passes and not isinstance(root, TimeoutError | requests.RequestException)
    return failure


def reading_error(error: Exception, url: str, idle: float) -> DeepSeekError:
    """Our error for what urllib3 raised while the answer was read."""
    where = place(url)
    if isinstance(error, urllib3.exceptions.ReadTimeoutError | TimeoutError):
        return APITimeoutError(f"{where} sent nothing for {idle:g} s in the middle of the answer.")
    if isinstance(error, urllib3.exceptions.DecodeError):
        return StreamInterruptedError(f"What {where} sent is compressed, and damaged.")
    return StreamInterruptedError(f"The connection to {where} was lost: {_reason(_root(error))}.")


def _root(error: BaseException) -> BaseException:
    """The innermost cause that says something: urllib3 wraps the socket's error two or three times."""
    while True:
        context = None if error.__suppress_context__ else error.__context__
        inner = getattr(error, "reason", None) or error.__cause__ or context
        if not isinstance(inner, BaseException):
            inner = next((each for each in error.args if isinstance(each, BaseException)), None)
        if inner is None or inner is error:
            return error
        error = inner


def _reason(root: BaseException) -> str:
    if isinstance(root, ConnectionRefusedError):
        return "it was refused"
    if isinstance(root, ConnectionResetError | BrokenPipeError):
        return "it was reset"
    if "closed connection without response" in str(root):
        return "it was closed without an answer"
    if isinstance(root, ValueError) or "IncompleteRead" in type(root).__name__ or not str(root):
        return "it ended too early"  # a ValueError is the length of a chunk that is none, or a closed file
    return on_one_line(str(root), 200).rstrip(".")
