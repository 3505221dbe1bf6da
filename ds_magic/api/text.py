"""Text that is safe to keep, to encode and to show: surrogates healed, keys masked."""

import re
from typing import Any

MASK = "****"

_KEY_LIKE = re.compile(
    r"\bsk-[A-Za-z0-9_\-]{8,}"
    r"|(?i:\bBearer)\s+[^\s\"',;]+"
    r"|\*{3,}[A-Za-z0-9_\-]+"
    r"|[A-Za-z0-9_\-]+\*{3,}"
)
_WORD = re.compile(r"[^\s\"'`:,;()\[\]{}<>]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHARED_WITH_KEY = 4
_MORE_THAN_A_WORD = 8
"""A run of letters this long that stands in the key too is a part of it rather than a plain word."""
_DEEPEST = 100_000


def heal_surrogates(text: str) -> str:
    """`text` with surrogate pairs joined into their character and lone ones replaced by U+FFFD.

    A lone `"\\ud83d"` is legal JSON and a legal Python string, but no encoder takes it.
    """
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(text: str) -> str:
    """`text` without what a terminal would obey: control characters and overrides of direction become U+FFFD."""
    return _OBEYED.sub("\ufffd", heal_surrogates(text).replace("\r\n", "\n"))


def heal(value: Any) -> Any:
    """`value` (parsed JSON) with every string in it, keys too, healed as by `heal_surrogates`.

    Takes any depth that a parser gives; raises RecursionError where the value holds itself.
    """
    top = [value]
    todo: list[tuple[Any, Any, int]] = [(top, 0, 0)]
    while todo:
        holder, place, depth = todo.pop()
        item = holder[place]
        if isinstance(item, str):
            holder[place] = heal_surrogates(item)
        elif isinstance(item, dict):
            item = {heal_surrogates(name) if isinstance(name, str) else name: each for name, each in item.items()}
            holder[place] = item
            todo.extend((item, name, depth + 1) for name in item)
        elif isinstance(item, list | tuple):
            holder[place] = item = list(item)
            todo.extend((item, position, depth + 1) for position in range(len(item)))
        if depth > _DEEPEST:
            raise RecursionError("a value that holds itself")
    return top[0]


def mask_keys(text: str, key: str | None = None) -> str:
    """`text` with everything that looks like an API key, and every word that shares a part with `key`, masked.

    A service's refusal may quote the end of the key ("Your api key: ****3f2a is invalid"), so a word
    that has 4 characters in a row in common with the key goes too, unless it is a plain word of letters
    and has fewer than 8 in common.
    """
    if key:
        text = text.replace(key, MASK)
    text = _KEY_LIKE.sub(MASK, text)
    if not key or len(key) < 2 * _SHARED_WITH_KEY:
        return text

    def masked(match: re.Match[str]) -> str:
        word = match.group()
        enough = _MORE_THAN_A_WORD if word.strip(".!?").isalpha() else _SHARED_WITH_KEY
        shares = any(word[i : i + enough] in key for i in range(len(word) - enough + 1))
        return MASK if shares else word

    return _WORD.sub(masked, text)


def shorten(text: str, limit: int = 300) -> str:
    """`text` on one line, cut to `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
