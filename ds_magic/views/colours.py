"""Whether what is written may have colours: not in a pipe or a file, and not where NO_COLOR is set."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from . import in_kernel


def for_terminal(out: TextIO | None = None) -> bool:
    """Whether `out`, or what is printed, goes to a terminal that may have colours."""
    return not os.environ.get("NO_COLOR") and bool(getattr(out or sys.stdout, "isatty", lambda: False)())


def for_errors() -> bool:
    """Whether an error may have colours: in a terminal, and in a notebook, which draws them."""
    return for_terminal() or (in_kernel() and not os.environ.get("NO_COLOR"))
