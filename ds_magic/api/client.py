"""Client: chat, stream, complete and models over one requests.Session."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import copy
from typing import Any, TypeVar

import requests

from .. import conveniences
from . import addresses
from .balance import Balance, balance_told
from .body import collected
from .clean_text import mask_keys
from .completing import Completing
from .errors import AuthenticationError, DeepSeekError, InvalidRequestError, bare
from .events import Event, Note, log_event, unheard
from .exchange import Exchange
from .limit_errors import check_alternatives
from .model_choice import AT_DEEPSEEK, ELSEWHERE, STANDS_FOR, Offer
from .models import Model, listed
from .notes import without_effect
from .opening import Opening
from .recorded import RECORDING, Begin, Question, RecalledTape, Source, Tape, Unopened
from .request import ChatRequest
from .response import ChatCompletion
from .secret import Secret
from .spent import SPENT
from .stream import Stream
from .timeouts import Timeouts
from .transport import HEADERS, KeyAuth, make_session, no_key

Told = TypeVar("Told")


class Client(Completing):
    """A connection to a server of the chat-completions API.

    `base_url` and `api_key` default to DEEPSEEK_BASE_URL and DEEPSEEK_API_KEY, the first then to
    DeepSeek's; an empty `api_key` is none. `model` is taken where a request names none; where neither names one it is
    `deepseek-flash` at DeepSeek and `deepseek-chat` elsewhere, replaced by the first that fits of the
    server's models where the server refuses it, and with an `offer` (which clients of one server can share)
    chosen from them before the first request. `timeout` is a Timeouts, or a number: the total in seconds.
    `retries`: how often a request that failed before its answer began is sent again. `name` is how the
    server is called in what people see. `locate`, asked before each try, says where the server is by then (its
    base URL and key): one that died and was started again has others. `on_event` is told of waits and notes;
    without it they are logged. `journal` (a path or a Journal) records every exchange, and `cache` spares those that
    are in it; with `replay` nobody is asked but the recording, `speed` (1) times as fast as it came, 0 at once.
    A client may be used from several threads.
    """

    local_model: str | None = None
    """How the model on this machine was named that answers, where anybody named one for this client."""

    def __init__(
        self, base_url: str | None = None, api_key: str | Secret | None = None, *, model: str | None = None,
        timeout: Timeouts | float | None = None, retries: int = 4, name: str | None = None,
        on_event: Callable[[Event], None] | None = None, offer: Offer | None = None,
        locate: Callable[[], tuple[str, str]] | None = None,
        journal: Any = None, cache: bool = False, replay: Any = None, speed: float | None = None,
    ):
        self._tape = conveniences.tape(journal, cache, replay, speed)
        self.base_url = addresses.base_url_of(base_url)
        # A traceback through here may show what its names stand for.
        api_key = Secret.of(os.environ.get("DEEPSEEK_API_KEY") if api_key is None else api_key)
        self._models_url = addresses.address(self.base_url, "/models")
        self._auth = KeyAuth(api_key) if api_key else None
        if self._auth and not self._auth.is_sendable:
            raise AuthenticationError("The API key holds a character that no key has (it is not shown here).")
        self._named_model = model
        self.looks_first = offer is not None
        self.offer = offer or Offer()
        self.timeouts = Timeouts.of(timeout)
        self.retries = retries
        at = addresses.DEEPSEEK if self.is_deepseek else addresses.place(self.base_url)
        self.name = name or (RECORDING if replay is not None else at)
        self._on_event = on_event or log_event
        self._session = make_session(self.base_url)
        self._locate = locate
        self._begin: Begin = Exchange
        self._announced: list[str] = []

    @property
    def is_deepseek(self) -> bool:
        """Whether this is DeepSeek's own service, or a recording of it."""
        played = self._tape.server
        return addresses.is_deepseek(self.base_url) if played is None else played == addresses.DEEPSEEK

    @property
    def server(self) -> str:
        """Whose answers these are: the `name`, or in a replay that of the server which was recorded."""
        return self.name if self._tape.server is None else self._tape.server

    @property
    def key(self) -> Secret | None:
        """The key that requests are sent with, which shows nothing of itself."""
        return self._auth.key if self._auth else None

    def beginning(self, begin: Begin) -> Client:
        """This client, its exchanges made by `begin` rather than by `Exchange`: elsewhere, for example."""
        other = copy(self)
        other._begin = begin
        return other

    def through(self, tape: Tape | None = None, *, journal: Any = None, cache: bool = False) -> Client:
        """This client, asking through a tape or that of a journal: the same connections, the same key."""
        other = copy(self)
        other._tape = tape or conveniences.tape(journal, cache)
        return other

    def of_sample(self, number: int) -> Client:
        """This client for the `number`th of several answers to the same request, from 0: a journal tells them apart."""
        tape = self._tape.of_sample(number)
        return self if tape is self._tape else self.through(tape)

    def recording(self) -> AbstractContextManager[object]:
        """While it lasts, its journal is nobody else's to write. Raises JournalInUseError."""
        return self._tape.held()

    def changed_since(self, requests: Sequence[ChatRequest]) -> str | None:
        """How the first differs from the nearest that its journal spares; None where that knows one of them."""
        return self._tape.changed_since([self._question(request) for request in requests])

    def recalling(self, request: ChatRequest) -> RecalledTape | None:
        """The tape that answers `request` with what its journal spares; None where somebody has to be asked."""
        return self._tape.recalling(self._question(request))

    @property
    def model(self) -> str:
        """The model of a request that names none, as far as it is known now."""
        return self._named_model or self.offer.first or (AT_DEEPSEEK if self.is_deepseek else ELSEWHERE)

    def chat(
        self,
        messages: Any,
        *,
        timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None,
        notes: Sequence[str] = (),
        hold: Callable[[Source], None] = lambda source: None,
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
        begun: list[Source] = []

        def adopt(exchange: Source) -> None:
            begun.append(exchange)
            hold(exchange)

        error = None
        try:
            exchange, request = self._open(request, named, timeout, on_event, said, adopt)
            # Blank lines say that DeepSeek's queue is waited in; of the embedded server they say less than that.
            body, timing = collected(exchange, unheard if self._locate else on_event)
        except DeepSeekError as caught:
            error = caught
        if error is not None:
            if not begun or not begun[-1].was_closed:
                raise bare(error, self.masked)
            return ChatCompletion.from_wire(
                {}, request=request, backend=self.name, interruption="stopped", notes=said
            )
        recorded = exchange.recorded
        completion = ChatCompletion.from_wire(
            request.read_body(body), request=request, timing=timing, recorded=recorded, notes=said,
            backend=self.name if recorded is None else recorded.backend,
        )
        completion.notes.extend(without_effect(completion))
        if recorded is None:
            SPENT.add(completion.model, self.name, completion.usage)
        return completion

    def stream(
        self, messages: Any, *, timeout: Timeouts | float | None = None,
        on_event: Callable[[Event], None] | None = None, notes: Sequence[str] = (), **fields: Any,
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
        return self._told(self._models_url, listed, "list of models")

    def balance(self) -> Balance:
        """What is left on the key's account. Raises a DeepSeekError, of a server that tells of none, too."""
        return self._told(addresses.root(self.base_url) + "/user/balance", balance_told, "balance")

    def _told(self, url: str, read: Callable[[Unopened, Callable[[Event], None]], Told], what: str) -> Told:
        if self.server != self.name:
            raise InvalidRequestError(f"A recording is no server, and has no {what}.")
        try:
            return read(self.exchange("GET", url, None, self.timeouts, self._on_event), self._on_event)
        except DeepSeekError as caught:
            error = bare(caught, self.masked)
        raise error

    def offered(self) -> list[str]:
        """The names of the server's models, asked for once. Raises a DeepSeekError."""
        if self.offer.names is None:
            self.offer.names = [model.id for model in self.models() if model.id]
        return self.offer.names

    def announce(self, note: str) -> None:
        """Say `note`, a sentence, with the next request, and in its completion's `notes`."""
        self._announced.append(note)

    def close(self) -> None:
        """Let go of idle connections."""
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
        names = {self.model, *STANDS_FOR, AT_DEEPSEEK, *(self.offer.names or ())}
        return mask_keys(text, self.key.reveal() if self.key else None, names)

    def _prepare(
        self, messages: Any, fields: dict[str, Any], on_event: Callable[[Event], None], notes: Sequence[str]
    ) -> tuple[ChatRequest, bool, list[str]]:
        """The request to send, whether the user named its model, and what there is to say about it."""
        request, named = self._with_model(messages, fields)
        if self._auth is None and self.is_deepseek and self.server == self.name:
            raise AuthenticationError("There is no API key for DeepSeek.")
        if self.server != addresses.EMBEDDED:
            check_alternatives(request.top_logprobs)
        prepared = request.prepared()
        said = [*notes, *self._announced, *prepared.notes]
        self._announced.clear()  # in its place: a copy of this client shares it
        for note in said:
            on_event(Note(note))
        return prepared.request, named, said

    def _with_model(self, messages: Any, fields: dict[str, Any]) -> tuple[ChatRequest, bool]:
        if isinstance(messages, ChatRequest):
            request = messages.changed(**fields) if fields else messages
        else:
            request = ChatRequest.build(messages, **fields)
        named = "model" in request.model_fields_set or self._named_model is not None
        if "model" not in request.model_fields_set:
            request = request.model_copy(update={"model": self.model})
        return request, named

    def _open(
        self, request: ChatRequest, named: bool, timeout: Timeouts, on_event: Callable[[Event], None],
        notes: list[str], adopt: Callable[[Source], None],
    ) -> tuple[Source, ChatRequest]:
        """An opened source of the answer, and the request that it answers."""

        def tell(note: str) -> None:
            if note not in notes:
                notes.append(note)
                on_event(Note(note))

        opening = Opening(self, timeout, on_event, tell, adopt)
        question = self._question(request, named, tell)
        return self._tape.open(question, lambda: opening.open(request, named), adopt, notes)

    def _question(
        self, request: ChatRequest, named: bool | None = None, tell: Callable[[str], None] = lambda note: None
    ) -> Question:
        if named is None:  # not prepared yet
            asked, named = self._with_model(request, {})
            request = asked.prepared().request
        # The model on this machine is the server's, and nobody's choice.
        is_named = named and not (self._locate and request.model == self._named_model)
        return Question(
            request, is_named, self.name, self.address_of(request), None if is_named else self._named_model,
            self.key, self.masked, tell,
        )

    def address_of(self, request: ChatRequest) -> str:
        """Where a request goes."""
        return addresses.address(self.base_url, request.path, beta=request.needs_beta)

    def look_first(self) -> None:
        """Ask which models there are, where nobody has yet, as the first request to one that nobody named would."""
        if self.looks_first and self.offer.names is None:
            Opening(self, self.timeouts, unheard, lambda note: None, lambda source: None).look()

    def tell(self, note: str) -> None:
        """Say `note` where it is said what happens on the way."""
        self._on_event(Note(note))

    def look(self, timeout: Timeouts, on_event: Callable[[Event], None], adopt: Callable[[Source], None]) -> list[str]:
        """The names of the server's models, asked for once and without trying again. Raises a DeepSeekError."""
        exchange = self.exchange("GET", self._models_url, None, timeout, on_event, retries=0)
        adopt(exchange)
        return [model.id for model in listed(exchange, on_event) if model.id]

    def exchange(
        self, method: str, url: str, body: bytes | None, timeouts: Timeouts, on_event: Callable[[Event], None],
        retries: int | None = None,
    ) -> Unopened:
        """An exchange with the server, not begun yet."""
        retries = self.retries if retries is None else retries
        return self._begin(self, method, url, body, timeouts=timeouts, retries=retries, on_event=on_event)

    def _timeouts(self, timeout: Timeouts | float | None) -> Timeouts:
        return self.timeouts if timeout is None else Timeouts.of(timeout)
