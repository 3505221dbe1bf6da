"""Bytes to server-sent events, incremental, by the WHATWG rules.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from .error_messages import too_long
from .loose_json import LONGEST

_BOM = b"\xef\xbb\xbf"


class EventDecoder:
    """Takes bytes as they arrive and gives the data of each finished event. `comment` is the last comment.

    Lines end at LF, CR or CRLF and nowhere else. Data stays bytes: it is UTF-8 by the standard, and JSON
    parsers take it as it is. Raises StreamInterruptedError for an event that outgrows LONGEST.
    """

    def __init__(self) -> None:
        self.comment: bytes | None = None
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._at_start = True
        self._after_cr = False

    def decode(self, data: bytes) -> list[bytes]:
        """The data of each event that `data` completes. An event is finished by the blank line behind it."""
        if (  # one event of one line, between events: what nearly all servers send
            data.startswith(b"data: ")
            and data.endswith(b"\n\n")
            and data.find(b"\n", 0, -2) < 0  # counting takes seven times as long
            and b"\r" not in data
            and not (self._line or self._data or self._at_start or self._after_cr)
        ):
            return [data[6:-2]]
        if self._at_start:
            data = self._without_bom(data)
        if self._after_cr and data:
            self._after_cr = False
            if data.startswith(b"\n"):
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._line.append(data)
        self._held += len(data)
        if self._held > LONGEST:
            self._line.clear()
            self._data.clear()
            raise too_long("An event of the stream")
        if b"\n" not in data:
            return []
        lines = b"".join(self._line).split(b"\n")
        rest = lines.pop()
        self._line = [rest] if rest else []
        events = self._take(lines)
        if events or not self._data:  # else the event goes on, and what was held of it still is
            self._held = len(rest) + sum(map(len, self._data))
        return events

    def flush(self) -> list[bytes]:
        """What the end of the input completes: nothing, but for `[DONE]`, which servers leave unterminated.

        An unfinished event is dropped, as the standard says.
        """
        if line := b"".join(self._line):
            self._take([line])
        self._line = []
        unfinished, self._data = self._data, []
        return unfinished if [line.strip() for line in unfinished] == [b"[DONE]"] else []

    def _without_bom(self, data: bytes) -> bytes:
        data = b"".join(self._line) + data
        self._line = []
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._line = [data]
            return b""
        self._at_start = False
        return data.removeprefix(_BOM)

    def _take(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data = []
            elif line.startswith(b":"):
                self.comment = line[1:200].strip()
            elif line == b"data":
                self._data.append(b"")
        return events
