"""Client: chat, stream and models over one requests.Session."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import requests

from . import addresses
from .body import read_body
from .clean_text import mask_keys, on_one_line
from .errors import NO_BETA, AuthenticationError, DeepSeekError, InvalidRequestError, bare
from .events import Event, Note, Preparing, Queued
from .exchange import Exchange
from .model_choice import AT_DEEPSEEK, ELSEWHERE, STANDS_FOR, Offer, may_be_about_the_model, names_in
from .models import Model
from .notes import without_effect
from .request import ChatRequest
from .response import ChatCompletion
from .secret import Secret
from .spent import SPENT
from .stream import Stream
from .timeouts import Timeouts
from .transport import HEADERS, KeyAuth, make_session, no_key
from .usage import Timing

_log = logging.getLogger("ds_magic")
_LONGEST_LOOK = 15.0
"""Seconds for which the list of models may keep a request waiting."""


def log_event(event: Event) -> None:
    """Where events go that nobody asked for: to the logger "ds_magic"."""
    _log.log(logging.DEBUG if isinstance(event, Queued | Preparing) else logging.WARNING, "%s", event)


class Client:
    """A connection to a server of the chat-completions API.

    `base_url` and `api_key` default to DEEPSEEK_BASE_URL and DEEPSEEK_API_KEY, the first then to
    DeepSeek's. `model` is taken where a request names none; where neither names one it is
    `deepseek-flash` at DeepSeek and `deepseek-chat` elsewhere, replaced by the first that fits of the
    server's models where the server refuses it, and with an `offer` (which clients of one server can share)
    chosen from them before the first request. `timeout` is a Timeouts, or a number: the total in seconds.
    `retries`: how often a request that failed before its answer began is sent again. `name` is how the
    server is called in what people see. `locate`, asked before each try, says where the server is by then (its
    base URL and key): one that died and was started again has others. `on_event` is told of waits and notes;
    without it they are logged.
    A client may be used from several threads.
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
        offer: Offer | None = None,
        locate: Callable[[], tuple[str, str]] | None = None,
    ):
        self.base_url = addresses.base_url_of(base_url)
        # A traceback through here may show what its names stand for.
        api_key = Secret.of(api_key) or Secret.of(os.environ.get("DEEPSEEK_API_KEY"))
        self._models_url = addresses.address(self.base_url, "/models")
        self._auth = KeyAuth(api_key) if api_key else None
        if self._auth and not self._auth.is_sendable:
            raise AuthenticationError("The API key holds a character that no key has (it is not shown here).")
        self._named_model = model
        self._looks_first = offer is not None
        self._offer = offer or Offer()
        self.timeouts = Timeouts.of(timeout)
        self.retries = retries
        self.name = name or (addresses.DEEPSEEK if self.is_deepseek else addresses.place(self.base_url))
        self._on_event = on_event or log_event
        self._session = make_session(self.base_url)
        self._locate = locate
        self._announced: list[str] = []

    @property
    def is_deepseek(self) -> bool:
        """Whether this is DeepSeek's own service."""
        return addresses.is_deepseek(self.base_url)

    @property
    def model(self) -> str:
        """The model of a request that names none, as far as it is known now."""
        return self._named_model or self._offer.first or (AT_DEEPSEEK if self.is_deepseek else ELSEWHERE)

    def chat(
        self,
        messages: Any,
        *,
        timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None,
        notes: Sequence[str] = (),
        hold: Callable[[Exchange], None] = lambda exchange: None,
        **fields: Any,
    ) -> ChatCompletion:
        """The whole answer at once.

        `messages`: a string (one user message), a list of dicts or message objects, or a ChatRequest.
        `fields`: every request field by its wire name, and `system`, `prefix` as for `ChatRequest.build`; with
        `stream=True` the answer is streamed and collected. `notes` stand on the completion before its own. `hold` is
        given each exchange that is begun, to close it from another thread: then the completion is empty, and
        `interrupted`. Raises a DeepSeekError.
        """
        if fields.get("stream", isinstance(messages, ChatRequest) and messages.stream):
            with self.stream(messages, timeout=timeout, on_event=on_event, notes=notes, **fields) as stream:
                for _ in stream:
                    pass
            return stream.completion
        on_event = on_event or self._on_event
        request, named, said = self._prepare(messages, fields, on_event, notes)
        timeout = self._timeouts(timeout)
        begun: list[Exchange] = []

        def adopt(exchange: Exchange) -> None:
            begun.append(exchange)
            hold(exchange)

        error = None
        try:
            exchange, request = self._open(request, named, timeout, on_event, said, adopt)
            # Blank lines say that DeepSeek's queue is waited in; of the embedded server they say less than that.
            body, timing = self._collect(exchange, _unheard if self._locate else on_event)
        except DeepSeekError as caught:
            error = caught
        if error is not None:
            if not begun or not begun[-1].was_closed:
                raise bare(error, self.masked)
            return ChatCompletion.from_wire(
                {}, request=request, backend=self.name, interruption="stopped", notes=said
            )
        completion = ChatCompletion.from_wire(body, request=request, timing=timing, backend=self.name, notes=said)
        completion.notes.extend(without_effect(completion))
        SPENT.add(completion.model, self.name, completion.usage)
        return completion

    def stream(
        self,
        messages: Any,
        *,
        timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None,
        notes: Sequence[str] = (),
        **fields: Any,
    ) -> Stream:
        """The answer as it comes: a Stream to iterate over, with its `.completion`. Arguments as for `chat`."""
        on_event = on_event or self._on_event
        timeout = self._timeouts(timeout)
        if fields or not isinstance(messages, ChatRequest):
            fields["stream"] = True
        request, named, said = self._prepare(messages, fields, on_event, notes)
        if not request.stream:
            request = request.model_copy(update={"stream": True})

        def open_exchange(stream: Stream) -> None:
            _, stream.request = self._open(request, named, timeout, on_event, said, stream.adopt)

        return Stream(open_exchange, request, backend=self.name, notes=said, on_event=on_event, masked=self.masked)

    def models(self) -> list[Model]:
        """The models that the server offers. Raises a DeepSeekError."""
        error = None
        try:
            exchange = self._exchange("GET", self._models_url, None, self.timeouts, self._on_event)
            return self._listed(exchange, self._on_event)
        except DeepSeekError as caught:
            error = caught
        raise bare(error, self.masked)

    def offered(self) -> list[str]:
        """The names of the server's models, asked for once. Raises a DeepSeekError."""
        if self._offer.names is None:
            self._offer.names = [model.id for model in self.models() if model.id]
        return self._offer.names

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
        return f"Client({addresses.place(self.base_url)!r}, {'with a key' if self._auth else 'without a key'})"

    def send(
        self, method: str, url: str, body: bytes | None, timeout: tuple[float | None, float | None]
    ) -> requests.Response:
        """One HTTP request, its answer unread; for Exchange."""
        if self._locate is not None:
            located, key = self._locate()
            self._auth = KeyAuth(Secret(key))
            url = located + addresses.path_of(url)
        return self._session.request(
            method, url, data=body, headers=HEADERS, auth=self._auth or no_key, timeout=timeout, stream=True
        )

    def masked(self, text: str) -> str:
        """`text` without anything of the key; the names of models are none of it."""
        names = {self.model, *STANDS_FOR, AT_DEEPSEEK, *(self._offer.names or ())}
        return mask_keys(text, self._auth.key.reveal() if self._auth else None, names)

    def _prepare(
        self, messages: Any, fields: dict[str, Any], on_event: Callable[[Event], None], notes: Sequence[str]
    ) -> tuple[ChatRequest, bool, list[str]]:
        """The request to send, whether the user named its model, and what there is to say about it."""
        if isinstance(messages, ChatRequest):
            request = messages.changed(**fields) if fields else messages
        else:
            request = ChatRequest.build(messages, **fields)
        named = "model" in request.model_fields_set or self._named_model is not None
        if "model" not in request.model_fields_set:
            request = request.model_copy(update={"model": self.model})
        if self._auth is None and self.is_deepseek:
            raise AuthenticationError("There is no API key for DeepSeek.")
        prepared = request.prepared()
        said = [*notes, *self._announced, *prepared.notes]
        self._announced.clear()  # in its place: a copy of this client shares it
        for note in said:
            on_event(Note(note))
        return prepared.request, named, said

    def _open(
        self,
        request: ChatRequest,
        named: bool,
        timeout: Timeouts,
        on_event: Callable[[Event], None],
        notes: list[str],
        adopt: Callable[[Exchange], None],
    ) -> tuple[Exchange, ChatRequest]:
        """An opened exchange for the request, as it was sent: to a model that the server has, if there is one."""

        def tell(note: str) -> None:
            if note not in notes:
                notes.append(note)
                on_event(Note(note))

        def attempt(request: ChatRequest) -> tuple[Exchange, ChatRequest]:
            suited, said = request.suited_to_model()
            exchange = self._chat_exchange(suited, timeout, on_event)
            adopt(exchange)
            for note in said:
                tell(note)
            try:
                exchange.open()
            except InvalidRequestError as refusal:
                if refusal.status in (404, 405) and suited.needs_beta and not self.base_url.endswith("/beta"):
                    refusal.remedy = NO_BETA
                raise
            return exchange, suited

        if not named and self._looks_first and self._offer.names is None:
            self._look(timeout, adopt)
            request = request.model_copy(update={"model": self.model})
        if self._offer.lacks(request.model):
            request, said = self._offer.replaced(request, named)
            for note in said:
                tell(note)
        try:
            return attempt(request)
        except InvalidRequestError as caught:
            known = named or bool(self._offer.names)
            if not may_be_about_the_model(caught.status, caught.field, caught.code, caught.message, named=known):
                raise
            refusal = caught
        self._look(timeout, adopt)
        self._offer.names = self._offer.names or names_in(refusal.message)
        replaced, said = self._offer.replaced(request, named)
        if replaced.model == request.model:
            if self._offer.lacks(request.model):
                offered = on_one_line(", ".join(self._offer.names or ()), 300)
                refusal.remedy = f"Name a model that this server has: {offered}."
            raise refusal
        tell(said[0] if said else f"This server does not know {request.model}: {replaced.model} answers instead.")
        return attempt(replaced)

    def _look(self, timeout: Timeouts, adopt: Callable[[Exchange], None]) -> None:
        """Ask which models there are, without insisting: a server that does not say it has an empty offer."""
        total = min(_LONGEST_LOOK, timeout.total or _LONGEST_LOOK)
        exchange = self._exchange("GET", self._models_url, None, replace(timeout, total=total), _unheard, retries=0)
        adopt(exchange)
        try:
            self._offer.names = [model.id for model in self._listed(exchange, _unheard) if model.id]
        except DeepSeekError:
            if not exchange.was_closed:
                self._offer.names = self._offer.names or []

    def _listed(self, exchange: Exchange, on_event: Callable[[Event], None]) -> list[Model]:
        exchange.open()
        body, _ = self._collect(exchange, on_event)
        listed = body.get("data")
        listed = listed if isinstance(listed, list) else []
        return [Model.model_validate(each) for each in listed if isinstance(each, dict)]

    def _chat_exchange(self, request: ChatRequest, timeout: Timeouts, on_event: Callable[[Event], None]) -> Exchange:
        url = addresses.address(self.base_url, "/chat/completions", beta=request.needs_beta)
        return self._exchange("POST", url, request.encode(), timeout, on_event)

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        timeouts: Timeouts,
        on_event: Callable[[Event], None],
        retries: int | None = None,
    ) -> Exchange:
        retries = self.retries if retries is None else retries
        return Exchange(self, method, url, body, timeouts=timeouts, retries=retries, on_event=on_event)

    def _timeouts(self, timeout: Timeouts | float | None) -> Timeouts:
        return self.timeouts if timeout is None else Timeouts.of(timeout)

    def _collect(self, exchange: Exchange, on_event: Callable[[Event], None]) -> tuple[dict[str, Any], Timing]:
        whole = False
        try:
            body = read_body(exchange, on_event)
            whole = True
        finally:
            exchange.finish(whole=whole)
        return body, Timing.of_whole(time.monotonic() - exchange.sent_at, body.get("usage"))


def _unheard(event: Event) -> None:
    """Waits of a question that nobody asked are not told."""
