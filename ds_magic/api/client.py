"""Client: chat, stream and models over one requests.Session."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from typing import Any

import requests

from .errors import AuthenticationError, DeepSeekError, InvalidRequestError, bare
from .events import Event, Note, Queued
from .exchange import Exchange, Timeouts
from .request import DEFAULT_MODEL, ChatRequest
from .response import ChatCompletion, Model, Timing
from .secret import Secret
from .stream import Stream, parse_body, read_payload
from .text import mask_keys, shorten
from .transport import KeyAuth, make_session, place

DEFAULT_BASE_URL = "https://api.deepseek.com"
DEEPSEEK = "DeepSeek"

_log = logging.getLogger("ds_magic")
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Accept-Encoding": "identity",
    "User-Agent": "ds_magic",
}
_UNKNOWN_MODEL = re.compile(
    r"model.*(not|exist|unknown|invalid|unsupported)|(unknown|invalid|unsupported).*model", re.IGNORECASE | re.DOTALL
)


def log_event(event: Event) -> None:
    """Where events go that nobody asked for: to the logger "ds_magic"."""
    _log.log(logging.DEBUG if isinstance(event, Queued) else logging.WARNING, "%s", event)


class Client:
    """A connection to a server of the chat-completions API.

    `base_url` and `api_key` default to DEEPSEEK_BASE_URL and DEEPSEEK_API_KEY, the first then to
    DeepSeek's. `model` is taken where a request names none; where neither names one it is
    `deepseek-chat`, replaced for the client's life by the first of the server's models if the server does
    not know it. `timeout` is a Timeouts, or a number: the total in seconds. `retries`: how often a request
    that failed before its answer began is sent again. `name` is how the server is called in what people
    see. `on_event` is told of waits and notes; without it they are logged. A client may be used from
    several threads.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        *,
        model: str | None = None,
        timeout: Timeouts | float | None = None,
        retries: int = 4,
        name: str | None = None,
        on_event: Callable[[Event], None] | None = None,
    ):
        base_url = base_url or os.environ.get("DEEPSEEK_BASE_URL") or DEFAULT_BASE_URL
        self.base_url = base_url.strip().rstrip("/")
        # A traceback through here may show what its names stand for.
        api_key = Secret.of(api_key) or Secret.of(os.environ.get("DEEPSEEK_API_KEY"))
        self._auth = KeyAuth(api_key) if api_key else None
        if self._auth and not self._auth.is_sendable:
            raise AuthenticationError("The API key holds a character that no key has (it is not shown here).")
        self.model = model or DEFAULT_MODEL
        self._model_is_named = model is not None
        self.timeouts = Timeouts.of(timeout)
        self.retries = retries
        self.name = name or (DEEPSEEK if self.is_deepseek else place(self.base_url))
        self._on_event = on_event or log_event
        self._session = make_session(self.base_url)
        self._said: set[str] = set()
        self._announced: list[str] = []

    @property
    def is_deepseek(self) -> bool:
        """Whether this is DeepSeek's own service."""
        host = place(self.base_url).split(":")[0]
        return host == "deepseek.com" or host.endswith(".deepseek.com")

    def chat(
        self,
        messages: Any,
        *,
        timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None,
        **fields: Any,
    ) -> ChatCompletion:
        """The whole answer at once.

        `messages`: a string (one user message), a list of dicts or message objects, or a ChatRequest.
        `fields`: every request field by its wire name; with `stream=True` the answer is streamed and
        collected. Raises a DeepSeekError.
        """
        if fields.get("stream", isinstance(messages, ChatRequest) and messages.stream):
            with self.stream(messages, timeout=timeout, on_event=on_event, **fields) as stream:
                for _ in stream:
                    pass
            return stream.completion
        on_event = on_event or self._on_event
        request, named, notes = self._prepare(messages, fields, on_event)
        timeout = self._timeouts(timeout)
        error = None
        try:
            exchange, request = self._open(request, named, timeout, on_event, notes)
            body, timing = self._collect(exchange, on_event)
        except DeepSeekError as caught:
            error = caught
        if error is not None:
            raise bare(error, self.masked)
        return ChatCompletion.from_wire(body, request=request, timing=timing, backend=self.name, notes=notes)

    def stream(
        self,
        messages: Any,
        *,
        timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None,
        **fields: Any,
    ) -> Stream:
        """The answer as it comes: a Stream to iterate over, with its `.completion`. Arguments as for `chat`."""
        on_event = on_event or self._on_event
        timeout = self._timeouts(timeout)
        if fields or not isinstance(messages, ChatRequest):
            fields["stream"] = True
        request, named, notes = self._prepare(messages, fields, on_event)
        if not request.stream:
            request = request.model_copy(update={"stream": True})

        def open_exchange(stream: Stream) -> None:
            _, stream.request = self._open(request, named, timeout, on_event, notes, adopt=stream.adopt)

        return Stream(open_exchange, request, backend=self.name, notes=notes, on_event=on_event, masked=self.masked)

    def models(self) -> list[Model]:
        """The models that the server offers. Raises a DeepSeekError."""
        error = None
        try:
            return self._models(self.timeouts, self._on_event)
        except DeepSeekError as caught:
            error = caught
        raise bare(error, self.masked)

    def announce(self, note: str) -> None:
        """Say `note`, a sentence, with the next request, and in its completion's `notes`."""
        self._announced.append(note)

    def close(self) -> None:
        """Let go of the idle connections."""
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({place(self.base_url)!r}, {'with a key' if self._auth else 'without a key'})"

    def send(self, method: str, url: str, body: bytes | None, timeout: tuple[float | None, float | None]):
        """One HTTP request, its answer unread; for Exchange."""
        return self._session.request(
            method, url, data=body, headers=_HEADERS, auth=self._auth or _no_auth, timeout=timeout, stream=True
        )

    def masked(self, text: str) -> str:
        """`text` without anything of the key."""
        return mask_keys(text, self._auth and self._auth.key.reveal())

    def _prepare(
        self, messages: Any, fields: dict[str, Any], on_event: Callable[[Event], None]
    ) -> tuple[ChatRequest, bool, list[str]]:
        """The request to send, whether the user named its model, and what there is to say about it."""
        if isinstance(messages, ChatRequest):
            request = messages.changed(**fields) if fields else messages
        else:
            request = ChatRequest.build(messages, **fields)
        named = "model" in request.model_fields_set or self._model_is_named
        if "model" not in request.model_fields_set:
            request = request.model_copy(update={"model": self.model})
        if self._auth is None and self.is_deepseek:
            raise AuthenticationError("There is no API key for DeepSeek.")
        prepared = request.prepared()
        announced, self._announced = self._announced, []
        notes = announced + [note for note in prepared.notes if note not in self._said]
        self._said.update(note for note in notes if "ignored" in note)
        for note in notes:
            on_event(Note(note))
        return prepared.request, named, notes

    def _open(
        self,
        request: ChatRequest,
        named: bool,
        timeout: Timeouts,
        on_event: Callable[[Event], None],
        notes: list[str],
        adopt: Callable[[Exchange], None] = lambda exchange: None,
    ) -> tuple[Exchange, ChatRequest]:
        """An opened exchange for the request, with the server's own model where it does not know the default."""
        exchange = self._chat_exchange(request, timeout, on_event)
        adopt(exchange)
        try:
            exchange.open()
            return exchange, request
        except InvalidRequestError as caught:
            if not _says_unknown_model(caught):
                raise
            refusal = caught
        offered = self._offered(timeout, on_event, adopt)
        if named or not offered or request.model in offered:
            if offered and request.model not in offered:
                refusal.remedy = f"Name a model that this server has: {shorten(', '.join(offered))}."
            raise refusal
        note = f"This server does not know {request.model}: {offered[0]} answers, its first model."
        self.model = offered[0]
        notes.append(note)
        on_event(Note(note))
        request = request.model_copy(update={"model": self.model})
        exchange = self._chat_exchange(request, timeout, on_event)
        adopt(exchange)
        exchange.open()
        return exchange, request

    def _offered(self, *how: Any) -> list[str]:
        try:
            return [model.id for model in self._models(*how) if model.id]
        except DeepSeekError:
            return []

    def _models(
        self,
        timeout: Timeouts,
        on_event: Callable[[Event], None],
        adopt: Callable[[Exchange], None] = lambda exchange: None,
    ) -> list[Model]:
        exchange = self._exchange("GET", "/models", None, timeout, on_event)
        adopt(exchange)
        exchange.open()
        body, _ = self._collect(exchange, on_event)
        listed = body.get("data")
        listed = listed if isinstance(listed, list) else []
        return [Model.model_validate(each) for each in listed if isinstance(each, dict)]

    def _chat_exchange(self, request: ChatRequest, timeout: Timeouts, on_event: Callable[[Event], None]) -> Exchange:
        path = "/chat/completions"
        if request.needs_beta and not self.base_url.endswith("/beta"):
            path = "/beta" + path
        return self._exchange("POST", path, request.encode(), timeout, on_event)

    def _exchange(
        self, method: str, path: str, body: bytes | None, timeouts: Timeouts, on_event: Callable[[Event], None]
    ) -> Exchange:
        base = self.base_url
        if path.startswith("/beta/"):
            base = base.removesuffix("/v1")
        return Exchange(self, method, base + path, body, timeouts=timeouts, on_event=on_event)

    def _timeouts(self, timeout: Timeouts | float | None) -> Timeouts:
        return self.timeouts if timeout is None else Timeouts.of(timeout)

    def _collect(self, exchange: Exchange, on_event: Callable[[Event], None]) -> tuple[dict[str, Any], Timing]:
        whole = False
        try:
            body = parse_body(read_payload(exchange, on_event), exchange.url)
            whole = True
        finally:
            exchange.finish(whole=whole)
        return body, _timing(body, exchange)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands in for "no key", so that requests does not take one from a netrc file."""
    return request


def _timing(body: dict[str, Any], exchange: Exchange) -> Timing:
    total = time.monotonic() - exchange.sent_at
    usage = body.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return Timing(first_token=None, total=total, tokens_per_second=tokens / total if isinstance(tokens, int) else None)


def _says_unknown_model(error: InvalidRequestError) -> bool:
    if error.status is None:
        return False
    return error.field == "model" or error.code == "model_not_found" or bool(_UNKNOWN_MODEL.search(error.message))

