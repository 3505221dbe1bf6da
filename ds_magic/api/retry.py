"""When to try again: exponential waits with full jitter, and what `Retry-After` asks for."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
LONGEST_ASKED = 60.0

_SECONDS = re.compile(r"[0-9]+")
_DATE = re.compile(r"[A-Za-z]+,? [A-Za-z0-9 :-]+")


def wait_before(attempt: int, retry_after: float | None) -> float | None:
    """Seconds to wait before retry number `attempt` (from 1), or None where the server asks for too long.

    Full jitter: uniform between 0 and min(10 s, 0.5 s · 2^(attempt − 1)), or what `Retry-After` says,
    up to 60 s (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    if retry_after is not None:
        return retry_after if retry_after <= LONGEST_ASKED else None
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)))


def parse_retry_after(value: str | None) -> float | None:
    """Seconds from now that a `Retry-After` header asks for: whole seconds, or an HTTP date; None if neither."""
    value = (value or "").strip(" \t")
    if _SECONDS.fullmatch(value):
        return float(value)
    if not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value)
        # The oldest form of a date names no zone, and means this one.
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
