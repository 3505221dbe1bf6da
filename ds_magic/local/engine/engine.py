"""The model as a service: loaded in the background, a few at a time, the others wait their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..memory import allowed_memory, places
from ..model_failures import ContextOverflowError, EngineError, LoadError, LocalModelError
from ..server_options import LARGEST_CONTEXT, ServerOptions
from ..service.origin import of_model
from .call_syntax import CallSyntax, learn
from .gguf import Model
from .gguf import read as read_gguf
from .llama import Llama
from .slots import Slots
from .template import Template

if TYPE_CHECKING:
    from .healing import Readings


class Engine:
    """A model, its template and its slots.

    `load` must have been started; everything else waits for it, by `ready`: before, there are no `model`, `origin`,
    `llama`, `template`, `calls` and `context`. `failure` is the LocalModelError that keeps it from answering, or None.
    """

    model: Model
    llama: Llama
    template: Template
    origin: dict[str, Any]
    """The model's file and the engine, as they are told of."""
    calls: CallSyntax | None
    """How the model writes calls of functions; None: it is led to them by words."""
    context: int
    """Tokens of prompt and answer together that each request may have."""

    def __init__(
        self, *, threads: int, parallel: int = ServerOptions.parallel, waiting: int = ServerOptions.waiting,
        context: int | None = None, sleep: int = ServerOptions.sleep,
    ):
        self.gpu_layers: int | None = None
        self.threads = threads
        self.slots = Slots(parallel or places(allowed_memory()), waiting)
        self._asked_context = context
        self.sleep = sleep
        self.words: dict[tuple[tuple[int, ...], str], Readings] = {}
        """What `healing` knows of the last words of prefixes."""
        self.failure: LocalModelError | None = None
        self._sizes: tuple[int, ...] = ()
        self.stage = "loading"
        """What all wait for: `fetching`, the bytes done and in all, or `loading` (with those of the weights, of the
        cache, and of the memory that was free, as far as they are known); empty once it is loaded."""
        self._loaded = asyncio.Event()

    def arrange(self, context: int, places: int, sizes: tuple[int, int, int]) -> None:
        """Before it is loaded: the tokens of each request, how many are answered at once, and what `stage` tells."""
        self._asked_context, self._sizes = context, sizes
        self.slots.resize(places)

    async def load(self, path: Path, told: Mapping[str, str] | None = None, unloadable: str = "") -> None:
        """Load the model. A failure is kept in `failure` and raised by everything that needs it.

        `told`: what is told of it besides. `unloadable`: the remedy where llama.cpp cannot load it.
        """
        self.stage = " ".join(["loading", *map(str, self._sizes)])
        try:
            self.model = await asyncio.to_thread(read_gguf, path)
            of_file = await asyncio.to_thread(of_model, path)
            self.origin = {**of_file, "vocabulary_size": len(self.model.pieces), **(told or {})}
            self.context = self._asked_context or min(self.model.context, LARGEST_CONTEXT)
            self.llama = Llama(
                path, threads=self.threads, parallel=self.slots.count, context=self.context, sleep=self.sleep,
                gpu_layers=self.gpu_layers,
            )
            await asyncio.to_thread(self.llama.start)
            # Its file need not say so: for many tokenizers llama.cpp knows it.
            self.model = replace(self.model, begin=await self.llama.begin())
            self.template = Template(self.model, self.llama)
            self.calls = await learn(self.model, self.llama)
            self.template.has_parameters = bool(self.calls and self.calls.parameters)
        except LocalModelError as error:
            self.failure = LoadError(error.message, remedy=unloadable) if unloadable else error
        except asyncio.CancelledError:
            self.failure = EngineError("The server is ending.")
            raise
        finally:
            self.stage = ""
            self._loaded.set()

    def fail(self, error: LocalModelError) -> None:
        """The model cannot be loaded at all."""
        self.failure = error
        self._loaded.set()

    async def ready(self) -> None:
        """Wait until the model is loaded. Raises the LocalModelError that prevented it."""
        await self._loaded.wait()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        if self._loaded.is_set() and self.failure is None:
            await self.llama.close()

    def check_room(self, prompt: list[int], name: str = "messages") -> None:
        """Raise ContextOverflowError where `prompt`, of messages or by another `name`, leaves no room for an answer."""
        if len(prompt) >= self.context:
            raise ContextOverflowError(
                f"This model's maximum context length is {self.context} tokens. However, "
                f"your {name} resulted in {len(prompt)} tokens.",
                needed=len(prompt), room=self.context,
            )
