"""DeepSeek's contract over HTTP: `POST /chat/completions` and `GET /models`, on this machine only."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from json.encoder import encode_basestring

from aiohttp import web

from . import checks
from .answer import Answer, Part
from .checks import Refusal
from .engine import Engine
from .errors import ContextOverflowError, EngineError, LocalModelError, QueueFullError
from .outlet import Outlet
from .wire import Envelope, TokenWriter

LARGEST_BODY = 4 * 1024**2
PREFIXES = ("", "/v1", "/beta")


class LocalService:
    """The HTTP side of one engine.

    `key`: what a client must send. `model`: the name that answers carry. `keep_alive`: seconds of
    silence after which a waiting client is told that it still waits.
    """

    def __init__(
        self, engine: Engine, *, key: str, model: str, keep_alive: float = 3.0, loopback_only: bool = True
    ):
        self.engine = engine
        self.key = key
        self.model = model
        self.keep_alive = keep_alive
        self.loopback_only = loopback_only
        self.fingerprint = f"fp_{model}_{_build()}"
        self._writer: TokenWriter | None = None

    def app(self) -> web.Application:
        """The application, ready to be run."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guard])
        for prefix in PREFIXES:
            app.router.add_post(f"{prefix}/chat/completions", self.chat)
            app.router.add_get(f"{prefix}/models", self.models, allow_head=False)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            checks.check_origin(
                request.headers.get("Host"), request.headers.get("Origin"), loopback_only=self.loopback_only
            )
            checks.check_key(request.headers.get("Authorization"), self.key)
            return await handler(request)
        except Refusal as refusal:
            return _error(refusal)
        except web.HTTPException as error:  # no such path, wrong method, too large a body
            allowed = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
            return _error(Refusal(error.status, error.reason, headers=allowed))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # ours to mend: the client gets the documented shape, the terminal the traceback
            traceback.print_exc()
            return _error(Refusal(500, "The server failed at this request.", kind="server_error"))

    async def models(self, request: web.Request) -> web.Response:
        """The names that can be asked for, the model's own first."""
        names = [self.model, *checks.ALIASES]
        data = [{"id": name, "object": "model", "owned_by": "ds_magic"} for name in names]
        return web.json_response({"object": "list", "data": data})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """One chat completion, streamed or whole."""
        beta = request.path.startswith("/beta/")
        asked = checks.check(checks.parse(await request.read()), beta=beta, model=self.model)
        if self.engine.failure is not None:
            raise _refusal(self.engine.failure)
        try:
            self.engine.slots.check_line()
        except QueueFullError as error:
            raise _refusal(error) from None
        answer = Answer(self.engine, asked)
        with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        envelope = Envelope(self.model, self.fingerprint, with_usage)
        alternatives = (asked.top_logprobs or 0) if asked.logprobs else None
        send = self._stream if asked.stream else self._whole
        async with Outlet(request, bool(asked.stream), self.keep_alive) as outlet:
            try:
                await answer.prepare()
                return await send(outlet, answer, envelope, alternatives)
            except LocalModelError as error:
                refusal = _refusal(error)
                if not outlet.begun:
                    raise refusal from None
                await outlet.send(b"data: " + refusal.body + b"\n\n" if asked.stream else refusal.body)
                return await outlet.end()

    async def _stream(
        self, outlet: Outlet, answer: Answer, envelope: Envelope, alternatives: int | None
    ) -> web.StreamResponse:
        opening = envelope.chunk('{"role":"assistant","content":""}')
        async with aclosing(answer.parts()) as parts:
            async for part in parts:
                if not part.text and alternatives is None:
                    continue
                delta = f'{{"content":{encode_basestring(part.text)}}}'
                await outlet.send(opening + envelope.chunk(delta, self._logprobs([part], alternatives)))
                opening = b""
        await outlet.send(opening + envelope.end(answer.reason, answer.usage))
        return await outlet.end()

    async def _whole(
        self, outlet: Outlet, answer: Answer, envelope: Envelope, alternatives: int | None
    ) -> web.StreamResponse:
        async with aclosing(answer.parts()) as coming:
            parts = [part async for part in coming]
        message = json.dumps({"role": "assistant", "content": "".join(part.text for part in parts)})
        body = envelope.whole(message, self._logprobs(parts, alternatives), answer.reason, answer.usage)
        return await outlet.end(body)

    def _logprobs(self, parts: list[Part], alternatives: int | None) -> str:
        if alternatives is None:
            return "null"
        if self._writer is None:
            self._writer = TokenWriter(self.engine.model.pieces)
        tokens = [token for part in parts for token in part.tokens]
        return f'{{"content":{self._writer(tokens, alternatives)}}}'


def _build() -> str:
    try:
        return f"xllamacpp-{version('xllamacpp')}"
    except PackageNotFoundError:
        return "unknown"


def _error(refusal: Refusal) -> web.Response:
    return web.Response(
        status=refusal.status, body=refusal.body, content_type="application/json", headers=refusal.headers
    )


def _refusal(error: LocalModelError) -> Refusal:
    if isinstance(error, ContextOverflowError):
        return Refusal(400, f"{error.message} Please shorten them.", "messages")
    if isinstance(error, QueueFullError):
        return Refusal(429, f"Too many requests: {error.message}", kind="rate_limit_error",
                       headers={"Retry-After": "1"})
    if isinstance(error, EngineError):
        return Refusal(500, error.message, kind="server_error")
    return Refusal(503, f"{error.message} {error.remedy}", kind="server_error")


def quiet(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """An exception handler for the loop: clients that hang up are no news."""
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)
