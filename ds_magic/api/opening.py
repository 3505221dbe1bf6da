"""Opening: the way of a request to a model that answers it, which may take a look at what the server has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .clean_text import on_one_line
from .errors import FORCED_CALL, NO_BETA, DeepSeekError, InvalidRequestError
from .events import Event, unheard
from .model_choice import may_be_about_the_model, names_in
from .recorded import Source
from .request import ChatRequest

if TYPE_CHECKING:
    from .client import Client
    from .timeouts import Timeouts

_LONGEST_LOOK = 15.0
"""Seconds for which the list of models may keep a request waiting."""


class Opening:
    """Opens exchanges of a client. `tell`: a note for the answer. `adopt` is given each exchange that is begun."""

    def __init__(
        self,
        client: Client,
        timeout: Timeouts,
        on_event: Callable[[Event], None],
        tell: Callable[[str], None],
        adopt: Callable[[Source], None],
    ):
        self._client = client
        self._offer = client.offer
        self._timeout = timeout
        self._on_event = on_event
        self._tell = tell
        self._adopt = adopt

    def open(self, request: ChatRequest, named: bool) -> tuple[Source, ChatRequest]:
        """An opened exchange for the request, as it was sent: to a model that the server has, if there is one.

        `named`: whether somebody chose the model. Raises a DeepSeekError.
        """
        if not named and self._client.looks_first and self._offer.names is None:
            self.look()
            request = request.model_copy(update={"model": self._client.model})
        if self._offer.lacks(request.model):
            request, said = self._offer.replaced(request, named)
            for note in said:
                self._tell(note)
        try:
            return self._attempt(request)
        except InvalidRequestError as caught:
            known = named or bool(self._offer.names)
            if not may_be_about_the_model(caught.status, caught.field, caught.code, caught.message, named=known):
                raise
            refusal = caught
        self.look()
        self._offer.names = self._offer.names or names_in(refusal.message)
        replaced, said = self._offer.replaced(request, named)
        if replaced.model == request.model:
            if self._offer.lacks(request.model):
                offered = on_one_line(", ".join(self._offer.names or ()), 300)
                refusal.remedy = f"Name a model that this server has: {offered}."
            raise refusal
        self._tell(said[0] if said else f"This server does not know {request.model}: {replaced.model} answers instead.")
        return self._attempt(replaced)

    def _attempt(self, request: ChatRequest) -> tuple[Source, ChatRequest]:
        client = self._client
        suited, said = request.suited_to_model()
        url = client.address_of(suited)
        exchange = client.exchange("POST", url, suited.encode(), self._timeout, self._on_event)
        self._adopt(exchange)
        for note in said:
            self._tell(note)
        try:
            exchange.open()
        except InvalidRequestError as refusal:
            if refusal.status in (404, 405) and suited.needs_beta and not client.base_url.endswith("/beta"):
                refusal.remedy = NO_BETA
            if suited.forces_a_call and not suited.is_told_not_to_think and "tool_choice" in _named(refusal):
                refusal.remedy = FORCED_CALL
            raise
        return exchange, suited

    def look(self) -> None:
        """Ask which models there are, without insisting: a server that does not say it has an empty offer."""
        begun: list[Source] = []

        def adopt(source: Source) -> None:
            begun.append(source)
            self._adopt(source)

        total = min(_LONGEST_LOOK, self._timeout.total or _LONGEST_LOOK)
        try:
            self._offer.names = self._client.look(replace(self._timeout, total=total), unheard, adopt)
        except DeepSeekError:
            if not begun[-1].was_closed:
                self._offer.names = self._offer.names or []


def _named(refusal: InvalidRequestError) -> str:
    return f"{refusal.field or ''} {refusal.message}"
