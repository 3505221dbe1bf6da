"""A server on its port, from the first request that waits for the model to the last."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from ..api.clean_text import for_report, on_one_line
from . import weights
from .cores import free_cores
from .engine.engine import Engine
from .fitting import fit, room_for
from .model_failures import LocalModelError, WeightsError
from .models import names
from .models.obtain import obtained
from .progress import ProgressBar
from .server_options import ServerOptions
from .service.leases import Leases
from .service.outlet import FETCHING
from .service.server import LocalService

_MEASURED = 16
"""Tokens over which the speed is measured."""
Announce = Callable[[str, str, str], None]
"""Told the address, the key and the model's name for clients as soon as the server listens."""


def run(
    options: ServerOptions,
    announce: Announce,
    log: Callable[[str], None] | None = None,
    *,
    at_end: Callable[[], None] = lambda: None,
) -> int:
    """Serve until SIGINT or SIGTERM, and call `at_end`. Returns the exit status.

    Where it serves for kernels (`options.linger`), also until none is left, or one has been told that the model
    cannot be had, so that the next server may find it.
    """
    return asyncio.run(_serve(options, announce, log, at_end))


async def _serve(
    options: ServerOptions, announce: Announce, log: Callable[[str], None] | None, at_end: Callable[[], None]
) -> int:
    # Clients that hang up are no news; what fails on our side is printed where it is answered.
    asyncio.get_running_loop().set_exception_handler(_quiet)
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    named = names.asked(options.model)
    engine = Engine(
        threads=options.threads, parallel=options.parallel, waiting=options.waiting, context=options.context,
        sleep=options.sleep,
    )
    stop = asyncio.Event()
    service = LocalService(
        engine, key=options.api_key, model=names.short(named or weights.FILE_NAME), today=options.today,
        fault=options.fault, log=log, loopback_only=options.is_loopback_only,
        on_failure=None if options.linger is None else stop.set,
        leases=None if options.linger is None else Leases(options.linger, stop.set),
    )
    # A client that goes away cancels its handler, which frees its slot.
    runner = web.AppRunner(service.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        print(f"ds-magic: {options.host}:{options.port} cannot be had: {error.strerror}", file=sys.stderr)
        return 1
    host, port = runner.addresses[0][:2]
    with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    loading = asyncio.create_task(_load(engine, named, options))
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    announce(address, options.api_key, service.contract.listed[0])
    await stop.wait()
    loading.cancel()
    await runner.cleanup()
    await engine.close()
    at_end()
    sys.stderr.flush()
    if os.name != "nt" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # a download under way ends as well
    # A model that is being loaded cannot be interrupted, and nothing is left to be saved.
    os._exit(0)


async def _load(engine: Engine, named: str, options: ServerOptions) -> None:
    bar = ProgressBar(sys.stderr, f"Fetching {named}" if named else weights.FETCHING)

    def progress(done: int, total: int) -> None:
        engine.stage = f"{FETCHING} {done} {total}"
        bar(done, total)

    try:
        file = await asyncio.to_thread(obtained, named, progress, room_for)
        if not engine.threads:
            engine.threads = await asyncio.to_thread(free_cores)
        if named:
            said = await asyncio.to_thread(fit, engine, file, options)
            print(f"ds-magic: {said} Threads: {engine.threads}.", file=sys.stderr, flush=True)
        await engine.load(file.path, file.told, file.unloadable)
    except LocalModelError as error:
        engine.fail(error)
    except Exception as error:  # else every request would wait for ever
        what = f"{type(error).__name__} ({on_one_line(for_report(str(error)), 160)})"
        engine.fail(WeightsError(f"{named or weights.FILE_NAME} cannot be had: {what}."))
    if engine.failure is not None:
        print(f"ds-magic: {engine.failure} {engine.failure.remedy}", file=sys.stderr, flush=True)
    elif named and options.linger is None:
        speed = await _speed(engine)
        print(f"ds-magic: {speed:.0f} tokens a second, one request at a time.", file=sys.stderr, flush=True)


async def _speed(engine: Engine) -> float:
    """How fast the model writes, measured over a few tokens."""
    async with engine.slots.take([]) as slot:
        body = {"prompt": [engine.model.end], "id_slot": slot.number, "n_predict": _MEASURED, "ignore_eos": True}
        told = await engine.llama.sample(body)
    return float(told.get("timings", {}).get("predicted_per_second") or 0)


def _quiet(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)
