"""A visit of Binder: starts JupyterLab as its hub does and runs the course, with four notebooks open.

    python binder/checks/visit.py [--limit MB] [--idle SECONDS] [--loopback]

In the home folder of the image, by its Python. Prints what memory each kind of process has at which moment. Ends with
1 if a cell failed, or if all of them together had more than MB (1000) at any time. `--loopback`: the network is one of
our own, in which the loopback must be switched on.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import processes
import websocket  # jupyter_server brings it

PATIENCE = 300
"""Seconds that a message may take to come."""
OUTSIDE = ("192.0.2.1", 443)
"""An address that belongs to nobody: with a way out it is tried for ever; without one the system says so at once."""


class Lab:
    """JupyterLab in this folder, with the command line that Binder's hub gives it."""

    def __init__(self, mark: str, limit: float):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        base, self.token = f"/user/ada-course-{mark}/", secrets.token_urlsafe(16)
        self.address = f"127.0.0.1:{port}{base}"
        given = {"base_url": base, "token": self.token, "trust_xheaders": "True", "default_url": "/lab/"}
        options = [f"--{app}.{name}={value}" for app in ("NotebookApp", "ServerApp") for name, value in given.items()]
        if os.geteuid() == 0:  # nobody is root there
            options.append("--allow-root")
        # There it listens on every address, in a network of its own.
        command = [Path(sys.executable).with_name("jupyter-notebook"), "--ip=127.0.0.1", f"--port={port}", *options]
        told = {"MEM_LIMIT": str(int(limit * 1e6)), "MEM_GUARANTEE": str(int(limit * 1e6)), "PYTHONUNBUFFERED": "1"}
        self.log = Path(".jupyter-server-log.txt")
        self.process = subprocess.Popen(
            command, env={**os.environ, **told, processes.MARK: mark}, stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                sys.exit(f"JupyterLab did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            self.ask("api/status")
        except OSError:
            return False
        return True

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """What the server says at `path`: to a POST where there is a body, else to a GET, or to what `method` says."""
        request = urllib.request.Request(
            f"http://{self.address}{path}", headers={"Authorization": f"token {self.token}"}, method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            said = response.read()
        return json.loads(said) if said and path.startswith("api/") else said

    def end(self) -> None:
        """End it as Ctrl-C does, with its kernels."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Notebook:
    """A notebook that is open in JupyterLab, with its kernel; asks what the page would ask."""

    def __init__(self, lab: Lab, path: str):
        self.lab, self.path = lab, path
        self.cells = lab.ask(f"api/contents/{path}")["content"]["cells"]
        session = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": {"name": "python3"}}
        self.opened = lab.ask("api/sessions", session)
        self.session = uuid.uuid4().hex
        self.socket = websocket.create_connection(
            f"ws://{lab.address}api/kernels/{self.opened['kernel']['id']}/channels?session_id={self.session}",
            header={"Authorization": f"token {lab.token}"}, timeout=PATIENCE, suppress_origin=True,
        )

    def run_all(self) -> str:
        """Run its cells one after the other. Returns what went wrong first, or nothing."""
        for number, cell in enumerate(self.cells):
            if cell["cell_type"] == "code" and (error := self._run("".join(cell["source"]))):
                return f"{self.path}, cell {number}: {error}"
        return ""

    def close(self) -> None:
        """Close it, and shut its kernel down."""
        self.socket.close()
        self.lab.ask(f"api/sessions/{self.opened['id']}", method="DELETE")

    def _run(self, code: str) -> str:
        asked = uuid.uuid4().hex
        self.socket.send(json.dumps({
            "channel": "shell", "parent_header": {}, "metadata": {},
            "header": {
                "msg_type": "execute_request", "msg_id": asked, "session": self.session, "username": "", "date": "",
                "version": "5.4",
            },
            "content": {
                "code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True,
            },
        }))
        while True:
            try:
                said = message(self.socket.recv())
            except (OSError, websocket.WebSocketException) as error:
                return f"the connection to its kernel broke off: {error}"
            content = said["content"]
            if content.get("execution_state") in ("restarting", "dead"):
                return "its kernel died"
            if said["msg_type"] == "execute_reply" and said["parent_header"].get("msg_id") == asked:
                return "" if content["status"] == "ok" else f"{content.get('ename')}: {content.get('evalue')}"


def message(frame: str | bytes) -> dict[str, Any]:
    """What a frame says: JSON; with buffers behind it, after their number and the place at which each part begins."""
    if isinstance(frame, bytes):
        begin, end = struct.unpack_from(">2I", frame, 4)
        frame = frame[begin:end]
    said: dict[str, Any] = json.loads(frame)
    return said


def switch_loopback_on() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def is_cut_off() -> bool:
    """Whether the system says at once that there is no way to the outside."""
    try:
        socket.create_connection(OUTSIDE, timeout=3).close()
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def visit(limit: float, idle: float) -> list[str]:
    """Do it; returns what went wrong."""
    mark = str(os.getpid())
    watch = processes.Watch(mark, limit)
    lab = Lab(mark, limit)
    moments, wrong = {}, []
    try:
        watch.start()
        lab.ask("lab/tree/notebooks/00-quickstart.ipynb")
        moments["JupyterLab has started"] = watch.look()
        course = sorted(f"notebooks/{path.name}" for path in Path("notebooks").glob("*.ipynb"))
        opened: list[Notebook] = []
        with ThreadPoolExecutor() as readers:
            for number, paths in (("two", course[:2]), ("four", course[2:4])):
                new = [Notebook(lab, path) for path in paths]
                opened += new
                moments[f"{number} notebooks are open"] = watch.look()
                wrong += filter(None, readers.map(Notebook.run_all, new))
                moments[f"{number} notebooks have run"] = watch.look()
        for path in course[4:]:
            opened.pop(0).close()
            opened.append(Notebook(lab, path))
            wrong += filter(None, [opened[-1].run_all()])
            moments["the others have run"] = watch.look()
        time.sleep(idle)  # by then, kernels and server have given back what they had freed
        moments[f"{idle:.0f} s later"] = watch.look()
    finally:
        watch.end()
        lab.end()
    print(processes.table({**moments, "at the highest": watch.highest}))
    if (most := processes.pss(watch.highest)) > limit:
        wrong.append(f"Together they had {most:.0f} MB, and may have {limit:.0f}.")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", metavar="MB", type=float, default=1000)
    parser.add_argument("--idle", metavar="SECONDS", type=float, default=8)
    parser.add_argument("--loopback", action="store_true")
    given = parser.parse_args()
    if given.loopback:
        switch_loopback_on()
        if not is_cut_off():
            print("The outside can be reached, and should not.")
            return 1
    wrong = visit(given.limit, given.idle)
    print("\n".join(wrong) or "Every cell of the course ran.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
