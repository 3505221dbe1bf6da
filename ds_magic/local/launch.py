"""The embedded server for this process: started when it is needed, ended when this process ends."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import IO

from .model_failures import LocalModelError, MissingExtraError

_PROGRAM = """
import json, sys
given = json.loads(sys.stdin.readline())
sys.path += [folder for folder in given["path"] if folder not in sys.path]
from ds_magic.local.__main__ import serve_for_a_kernel
sys.exit(serve_for_a_kernel(given["api_key"]))
"""


@dataclass(frozen=True)
class LocalServer:
    """A running embedded server: any DeepSeek or OpenAI client can use it with these three."""

    base_url: str
    model: str
    """The name of the model that answers."""
    api_key: str = field(repr=False)
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


_server: LocalServer | None = None
_starting = threading.Lock()


def ensure() -> LocalServer:
    """The embedded server of this process, started if it does not run.

    Returns as soon as it listens: the model is loaded, and at the very first time fetched, while the
    first request waits. What it has to say, such as the progress of that, appears on `sys.stderr`.
    Raises MissingExtraError, or LocalModelError where it does not start.
    """
    global _server
    with _starting:
        if _server is None or not _server.is_alive:
            _server = start()
        return _server


def running() -> LocalServer | None:
    """This process's server where it runs; never starts one."""
    return _server if _server is not None and _server.is_alive else None


def start() -> LocalServer:
    """A new embedded server, that ends with this process; see `ensure` for the one to share."""
    missing = [name for name in ("xllamacpp", "aiohttp", "llguidance") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"There is no model on this machine: {' and '.join(missing)} not installed.")
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8", errors="replace",
        start_new_session=True,  # an interrupt of the kernel is not meant for the server
    )
    assert process.stdin and process.stdout and process.stderr  # the pipes that were asked for
    key = f"local-{secrets.token_urlsafe(24)}"
    # A notebook's folder can hold a `json.py`: this process's own path comes after the standard library.
    folders = [folder for folder in sys.path if folder]
    said: list[str] = []
    listener = threading.Thread(target=_pass_on, args=(process.stderr, said), name="ds_magic.local", daemon=True)
    listener.start()
    try:
        process.stdin.write(json.dumps({"api_key": key, "path": folders}) + "\n")
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
    except BaseException as error:
        # Also an interrupt: a server that nobody knows of would live as long as this process.
        process.kill()
        process.wait()
        if not isinstance(error, OSError | ValueError):
            raise
        listener.join(2)  # its last words say why
        raise LocalModelError(
            "The embedded server did not start" + (f": {said[-1]}" if said else "."),
            remedy="Run `ds-magic serve` in a terminal to see why, or set DEEPSEEK_API_KEY.",
        ) from None
    return LocalServer(told["base_url"], told["model"], key, process)


def _pass_on(pipe: IO[str], said: list[str]) -> None:
    for line in pipe:
        if line.strip():
            said[:] = [*said[-20:], line.strip()]
            print(line, end="", file=sys.stderr, flush=True)


def _forget_in_child() -> None:
    """A forked child lets go of the pipe, whose closing tells the server that its starter has ended."""
    global _server, _starting
    _starting = threading.Lock()
    if _server is not None and _server.process.stdin is not None:
        _server.process.stdin.close()
    _server = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
