"""`python -m ds_magic.local`, or `ds-magic serve`: the embedded server as a program."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import weights
from .cores import free_cores
from .errors import LocalModelError, MissingExtraError
from .progress import ProgressBar

if TYPE_CHECKING:
    from .engine import Engine

FETCHING = "Fetching the model, once"


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    options = _parser().parse_args(_with_command(sys.argv[1:] if arguments is None else arguments))
    if options.command == "fetch":
        return _fetch()
    try:
        import aiohttp  # noqa: F401
        import xllamacpp  # noqa: F401
    except ImportError as error:
        missing = MissingExtraError(f"{error.name} is not installed.")
        print(f"ds-magic: {missing} {missing.remedy}", file=sys.stderr)
        return 1
    if options.model:
        os.environ["DS_MAGIC_LOCAL_MODEL"] = options.model
    if not options.api_key:
        options.api_key = os.environ.get("DS_MAGIC_LOCAL_KEY") or f"local-{secrets.token_urlsafe(18)}"
    with suppress(KeyboardInterrupt):
        return asyncio.run(_serve(options, _print_for_people))
    return 0


def _fetch() -> int:
    try:
        path = weights.model_path(ProgressBar(sys.stderr, FETCHING))
    except LocalModelError as error:
        print(f"ds-magic: {error} {error.remedy}", file=sys.stderr)
        return 1
    print(f"The model is in {path}")
    return 0


def serve_for_a_kernel(api_key: str) -> int:
    """Serve for the process that started this one, and end with it; `launch` is the other side."""
    _end_with_starter()
    options = _parser().parse_args(["serve"])
    options.api_key = api_key
    return asyncio.run(_serve(options, _print_for_starter))


def _with_command(arguments: list[str]) -> list[str]:
    """`python -m ds_magic.local` alone serves, too."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        return ["serve", *arguments]
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ds-magic", description="A small real language model behind DeepSeek's protocol, on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="fetch the model now, so that nobody waits for it later")
    serve = commands.add_parser("serve", help="serve it until Ctrl-C", description=(
        "Serves SmolLM2-135M-Instruct (fetched once, 98 MB), or another GGUF file, on a loopback port, and "
        "prints the three lines that a DeepSeek or OpenAI client needs: base URL, key and model."
    ))
    serve.add_argument("--port", type=int, default=0, help="the port (0, the default: any that is free)")
    serve.add_argument("--model", metavar="FILE", help="a GGUF file (default: $DS_MAGIC_LOCAL_MODEL, or SmolLM2)")
    serve.add_argument("--threads", type=int, default=0, help="threads to compute with (default: the free cores)")
    serve.add_argument("--parallel", type=int, default=4, help="requests answered at once (default: 4)")
    serve.add_argument("--api-key", help="the key that clients must send (default: a new one each time)")
    return parser


def _print_for_people(address: str, key: str, model: str) -> None:
    print(f"base_url = {address}\napi_key  = {key}\nmodel    = {model}", flush=True)


def _print_for_starter(address: str, key: str, model: str) -> None:
    print(json.dumps({"base_url": address, "model": model}), flush=True)


async def _serve(options: argparse.Namespace, announce: Callable[[str, str, str], None]) -> int:
    from aiohttp import web

    from . import gguf
    from .engine import Engine
    from .server import LocalService, quiet

    asyncio.get_running_loop().set_exception_handler(quiet)
    engine = Engine(threads=options.threads, parallel=options.parallel)
    named = os.environ.get("DS_MAGIC_LOCAL_MODEL") or weights.FILE_NAME
    service = LocalService(engine, key=options.api_key, model=gguf.short_name(Path(named)))
    # A client that goes away cancels its handler, which frees its slot.
    runner = web.AppRunner(service.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    try:
        await site.start()
    except OSError as error:
        print(f"ds-magic: port {options.port} cannot be had: {error.strerror}", file=sys.stderr)
        return 1
    address = "http://{}:{}".format(*runner.addresses[0][:2])
    loading = asyncio.create_task(_load(engine))
    announce(address, options.api_key, service.model)
    stop = asyncio.Event()
    with suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    loading.cancel()
    await runner.cleanup()
    await engine.close()
    # A model that is being loaded cannot be interrupted, and nothing is left to be saved.
    os._exit(0)


async def _load(engine: Engine) -> None:
    try:
        path = await asyncio.to_thread(weights.model_path, ProgressBar(sys.stderr, FETCHING))
    except LocalModelError as error:
        engine.fail(error)
        print(f"ds-magic: {error} {error.remedy}", file=sys.stderr, flush=True)
        return
    if not engine.threads:
        engine.threads = await asyncio.to_thread(free_cores)
    await engine.load(path)
    if engine.failure is not None:
        print(f"ds-magic: {engine.failure}", file=sys.stderr, flush=True)


def _end_with_starter() -> None:
    """End when the process that started us ends, however it does.

    Its end of our standard input closes then. A child that it forked may still hold that end open, so
    a new parent counts, too.
    """
    starter = os.getppid()

    def end() -> None:
        if os.name != "nt" and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)  # a download under way ends as well
        os._exit(0)

    def watch_input() -> None:
        while sys.stdin.read(1):
            pass
        end()

    def watch_parent() -> None:
        pause = threading.Event()
        while os.getppid() == starter:
            pause.wait(0.5)
        end()

    threading.Thread(target=watch_input, daemon=True).start()
    if os.name != "nt":
        threading.Thread(target=watch_parent, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
