"""HTTP servers on loopback that send literal bytes, as a script says.

    def script(connection):                       # called once a request, in a thread of its own
        connection.send(head())                   # status line and headers, chunked by default
        connection.send(chunk(b'data: {"choices": []}\\n\\n'))
        connection.wait(some_event)               # a threading.Event of the test
        connection.send(LAST_CHUNK)

    with ScriptedServer(script) as server:        # several scripts: one a request, the last one for all others
        Client(base_url=server.url, api_key="k").chat("Hi")
    server.requests[0].json                       # what was asked

`streamed(...)`, `answered(...)` and `refused(...)` make the usual scripts. What fails in a script is raised
where the server's `with` ends.
"""

import contextlib
import gc
import json
import socket
import struct
import threading
from dataclasses import dataclass, field

LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
THREAD = "scripted server"
"""The name of the threads that are none of a client's."""
PATIENCE = 60.0
"""Seconds after which a wait in a script gives up, so that a broken test ends."""


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    json: object = None


@dataclass
class Connection:
    """The server's side of one request."""

    socket: socket.socket
    request: Received
    closed_by_peer: threading.Event = field(default_factory=threading.Event)

    def send(self, data: bytes) -> None:
        """Send bytes at once."""
        self.socket.sendall(data)

    def wait(self, event: threading.Event) -> None:
        """Go on when the test sets `event`."""
        assert event.wait(PATIENCE), "the test never set the event"

    def wait_until_closed(self) -> bool:
        """Whether the client closed the connection (within the server's patience)."""
        self.socket.settimeout(PATIENCE)
        try:
            while self.socket.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        self.closed_by_peer.set()
        return True

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class ScriptedServer:
    """An HTTP/1.1 server that answers each request with the next script; keeps connections open.

    `GET /models` is answered beside them by the script `models`, and stands in `looks`; without one there is no list.
    """

    def __init__(self, *scripts, models=None):
        self.scripts = list(scripts)
        self.models = models or refused(404, "Not Found")
        self.looks: list[Received] = []
        self.requests: list[Received] = []
        self.connections = 0
        self.failures: list[Exception] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._accept, name=THREAD, daemon=True).start()
        return self

    def __exit__(self, *exception):
        for each in (self._listener, *self._sockets):
            # Closing alone does not wake a thread that waits on it, and keeps the port open as long.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        if self.failures and exception == (None, None, None):
            raise self.failures[0]

    def open_sockets_of_clients(self, besides=()) -> int:
        """How many sockets are open in this process that are neither the server's own nor among `besides`."""
        return sum(each not in (self._listener, *self._sockets, *besides) for each in open_sockets())

    def _accept(self):
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._sockets.append(connected)
            threading.Thread(target=self._serve, args=(connected,), name=THREAD, daemon=True).start()

    def _serve(self, connected):
        with connected:
            while True:
                try:
                    received = _read_request(connected)
                    if received is None:
                        return
                    with self._lock:
                        if received.path.endswith("/models"):
                            script, kept = self.models, self.looks
                        else:
                            script, kept = self.scripts[min(len(self.requests), len(self.scripts) - 1)], self.requests
                        kept.append(received)
                    if script(Connection(connected, received)) == "close":
                        return
                except OSError:
                    return
                except Exception as failure:
                    self.failures.append(failure)
                    return


def open_sockets():
    """The sockets that are open in this process."""
    return [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0]


def _read_request(connected):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connected.recv(65536)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connected.recv(65536)
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    return Received(method, path, headers, body, parsed)


def timers():
    """The timers that are left when those that were cancelled have ended."""
    running = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    for each in running:
        if each.finished.is_set():
            each.join(PATIENCE)
    return [each for each in running if each.is_alive()]


def head(status="200 OK", content_type="text/event-stream", framing="chunked", **headers) -> bytes:
    """A status line and headers. `framing`: "chunked", "close", or the length of the body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif framing == "close":
        lines.append("Connection: close")
    else:
        lines.append(f"Content-Length: {framing}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(payload) -> bytes:
    """One server-sent event with `payload` as JSON."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def text_chunk(content=None, *, reasoning=None, finish=None, **fields) -> dict:
    """A chunk of a stream in DeepSeek's shape."""
    texts = {"content": content, "reasoning_content": reasoning}
    delta = {name: value for name, value in texts.items() if value is not None}
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": fields.pop("logprobs", None)}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    return {**head, "choices": [choice], **fields}


def streamed(*payloads, done=True):
    """A script that streams each payload (a dictionary as an event, bytes as they are) in a chunk of its own."""

    def script(connection):
        connection.send(head())
        for payload in payloads:
            connection.send(chunk(payload if isinstance(payload, bytes) else event(payload)))
        if done:
            connection.send(chunk(DONE))
        connection.send(LAST_CHUNK)

    return script


def said(*texts, finish="stop", usage=None):
    """A script that streams the texts, one a chunk, and ends as the service does."""
    last = text_chunk("", finish=finish, usage=usage or {"prompt_tokens": 3, "completion_tokens": len(texts)})
    return streamed(text_chunk(""), *(text_chunk(text) for text in texts), last)


def answered(body, status="200 OK", content_type="application/json", **headers):
    """A script that answers with one body: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def script(connection):
        connection.send(head(status, content_type, len(data), **headers) + data)

    return script


def refused(status, message="no", **fields):
    """A script that refuses with an error in DeepSeek's shape."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None, **fields}
    return answered({"error": error}, f"{status} Refused")


def completion(content="Hello", finish="stop", **fields) -> dict:
    """The body of an unstreamed completion."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice],
            "usage": usage, **fields}
