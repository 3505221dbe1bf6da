"""DeepSeek's contract over HTTP, on this machine only: `/chat/completions`, `/completions` and `/models`."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from aiohttp import web

from ...api.clean_text import on_one_line
from ...api.errors import UNAVAILABLE
from ...api.request import ChatRequest
from ..answers.answer import Answer
from ..answers.continuation import Continuation
from ..answers.scoring import Scoring, texts_of
from ..answers.speech import Part, Saying
from ..engine.engine import Engine
from ..engine.sampling import Token
from ..model_failures import ContextOverflowError, EngineError, LocalModelError, PromptError, QueueFullError
from ..server_options import KEEP_ALIVE
from ..thrift import Thrift
from . import checks, origin
from .contract import Seeds, Today
from .envelope import Envelope
from .faults import HEADER, Fault
from .faulty_answers import FaultyOutlet, faulty_parts
from .leases import FIRST_LEASE, Leases
from .outlet import Outlet
from .refusal import Refusal
from .shape import ChatShape, Shape
from .text_shape import TextShape
from .token_json import TokenWriter

LARGEST_BODY = 4 * 1024**2
_TIME_TO_TELL = 0.2
"""Seconds that a refusal has to reach its client before `on_failure` is called."""
PAUSE = 1.0
"""Seconds after a request, after which freed memory is given back."""
PREFIXES = ("", "/v1", "/beta")


class LocalService:
    """The HTTP side of one engine.

    `key`: what a client must send. `model`: the name of the engine's model. `today`: whether DeepSeek's
    service of today is spoken, rather than the seeds' documents. `keep_alive`: seconds of silence after
    which a waiting client is told that it still waits. `fault`: what shall go wrong.
    `log`: told of each request as it ends, in a line. `on_failure`: called when a client has been told
    that the model cannot be had. `leases`: who uses it, where it ends when nobody does.
    """

    def __init__(
        self, engine: Engine, *, key: str, model: str, today: bool = False, keep_alive: float = KEEP_ALIVE,
        loopback_only: bool = True,
        fault: Fault | None = None, log: Callable[[str], None] | None = None,
        on_failure: Callable[[], None] | None = None, leases: Leases | None = None,
    ):
        self.engine = engine
        self.key = key
        self.contract = Today(model) if today else Seeds(model)
        self.keep_alive = keep_alive
        self.loopback_only = loopback_only
        self.fingerprint = f"fp_{model}_{origin.build()}"
        self.on_failure = on_failure
        self.leases = leases
        self._fault = fault
        self._hits = 0
        self._log = log
        self._notes: dict[int, str] = {}
        self._writer: TokenWriter | None = None
        # Soon, and when llama.cpp has let the model go.
        self._thrift = Thrift(PAUSE, engine.sleep + PAUSE, is_busy=lambda: bool(engine.slots.busy))

    def app(self) -> web.Application:
        """The application, ready to be run."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guard])
        for prefix in PREFIXES:
            app.router.add_post(f"{prefix}/chat/completions", self.chat)
            app.router.add_post(f"{prefix}/completions", self.complete)
            app.router.add_get(f"{prefix}/models", self.models, allow_head=False)
            app.router.add_get(f"{prefix}/models/{{name}}", self.model, allow_head=False)
        if self.leases is not None:
            self.leases.begin(FIRST_LEASE)
            app.router.add_get("/lease", self.leases.hold, allow_head=False)
            app.router.add_post("/unload", self.unload)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        begun = time.monotonic()
        outcome = "went away"
        try:
            response = await self._answered(request, handler)
            outcome = str(response.status)
            return response
        finally:
            self._thrift.happened()
            if self._log:
                note = self._notes.pop(id(request), "")
                seconds = time.monotonic() - begun
                self._log(on_one_line(f"{request.method} {request.path} {outcome}{note} {seconds:.1f} s"))

    async def _answered(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The response, with whatever went wrong in DeepSeek's shape."""
        try:
            checks.check_origin(
                request.headers.get("Host"), request.headers.get("Origin"), loopback_only=self.loopback_only
            )
            checks.check_key(request.headers.get("Authorization"), self.key)
            return await handler(request)
        except Refusal as refusal:
            error = refusal
        except web.HTTPException as http:  # no such path, wrong method, too large a body
            allowed = {name: http.headers[name] for name in ("Allow",) if name in http.headers}
            error = Refusal(http.status, http.reason, headers=allowed)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # ours to mend: the client gets the documented shape, the terminal the traceback
            traceback.print_exc()
            error = Refusal(500, "The server failed at this request.", kind="server_error")
        return web.Response(
            status=error.status, body=error.body, content_type="application/json",
            headers={**error.headers, **self._said()},
        )

    async def models(self, request: web.Request) -> web.Response:
        """The names that can be asked for, the one to use first."""
        fields = await self._fields_of_models()
        data = [{"id": name, **fields} for name in self.contract.listed]
        return web.json_response({"object": "list", "data": data}, headers=self._said())

    async def model(self, request: web.Request) -> web.Response:
        """One of the models, by a name that can be asked for."""
        name = request.match_info["name"]
        if not self.contract.known(name):
            raise self.contract.unknown(name, 404)
        return web.json_response({"id": name, **await self._fields_of_models()}, headers=self._said())

    async def _fields_of_models(self) -> dict[str, str | int]:
        """What is told of each model beside its name: they are all the same one."""
        limits = await self._limits() if self.contract.tells_limits else {}
        return {"object": "model", "owned_by": "ds_magic", **limits}

    async def unload(self, request: web.Request) -> web.Response:
        """End, unless somebody is being answered; who uses this server starts another one at its next request."""
        if busy := self.engine.slots.busy:
            raise Refusal(409, f"It answers {busy} {'request' if busy == 1 else 'requests'} just now.")
        if self.leases is not None:
            asyncio.get_running_loop().call_later(_TIME_TO_TELL, self.leases.end)
        return web.json_response({"unloaded": self.contract.own})

    def _said(self) -> dict[str, str]:
        """The header that says what shall go wrong here."""
        return {HEADER: self._fault.spec} if self._fault else {}

    async def _limits(self) -> dict[str, int]:
        """What the model that really runs has room for, once it is loaded."""
        try:
            await self.engine.ready()
        except LocalModelError as failure:
            raise self._failed(failure) from None
        return {"context_window": self.engine.context, "max_output_tokens": self.engine.context}

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One chat completion, streamed or whole."""
        beta = request.path.startswith("/beta/")
        fault = await self._trouble(request)
        asked = checks.check(checks.parse(await request.read()), beta=beta, contract=self.contract)
        alternatives = _alternatives(asked)
        answer: Answer | Scoring
        if texts := texts_of(asked):
            answer, alternatives = Scoring(self.engine, asked, texts), alternatives or 0
        else:
            answer = Answer(self.engine, asked)
        shape = ChatShape(self._written, alternatives, asked.thinks)
        return await self._answer(request, asked, answer, shape, fault)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """One text that goes on with another, or fills a gap in it, streamed or whole."""
        fault = await self._trouble(request)
        asked = checks.check_text(checks.parse(await request.read()), self.contract)
        shape = TextShape(self.engine, asked.prompt, bool(asked.echo), _alternatives(asked))
        return await self._answer(request, asked, Continuation(self.engine, asked), shape, fault)

    async def _answer(
        self, request: web.Request, asked: ChatRequest, answer: Saying | Scoring, shape: Shape, fault: Fault | None
    ) -> web.StreamResponse:
        """The response that says what `answer` says, in its `shape`."""
        if self.engine.failure is not None:
            raise self._failed(self.engine.failure)
        try:
            self.engine.slots.check_line()
        except QueueFullError as error:
            raise _refusal(error, answer.field) from None
        with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        envelope = Envelope(asked.model, self.fingerprint, shape, with_usage and self.contract.has_usage_chunk)
        opened = (request, bool(asked.stream), self.keep_alive, lambda: self.engine.stage or answer.stage)
        async with FaultyOutlet(*opened, fault) if fault else Outlet(*opened) as outlet:
            try:
                await answer.prepare()
                envelope.tell(self.engine.origin | {"threads": self.engine.threads} | answer.told())
                if isinstance(answer, Scoring):
                    choices = [shape.whole([part]) for part in await answer.scored()]
                    response = await outlet.end(envelope.whole(choices, answer.reason, answer.usage))
                else:
                    send = self._stream if asked.stream else self._whole
                    parts = faulty_parts(answer, fault) if fault else answer.parts()
                    response = await send(outlet, answer, parts, envelope, shape)
                used = answer.usage
                if self._log:
                    self._notes[id(request)] = f" {used.prompt} + {used.completion} tokens, {answer.reason}"
                return response
            except LocalModelError as error:
                refusal = self._failed(error) if error is self.engine.failure else _refusal(error, answer.field)
                if not outlet.begun:
                    raise refusal from None
                await outlet.send(b"data: " + refusal.body + b"\n\n" if asked.stream else refusal.body)
                return await outlet.end()

    def _failed(self, failure: LocalModelError) -> Refusal:
        """The refusal where the model cannot be had; who keeps this server hears of it."""
        if self.on_failure:
            asyncio.get_running_loop().call_later(_TIME_TO_TELL, self.on_failure)
        return Refusal(503, failure.message, kind="server_error", code=UNAVAILABLE, remedy=failure.remedy)

    async def _trouble(self, request: web.Request) -> Fault | None:
        """What shall go wrong with this request; a delay has passed, and a refusal is raised."""
        fault = self._fault
        if asked := request.headers.get(HEADER):
            try:
                fault = Fault.parse(asked)
            except ValueError as error:
                raise Refusal(400, str(error), HEADER) from None
        if fault is None:
            return None
        if fault is self._fault:
            self._hits += 1
            if fault.times is not None and self._hits > fault.times:
                return Fault(fault.spec)
        await asyncio.sleep(fault.delay)
        if fault.status is not None:
            headers = {HEADER: fault.spec, **({"Retry-After": fault.retry_after} if fault.retry_after else {})}
            raise Refusal(fault.status, fault.message, kind="server_error", headers=headers)
        return fault

    async def _stream(
        self, outlet: Outlet, answer: Saying, coming: AsyncGenerator[Part, None], envelope: Envelope, shape: Shape
    ) -> web.StreamResponse:
        opening = envelope.chunk(shape.opening) if shape.opening else b""
        async with aclosing(coming) as parts:
            async for part in parts:
                if shape.shows(part):
                    await outlet.send(opening + envelope.chunk(shape.added(part)))
                    opening = b""
        await outlet.send(opening + envelope.end(shape.closing, answer.reason, answer.usage))
        return await outlet.end()

    async def _whole(
        self, outlet: Outlet, answer: Saying, coming: AsyncGenerator[Part, None], envelope: Envelope, shape: Shape
    ) -> web.StreamResponse:
        async with aclosing(coming) as parts:
            choice = shape.whole([part async for part in parts])
        return await outlet.end(envelope.whole([choice], answer.reason, answer.usage))

    def _written(self, tokens: list[Token], alternatives: int, forced: list[bool]) -> str:
        if self._writer is None:
            self._writer = TokenWriter(self.engine.model.pieces, self.engine.model.marks)
        return self._writer(tokens, alternatives, forced)


def _alternatives(asked: ChatRequest) -> int | None:
    """As many rivals as are told of with each token; None where nothing is told of tokens."""
    return (asked.top_logprobs or 0) if asked.logprobs else None


def _refusal(error: LocalModelError, field: str) -> Refusal:
    """The refusal of a request whose text is in `field`."""
    if isinstance(error, ContextOverflowError):
        return Refusal(400, f"{error.message} Please shorten them.", field)
    if isinstance(error, PromptError):
        return Refusal(400, error.message, field)
    if isinstance(error, QueueFullError):
        return Refusal(429, f"Too many requests: {error.message}", kind="rate_limit_error",
                       headers={"Retry-After": "1"})
    if isinstance(error, EngineError):
        return Refusal(500, error.message, kind="server_error")
    return Refusal(503, f"{error.message} {error.remedy}", kind="server_error")
