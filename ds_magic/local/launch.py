"""The embedded server of this user: found where it runs, else started, and used together by all kernels.

A kernel that uses it keeps a connection to it open. That closes with the kernel, also when it is killed,
and a server to which no connection is left ends a while later.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .model_failures import LocalModelError, MissingExtraError
from .models.names import asked, key, prefer
from .record import Record
from .server_options import LINGER

_PROGRAM = """
import json, sys
given = json.loads(sys.stdin.readline())
sys.path += [folder for folder in given.pop("path") if folder not in sys.path]
from ds_magic.local.__main__ import serve_for_kernels
sys.exit(serve_for_kernels(**given))
"""
_LONGEST_START = 60.0
"""Seconds for which another kernel that starts the server is waited for."""


@dataclass(frozen=True)
class LocalServer:
    """A running embedded server: any DeepSeek or OpenAI client can use it with the first three."""

    base_url: str
    model: str
    """The name of the model that answers."""
    api_key: str = field(repr=False)
    pid: int
    lease: socket.socket = field(repr=False)
    """The connection that says that this process uses it."""

    @property
    def is_alive(self) -> bool:
        """Whether it still keeps its end of our connection open."""
        try:
            while self.lease.recv(4096):
                pass
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def release(self) -> None:
        """Use it no longer: it ends unless others do."""
        self.lease.close()


_servers: dict[str, LocalServer] = {}
"""Those that this process uses, by what their models are called."""
_keep: int | None = None
_starting = threading.Lock()
_started: list[subprocess.Popen[str]] = []
"""Those that this process started, so that none of them stays as a zombie when it has ended."""


def arrange(*, model: str | None = None, keep: int | None = None) -> None:
    """Have this process mean `model` where nobody names one, and the servers that it starts from now on `keep` unused
    models in memory for so many seconds; without them as the environment says."""
    global _keep
    prefer(model)
    _keep = keep


def ensure(model: str | None = None) -> LocalServer:
    """The embedded server of a model, found or started if this process does not use one that runs.

    `model` is a name as `--local-model` takes it; without one it is that of the environment, else ours. Returns as
    soon as it listens: the model is loaded, and at the very first time fetched, while the first request waits, which
    is told of it. Raises MissingExtraError, or LocalModelError where it does not start.
    """
    model = asked(model)
    with _starting:
        server = _servers.get(key(model))
        if server is None or not server.is_alive:
            server = _servers[key(model)] = _shared(model)
        return server


def running(model: str | None = None) -> LocalServer | None:
    """The server of a model that this process uses, where it runs; never looks for one or starts it."""
    server = _servers.get(key(asked(model)))
    return server if server is not None and server.is_alive else None


def start(record: Record | None = None, *, linger: float = 0.0, model: str | None = None) -> LocalServer:
    """A new embedded server, for this process alone unless `record` tells of it; see `ensure` for the one to share.

    It ends `linger` seconds after nobody uses it any longer.
    """
    _check_extra()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
            text=True, encoding="utf-8", errors="replace",
            start_new_session=True,  # an interrupt of the kernel is not meant for the server
        )
        try:
            server = _opened(process, record, linger, asked(model))
        except BaseException as error:
            # Also an interrupt: nobody would know of it.
            process.kill()
            process.wait()
            if not isinstance(error, OSError | ValueError):
                raise
            complaints.seek(0)
            said = [line.strip() for line in complaints if line.strip()]
            raise LocalModelError(
                "The embedded server did not start" + (f": {said[-1]}" if said else "."),
                remedy="Run `ds-magic serve` in a terminal to see why, or set DEEPSEEK_API_KEY.",
            ) from None
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
    _started[:] = [*(each for each in _started if each.poll() is None), process]
    return server


def _opened(process: subprocess.Popen[str], record: Record | None, linger: float, model: str) -> LocalServer:
    """The server of `process` as soon as it listens. Raises OSError or ValueError where it does not."""
    assert process.stdin and process.stdout  # the pipes that were asked for
    api_key = f"local-{secrets.token_urlsafe(24)}"
    given = {
        "api_key": api_key, "model": model, "keep": _keep, "linger": linger,
        "record": str(record.path) if record else None,
        # A notebook's folder can hold a `json.py`: this process's own path comes after the standard library.
        "path": [folder for folder in sys.path if folder],
    }
    process.stdin.write(json.dumps(given) + "\n")
    process.stdin.flush()
    told = {**json.loads(process.stdout.readline()), "api_key": api_key, "pid": process.pid, "asked": model}
    lease = _lease(told["base_url"], api_key)
    if lease is None:
        raise OSError("It ended at once.")
    if record is not None:
        with suppress(OSError):  # then this kernel has it for itself
            record.write(told)
    return LocalServer(told["base_url"], told["model"], api_key, process.pid, lease)


def _shared(model: str) -> LocalServer:
    """The server that this user's kernels share; one of this process's own where there cannot be such a one."""
    _check_extra()
    from filelock import FileLock, Timeout

    record = Record.of_this_kernel(model)
    lock = FileLock(record.lock, timeout=_LONGEST_START)
    try:
        record.make_folder()
        lock.acquire()
    except (OSError, Timeout):
        return start(model=model)
    try:
        return _found(record) or start(record, linger=LINGER, model=model)
    finally:
        lock.release()


def _found(record: Record) -> LocalServer | None:
    """The server of `record`, if it runs."""
    told = record.read()
    try:
        if told is None or (lease := _lease(told["base_url"], told["api_key"])) is None:
            return None
        return LocalServer(told["base_url"], told["model"], told["api_key"], told["pid"], lease)
    except (KeyError, TypeError, ValueError):
        return None


def _lease(base_url: str, api_key: str) -> socket.socket | None:
    """A connection that says that this process uses the server, or None where there is no server."""
    address = urlsplit(base_url)
    request = f"GET /lease HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {api_key}\r\n\r\n"
    head = b""
    try:
        lease = socket.create_connection((address.hostname or "", address.port or 0), timeout=10)
    except OSError:
        return None
    with suppress(OSError):
        lease.sendall(request.encode())
        while b"\r\n\r\n" not in head and (more := lease.recv(4096)):
            head += more
        if head.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\n" in head:
            lease.setblocking(False)
            return lease
    lease.close()
    return None


def _check_extra() -> None:
    missing = [name for name in ("xllamacpp", "aiohttp", "llguidance") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"There is no model on this machine: {' and '.join(missing)} not installed.")


def _forget_in_child() -> None:
    """A forked child lets go of the connection, whose closing tells the server that this process has ended."""
    global _starting
    _starting = threading.Lock()
    for server in _servers.values():
        server.release()
    _servers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
