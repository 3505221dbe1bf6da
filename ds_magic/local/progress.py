"""A download's progress: a bar in a terminal, now and then a line elsewhere."""

from __future__ import annotations

from typing import TextIO


class ProgressBar:
    """Call it with the bytes done and the bytes in all.

    In a terminal one line is drawn over and over; where the text goes to a notebook or a file,
    a plain line is written every tenth of the way.
    """

    def __init__(self, out: TextIO, what: str):
        self.out = out
        self.what = what
        self._drawn = -1

    def __call__(self, done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        steps = 100 if self.out.isatty() else 10
        step = int(share * steps)
        if step == self._drawn:
            return
        self._drawn = step
        size = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        if self.out.isatty():
            filled = int(share * 30)
            end = "\n" if share == 1 else ""
            self.out.write(f"\r{self.what} [{'█' * filled}{'·' * (30 - filled)}] {size} {end}")
        else:
            self.out.write(f"{self.what}: {size}\n")
        self.out.flush()
