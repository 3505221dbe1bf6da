"""llama.cpp's own server on a loopback port, with a key of ours: started, asked, and nothing more."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic_core import from_json, to_json

from ...api.clean_text import on_one_line
from ..model_failures import ContextOverflowError, EngineError, LoadError
from ..server_options import ServerOptions

SAMPLING = {
    # llama.cpp's defaults cut the distribution (top_k 40, min_p 0.05, top_p 0.95) and take top_p before
    # the temperature. The documented meaning is p^(1/T), of that the top_p mass, and nothing else.
    "samplers": ["penalties", "temperature", "top_p"],
    "top_k": 0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "repeat_penalty": 1.0,
}


LARGEST_BATCH = 31
"""Tokens that go through the model at once. From 32 on llama.cpp takes BLAS, which rounds otherwise: a prompt of
which a part was in the cache got log-probabilities up to 1.3 nats apart from those of the same prompt read whole."""


_RAISED = "Jinja Exception: "


class Llama:
    """A model in memory, that is let go after `sleep` seconds without a request and loaded again by the next.

    `start` blocks until it is loaded; everything else is awaited."""

    def __init__(
        self, path: Path, *, threads: int, parallel: int, context: int, sleep: int = ServerOptions.sleep,
        gpu_layers: int | None = None,
    ):
        self.gpu_layers = gpu_layers
        self.path = path
        self.threads = threads
        self.parallel = parallel
        self.context = context
        self.sleep = sleep
        self._key = secrets.token_urlsafe(24)
        self._server: Any = None
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Load the model. Raises LoadError."""
        try:
            import xllamacpp

            self._server = xllamacpp.Server(self._params(xllamacpp))
        except Exception as error:  # the binding raises plain RuntimeErrors and whatever C++ throws
            raise LoadError(
                f"llama.cpp could not load {self.path}: {error}",
                remedy="Is the file whole? Is there memory for it? Is its template one that llama.cpp can read?",
            ) from None

    def _params(self, xllamacpp: Any) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.verbosity = 0
        params.api_keys = [self._key]
        params.ui = False
        # The same request has the same numbers, whatever else runs or ran: each place has a cache of its own
        # (in one for all, where a token lies decides in which order things are added up), and as many tokens
        # go through the model by the same arithmetic, whether one by one, together or after others.
        params.kv_unified = False
        params.n_ctx = self.context * self.parallel
        params.n_parallel = self.parallel
        params.n_ubatch = LARGEST_BATCH
        params.sleep_idle_seconds = self.sleep
        params.cache_ram_mib = 0  # its copies of old prompts grow without an end to speak of
        params.fit_params = False
        params.warmup = False
        params.prefill_assistant = False  # a last message of the assistant is a message; prefixes are ours
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        if self.gpu_layers is not None:
            params.n_gpu_layers = self.gpu_layers
        sampling = params.sampling
        sampling.top_k, sampling.min_p, sampling.top_p = 0, 0.0, 1.0
        return params

    async def close(self) -> None:
        """Let go of the connections; the model's memory goes with the process."""
        if self._session is not None:
            await self._session.close()

    async def tokenize(self, parts: list[int | str]) -> list[int]:
        """Token ids: numbers stay, and text is only ever text, whatever marks it spells."""
        tokens: list[int] = (await self._ask("/tokenize", {"content": parts, "parse_special": False}))["tokens"]
        return tokens

    async def begin(self) -> int | None:
        """The id that every text of this model begins with, which a rendered template comes without; None: nothing."""
        told = await self._ask("/tokenize", {"content": "", "add_special": True})
        return next(iter(told["tokens"]), None)

    async def apply_template(self, body: dict[str, Any]) -> str:
        """The model's own chat template over the `messages` and `tools` of `body`, ready for the answer."""
        prompt: str = (await self._ask("/apply-template", body))["prompt"]
        return prompt

    async def sample(self, body: dict[str, Any]) -> dict[str, Any]:
        """One whole completion."""
        return await self._ask("/completion", {**SAMPLING, **body, "stream": False})

    @asynccontextmanager
    async def completion(self, body: dict[str, Any]) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a completion as they come; leaving early ends it in the engine, too."""
        async with self._post("/completion", {**SAMPLING, **body, "stream": True}) as response:
            try:
                yield _events(response)
            finally:
                response.close()

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._post(path, body) as response:
            answer: dict[str, Any] = from_json(await response.read())
            return answer

    @asynccontextmanager
    async def _post(self, path: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
                # llama.cpp drops idle connections without a word, and a request sent just then is lost.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        address = self._server.listening_address
        try:
            async with self._session.post(address + path, data=to_json(body, inf_nan_mode="null")) as response:
                if response.status != 200:
                    raise _refused(await response.read())
                yield response
        except aiohttp.ClientError as error:
            raise EngineError(f"The engine broke off: {error}") from None


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    waiting = bytearray()
    async for data in response.content.iter_any():
        # An event with the whole vocabulary is of some megabytes, and is looked through once.
        looked = max(0, len(waiting) - 1)
        waiting += data
        if waiting.find(b"\n\n", looked) < 0:
            continue
        *events, rest = bytes(waiting).split(b"\n\n")
        waiting = bytearray(rest)
        for event in events:
            if event.startswith(b"data: {"):
                parsed = from_json(event[6:])
                if "error" in parsed:
                    raise _refused(event[6:])
                yield parsed
            elif event.startswith(b"error: "):
                raise _refused(event[7:])


def _refused(body: bytes) -> Exception:
    try:
        error = from_json(body)
    except ValueError:
        return EngineError(f"The engine said: {body[:200].decode('utf-8', 'replace')}")
    error = error.get("error", error)
    if error.get("type") == "exceed_context_size_error":
        needed, room = error.get("n_prompt_tokens", 0), error.get("n_ctx", 0)
        return ContextOverflowError(f"{needed} tokens do not fit into {room}.", needed=needed, room=room)
    said = str(error.get("message", error))
    if _RAISED in said:  # by the template, which says why in its own words
        return EngineError(said.rpartition(_RAISED)[2].strip()[:300])
    return EngineError(f"The engine said: {on_one_line(said, 300)}")
