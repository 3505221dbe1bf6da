"""Secret: a key that no repr, pickle or traceback shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NoReturn

from .clean_text import MASK

_LONG_ENOUGH = 16
"""A shorter key in use may be an ordinary word ("local"), so it is not looked for in texts."""
_KEY = re.compile(r"\bsk-[A-Za-z0-9_\-]{16,}")


class Secret:
    """A key, held where only `reveal()` finds it: not in an attribute, whose value a debugger would print.

    Equal to a Secret of the same key.
    """

    __slots__ = ("reveal", "_digest")

    def __init__(self, key: str):
        self.reveal: Callable[[], str] = lambda: key
        self._digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()

    @classmethod
    def of(cls, key: Secret | str | None) -> Secret | None:
        """The Secret of a key, without blanks around it; None for none or an empty one."""
        if isinstance(key, Secret):
            return key
        return cls(key.strip()) if key and key.strip() else None

    def is_in(self, text: str) -> bool:
        """Whether the key stands in `text`."""
        return len(self.reveal()) >= _LONG_ENOUGH and self.reveal() in text

    def taken_out(self, data: bytes) -> bytes:
        """`data` with the key masked wherever it stands."""
        key = self.reveal().encode("utf-8", "replace")
        return data.replace(key, MASK.encode()) if len(key) >= _LONG_ENOUGH else data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return "****"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def holds_key(text: str, key: Secret | None) -> bool:
    """Whether an API key stands in `text`: this one, or something of the form of one.

    `sk-learn-compatible-estimators` is no key: a key has digits, or a long run of letters.
    """
    if key is not None and key.is_in(text):
        return True
    if "sk-" not in text:
        return False
    return any(re.search(r"\d|[A-Za-z]{20}", match) for match in _KEY.findall(text))
