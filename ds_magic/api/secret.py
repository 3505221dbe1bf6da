"""Secret: a key that no repr, pickle or traceback shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NoReturn


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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return "****"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")
